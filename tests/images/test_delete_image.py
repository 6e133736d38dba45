"""DELETE /v1/images/{id}, POST …/restore and GET …/uses"""

from uuid import uuid4

import httpx
import pytest

from tests.images.pictures import href_of, make_article, make_caption, make_image, picture, upload
from tests.serving import Store

FORCED = {"If-Match": "*"}


def test_a_deleted_image_is_gone_until_it_is_restored(editor: httpx.Client):
    image = make_image(editor)
    caption = make_caption(editor, image)
    path = f"/v1/images/{image['id']}"
    assert editor.delete(path, headers={"If-Match": '"1-a"'}).status_code == 204
    for gone in (
        editor.get(path),
        editor.delete(path, headers=FORCED),
        editor.get(f"/v1/captions/{caption['id']}"),
        editor.get(f"{path}/uses"),
    ):
        assert (gone.status_code, gone.json()["reason"]) == (410, "deleted")
    assert editor.patch(path, json={}, headers=FORCED).status_code == 410
    assert editor.get(href_of(image)).status_code == 410
    restored = editor.post(f"{path}/restore")
    assert (restored.status_code, restored.json()["version"], restored.json()["captions"]) == (
        200,
        3,
        [caption],
    )
    assert editor.get(href_of(image)).status_code == 200
    assert editor.post(f"{path}/restore").json()["version"] == 3


@pytest.mark.parametrize("status", ["draft", "published"])
@pytest.mark.parametrize("place", ["body", "lead"])
def test_an_image_that_an_article_shows_is_not_deleted(editor: httpx.Client, status: str, place: str):
    image = make_image(editor)
    article = (
        make_article(editor, image, status=status)
        if place == "body"
        else make_article(editor, status=status, lead_image_id=image["id"])
    )
    use = {
        "article_id": article["id"],
        "slug": article["slug"],
        "headline": article["headline"],
        "status": status,
    }
    response = editor.delete(f"/v1/images/{image['id']}", headers=FORCED)
    assert (response.status_code, response.json()["type"], response.json()["uses"]) == (
        409,
        "/problems/in-use",
        [use],
    )
    assert editor.get(f"/v1/images/{image['id']}/uses").json()["items"] == [use]


def test_an_image_can_be_deleted_once_no_article_shows_it(editor: httpx.Client):
    first, second = make_image(editor, "red"), make_image(editor, "blue")
    article = make_article(editor, first, second)
    response = editor.patch(f"/v1/articles/{article['id']}", json={"body": []}, headers=FORCED)
    assert response.status_code == 200, response.text
    assert editor.get(f"/v1/images/{first['id']}/uses").json()["items"] == []
    assert editor.delete(f"/v1/images/{first['id']}", headers=FORCED).status_code == 204


def test_a_trashed_article_does_not_hold_its_images(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor)
    article = make_article(editor, image)
    editor.delete(f"/v1/articles/{article['id']}", headers=FORCED)
    assert editor.delete(f"/v1/images/{image['id']}", headers=FORCED).status_code == 204
    assert client.get(f"/v1/images/{image['id']}").status_code == 410


def test_a_restored_image_whose_picture_came_in_again_is_refused(editor: httpx.Client):
    old = make_image(editor)
    editor.delete(f"/v1/images/{old['id']}", headers=FORCED)
    new = upload(editor, picture()).json()
    response = editor.post(f"/v1/images/{old['id']}/restore")
    assert (response.status_code, response.json()["id"]) == (409, new["id"])


def test_uses_come_in_pages(editor: httpx.Client):
    image = make_image(editor)
    articles = [
        make_article(editor, image, status="draft", headline=f"Harbour {number}") for number in range(3)
    ]
    page = editor.get(
        f"/v1/images/{image['id']}/uses", params={"limit": 2, "count": "true", "fields": "slug"}
    ).json()
    assert (len(page["items"]), page["total"], list(page["items"][0])) == (2, 3, ["slug"])
    rest = editor.get(page["next"]).json()
    assert {use["slug"] for use in page["items"] + rest["items"]} == {article["slug"] for article in articles}
    assert rest["next"] is None


@pytest.mark.slow
def test_uses_are_for_editors(client: httpx.Client, editor: httpx.Client, store: Store):
    path = f"/v1/images/{make_image(editor)['id']}/uses"
    assert client.get(path).status_code == 401
    with store.client("content:write") as writer:
        assert writer.get(path).status_code == 403
    assert editor.get(f"/v1/images/{uuid4()}/uses").status_code == 404


@pytest.mark.slow
def test_deleting_needs_the_version(editor: httpx.Client):
    assert editor.delete(f"/v1/images/{make_image(editor)['id']}").status_code == 428
