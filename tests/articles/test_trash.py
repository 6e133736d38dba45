"""DELETE /v1/articles/{id}, and its way back."""

from uuid import uuid4

import httpx
import pytest

from tests.articles.newsroom import (
    do,
    draft,
    edit,
    ids,
    if_match,
    mark,
    picture,
    problem,
    published,
    soon,
    trash,
)
from tests.serving import Store


@pytest.mark.slow
def test_what_is_in_the_trash_is_nowhere_but_there(client: httpx.Client, editor: httpx.Client) -> None:
    word, image = mark(), picture(editor)
    article = published(editor, headline=f"Old {word}", section=word, tags=[word], lead_image_id=image["id"])
    trash(editor, article)
    for caller in (client, editor):
        assert problem(caller.get(f"/v1/articles/{article['id']}"), 410)["reason"] == "deleted"
        problem(caller.get(f"/v1/articles/{article['slug']}"), 410)
        for query in (f"q={word}", f"section={word}", f"tag={word}", f"image_id={image['id']}"):
            assert caller.get(f"/v1/articles?{query}&count=true").json() == {
                "items": [],
                "next": None,
                "cursor": None,
                "total": 0,
            }
    problem(client.get(f"/v1/images/{image['id']}"), 404)
    for change in (
        editor.patch(f"/v1/articles/{article['id']}", json={}, headers={"If-Match": "*"}),
        editor.put(f"/v1/articles/{article['id']}", json=article, headers={"If-Match": "*"}),
        editor.delete(f"/v1/articles/{article['id']}", headers={"If-Match": "*"}),
    ):
        problem(change, 410)
    assert editor.delete(f"/v1/images/{image['id']}", headers={"If-Match": "*"}).status_code == 204


@pytest.mark.parametrize("state", ["draft", "published", "scheduled"])
def test_it_comes_back_as_it_was(client: httpx.Client, editor: httpx.Client, state: str) -> None:
    article = published(editor) if state == "published" else draft(editor)
    if state == "scheduled":
        article = do(editor, article, "publish", at=soon(3600))
    trash(editor, article)
    back = do(editor, article, "restore")
    changed = {"version", "updated_at"}
    assert {k: v for k, v in back.items() if k not in changed} == {
        k: v for k, v in article.items() if k not in changed
    }
    assert back["version"] == article["version"] + 2
    assert client.get(f"/v1/articles/{article['slug']}").status_code == (200 if state == "published" else 404)
    assert do(editor, back, "restore") == back


def test_bringing_back_what_was_public_needs_a_publisher(store: Store, editor: httpx.Client) -> None:
    article = published(editor)
    trash(editor, article)
    with store.client("content:write") as writer:
        problem(writer.post(f"/v1/articles/{article['id']}/restore"), 403)


def test_its_slug_is_kept_for_it(editor: httpx.Client) -> None:
    article = draft(editor, slug=mark())
    trash(editor, article)
    assert (
        problem(editor.post("/v1/articles", json={"headline": "x", "slug": article["slug"]}), 409)["id"]
        == article["id"]
    )


def test_deleting_needs_the_version_that_was_read(
    client: httpx.Client, store: Store, editor: httpx.Client
) -> None:
    article = draft(editor)
    address = f"/v1/articles/{article['id']}"
    problem(client.delete(address, headers=if_match(article)), 401)
    with store.client("content:publish") as publisher:
        problem(publisher.delete(address, headers={"If-Match": '"9"'}), 403)
    problem(editor.delete(address), 428)
    assert problem(editor.delete(address, headers={"If-Match": '"9"'}), 412)["current_version"] == 1
    assert (
        editor.delete(address, headers={"If-Match": editor.get(address).headers["etag"]}).status_code == 204
    )
    problem(editor.delete(f"/v1/articles/{uuid4()}", headers={"If-Match": "*"}), 404)


def test_a_picture_whose_file_went_meanwhile_leaves_the_restored_article_readable(
    client: httpx.Client, editor: httpx.Client
) -> None:
    image = picture(editor)
    article = published(editor, lead_image_id=image["id"], body=[{"type": "image", "image_id": image["id"]}])
    trash(editor, article)
    assert editor.delete(f"/v1/images/{image['id']}", headers={"If-Match": "*"}).status_code == 204
    back = do(editor, article, "restore")
    assert (back["lead_image"], back["body"][0]["image"]) == (None, None)
    assert client.get(f"/v1/articles/{article['id']}").json() == back
    assert client.get(f"/v1/articles/{article['id']}?body=html").status_code == 200
    assert ids(client.get(f"/v1/articles?image_id={image['id']}")) in ([], [article["id"]])


def test_a_picture_that_came_back_after_its_article_is_in_use_once_the_body_is_edited(
    editor: httpx.Client,
) -> None:
    image = picture(editor)
    shown = {"type": "image", "image_id": image["id"]}
    article = draft(editor, body=[shown])
    trash(editor, article)
    path = f"/v1/images/{image['id']}"
    assert editor.delete(path, headers={"If-Match": "*"}).status_code == 204
    article = do(editor, article, "restore")
    assert editor.post(f"{path}/restore").status_code == 200
    edit(editor, article, body=[shown, {"type": "paragraph", "html": "The line opens on Monday."}])
    problem(editor.delete(path, headers={"If-Match": "*"}), 409)
