"""copydesk media inspect: pictures that came in under other rules are described by today's."""

from uuid import UUID

import httpx
import pytest
from sqlmodel import update

from service.images import inspecting
from service.images.models import Image
from tests.images.photographs import agency, jpeg, scene
from tests.images.pictures import image_of, make_article, upload
from tests.serving import Store


@pytest.mark.slow
def test_a_picture_is_described_by_todays_rules_and_what_somebody_wrote_stays(
    store: Store, editor: httpx.Client, client: httpx.Client
):
    image = image_of(upload(editor, agency(), "image/jpeg", credit_line="Bo Ek"))
    image_of(upload(editor, jpeg(scene((30, 20))), "image/jpeg"))
    make_article(editor, image)
    with store.database.writing() as session:
        older = {"width": 40, "height": 60, "kept_metadata": {}, "copyright_notice": None}
        session.execute(update(Image).where(Image.id == UUID(image["id"])).values(older))
    seen = inspecting.look_again(store.database)
    assert (seen.pictures, seen.changed, seen.refused) == (2, 1, [])
    shown = client.get(f"/v1/images/{image['id']}").json()
    assert (shown["width"], shown["height"], shown["credit_line"]) == (60, 40, "Bo Ek")
    assert shown["copyright_notice"] == image["copyright_notice"]
    assert shown["metadata"]["headline"] == "Ferries run again"
    assert inspecting.look_again(store.database).changed == 0
