"""Lists of captions, and of what lacks one."""

from uuid import uuid4

import httpx
import pytest

from tests.images.pictures import make_article, make_caption, make_image

FORCED = {"If-Match": "*"}


@pytest.mark.slow
def test_captions_are_listed_newest_first_and_filtered(editor: httpx.Client):
    image = make_image(editor)
    article, other = make_article(editor, image), make_image(editor, "red")
    general, french = make_caption(editor, image), make_caption(editor, image, language="fr", source="import")
    own, elsewhere = make_caption(editor, image, article_id=article["id"]), make_caption(editor, other)
    for asked, found in (
        ({}, [elsewhere, own, french, general]),
        ({"image_id": image["id"]}, [own, french, general]),
        ({"language": "FR"}, [french]),
        ({"article_id": article["id"]}, [own]),
        ({"source": "import"}, [french]),
        ({"image_id": str(uuid4())}, []),
    ):
        page = editor.get("/v1/captions", params=asked | {"count": "true"}).json()
        assert (page["items"], page["total"]) == (found, len(found))
    editor.delete(f"/v1/captions/{general['id']}", headers=FORCED)
    editor.delete(f"/v1/images/{other['id']}", headers=FORCED)
    assert editor.get("/v1/captions").json()["items"] == [own, french]


@pytest.mark.slow
def test_pictures_without_an_alternative_text_are_listed(editor: httpx.Client, client: httpx.Client):
    bare, described, decorative, told = (
        make_image(editor, colour) for colour in ("red", "lime", "blue", "gold")
    )
    make_caption(editor, described, alt_text="A bridge")
    make_caption(editor, decorative, decorative=True)
    make_caption(editor, told, "Only a text")
    gone = make_caption(editor, bare, alt_text="A bridge")
    assert editor.delete(f"/v1/captions/{gone['id']}", headers={"If-Match": "*"}).status_code == 204
    listed = editor.get("/v1/images?missing=alt_text&count=true").json()
    assert [image["id"] for image in listed["items"]] == [told["id"], bare["id"]]
    assert listed["total"] == 2
    assert client.get("/v1/images?missing=alt_text").status_code == 401
    assert editor.get("/v1/images?missing=text").status_code in (400, 422)
