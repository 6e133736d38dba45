"""GET /v1/images"""

import httpx
import pytest

from tests.images.pictures import make_article, make_image
from tests.serving import Store

COLOURS = ("red", "green", "blue", "white", "black")


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


@pytest.mark.slow
def test_editors_get_every_image_newest_first(editor: httpx.Client):
    made = [make_image(editor, colour)["id"] for colour in COLOURS]
    assert ids(editor.get("/v1/images")) == made[::-1]


@pytest.mark.slow
@pytest.mark.parametrize("public", [False, True])
def test_pages_neither_repeat_nor_leave_out(editor: httpx.Client, client: httpx.Client, public: bool):
    images = [make_image(editor, colour) for colour in COLOURS]
    make_article(editor, *images)
    reader = client if public else editor
    first = reader.get("/v1/images", params={"limit": 2, "count": "true"})
    assert first.json()["total"] == 5
    assert first.headers["link"] == f'<{first.json()["next"]}>; rel="next"'
    newest = make_image(editor, "orange")
    make_article(editor, newest)
    second = reader.get(first.json()["next"])
    third = reader.get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == [image["id"] for image in images][::-1]
    assert third.json()["next"] is None


def test_readers_get_public_images_only(editor: httpx.Client, client: httpx.Client):
    shown, _ = make_image(editor, "red", source="wire"), make_image(editor, "blue", source="wire")
    assert ids(client.get("/v1/images")) == []
    make_article(editor, shown)
    response = client.get("/v1/images", params={"source": "wire"})
    assert (ids(response), response.headers["cache-control"][:15]) == ([shown["id"]], "public, max-age")
    assert ids(client.get("/v1/images", params={"source": "other"})) == []


@pytest.mark.slow
def test_editors_filter(editor: httpx.Client):
    red, blue = make_image(editor, "red", source="wire"), make_image(editor, "blue")
    waiting = editor.post("/v1/images", json={}).json()
    make_article(editor, blue, status="draft")
    for asked, found in (
        ({"source": "wire"}, [red]),
        ({"digest": blue["digest"]}, [blue]),
        ({"digest": blue["digest"].upper()}, [blue]),
        ({"without_file": "true"}, [waiting]),
        ({"without_file": "false"}, [blue, red]),
        ({"in_use": "true"}, [blue]),
        ({"in_use": "false"}, [waiting, red]),
        ({"in_use": "false", "source": "wire"}, [red]),
        ({"digest": "0"}, []),
    ):
        response = editor.get("/v1/images", params=asked | {"count": "true"})
        assert (ids(response), response.json()["total"]) == ([image["id"] for image in found], len(found)), (
            asked
        )


@pytest.mark.parametrize("asked", ["digest=ab", "without_file=false", "in_use=false"])
def test_what_would_tell_of_drafts_is_for_editors(client: httpx.Client, store: Store, asked: str):
    assert client.get(f"/v1/images?{asked}").status_code == 401
    with store.client("consent:read") as other:
        assert other.get(f"/v1/images?{asked}").status_code == 403


def test_fields_may_be_chosen(editor: httpx.Client):
    image = make_image(editor)
    assert editor.get("/v1/images", params={"fields": "id,metadata"}).json()["items"] == [
        {"id": image["id"], "metadata": {}}
    ]
    assert editor.get("/v1/images", params={"fields": "kept_metadata"}).status_code == 422


def test_bad_questions_are_refused(editor: httpx.Client):
    assert editor.get("/v1/images", params={"limit": 0}).status_code == 422
    assert editor.get("/v1/images", params={"cursor": "nonsense"}).status_code == 400
    assert editor.get("/v1/images", params={"section": "news"}).json()["parameter"] == "section"


def test_deleted_images_are_not_listed(editor: httpx.Client):
    image = make_image(editor)
    editor.delete(f"/v1/images/{image['id']}", headers={"If-Match": "*"})
    assert ids(editor.get("/v1/images")) == []
