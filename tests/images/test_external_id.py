"""An image may have a key of the integrator's: its `source` and `external_id`"""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.images.pictures import change, make_image, picture, upload
from tests.serving import Store


@pytest.mark.slow
def test_the_key_is_one_images_alone_while_it_is_not_in_the_trash(editor: httpx.Client) -> None:
    first = make_image(editor, "teal", source="wire", external_id="4711")
    assert (first["source"], first["external_id"]) == ("wire", "4711")
    second = make_image(editor, "navy", source="wire", external_id="4712")
    make_image(editor, "plum", source="agency", external_id="4711")
    for refused in (
        editor.post("/v1/images", json={"source": "wire", "external_id": "4711"}),
        upload(editor, picture(colour="gold"), source="wire", external_id="4711"),
        editor.patch(f"/v1/images/{second['id']}", json={"external_id": "4711"}, headers={"If-Match": "*"}),
    ):
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/image-key-taken"), (
            refused.text
        )
        assert refused.json()["id"] == first["id"]
    assert editor.delete(f"/v1/images/{first['id']}", headers={"If-Match": "*"}).status_code == 204
    change(editor, f"/v1/images/{second['id']}", {"external_id": "4711"})
    restored = editor.post(f"/v1/images/{first['id']}/restore")
    assert (restored.status_code, restored.json()["id"]) == (409, second["id"])


def test_the_same_picture_with_its_key_again_is_the_same_image(editor: httpx.Client) -> None:
    content = picture(colour="red")
    first, again = (upload(editor, content, source="wire", external_id="4713") for _ in range(2))
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])


def test_a_key_too_long_for_an_index_is_refused(editor: httpx.Client) -> None:
    refused = editor.post("/v1/images", json={"source": "€" * 500, "external_id": "€" * 500})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/external_id")


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_that_claim_a_key_at_once_one_gets_it(store: Store, attempt: int) -> None:
    def claim(_: int) -> int:
        with store.client("content:write") as writer:
            return writer.post(
                "/v1/images", json={"source": "wire", "external_id": f"race-{attempt}"}
            ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim, range(8))) == [201, *[409] * 7]
