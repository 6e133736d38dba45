"""/v1/articles/{id}/versions: who, when, what, and the way back."""

from uuid import uuid4

import httpx
import pytest

from tests.articles.newsroom import (
    do,
    draft,
    edit,
    if_match,
    mark,
    picture,
    pointers,
    problem,
    published,
    trash,
    walk,
)
from tests.serving import Store


@pytest.mark.slow
def test_every_write_is_kept_with_who_when_and_what(store: Store, editor: httpx.Client) -> None:
    article = draft(editor, headline="First")
    with store.client("content:write", "content:publish", name="night desk") as night:
        article = edit(night, article, headline="Second")
        article = do(night, article, "publish")
        article = do(night, article, "corrections", text="x")
        article = do(night, article, "unpublish")
        trash(night, article)
    do(editor, article, "restore")
    versions = list(walk(editor, f"/v1/articles/{article['id']}/versions?limit=2"))
    assert [
        (version["version"], version["actor"], version["action"], version["status"]) for version in versions
    ] == [
        (7, "editor", "restored", "draft"),
        (6, "night desk", "deleted", "draft"),
        (5, "night desk", "unpublished", "draft"),
        (4, "night desk", "corrected", "published"),
        (3, "night desk", "published", "published"),
        (2, "night desk", "edited", "draft"),
        (1, "editor", "created", "draft"),
    ]
    assert sorted(version["at"] for version in versions)[::-1] == [version["at"] for version in versions]
    assert len({version["actor_id"] for version in versions}) == 2
    first = editor.get(f"/v1/articles/{article['id']}/versions/1")
    assert first.json()["content"]["headline"] == "First"
    assert first.headers["etag"].startswith('"1-')
    assert (
        editor.get(
            f"/v1/articles/{article['id']}/versions/1", headers={"If-None-Match": first.headers["etag"]}
        ).status_code
        == 304
    )


def test_a_difference_names_what_changed(editor: httpx.Client) -> None:
    article = draft(editor, headline="First", tags=["a"])
    article = edit(editor, article, headline="Second")
    article = edit(editor, article, tags=["a", "b"], slug=(slug := mark()))
    address = f"/v1/articles/{article['id']}/versions"
    assert editor.get(f"{address}/2/diff").json() == {
        "before": 1,
        "after": 2,
        "changes": [{"field": "headline", "before": "First", "after": "Second"}],
    }
    since = {
        change["field"]: change["after"]
        for change in editor.get(f"{address}/3/diff?against=1").json()["changes"]
    }
    assert since == {"headline": "Second", "tags": ["a", "b"], "slug": slug}
    assert editor.get(f"{address}/2/diff?against=2").json()["changes"] == []
    whole = editor.get(f"{address}/1/diff").json()
    assert (whole["before"], {change["before"] for change in whole["changes"]}) == (None, {None})


def test_an_old_version_is_written_anew(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, headline="First", summary="Old", language="fr")
    article = edit(editor, article, headline="Second", summary=None, slug=mark(), language="de")
    back = editor.post(f"/v1/articles/{article['id']}/versions/1/restore", headers=if_match(article)).json()
    assert (back["headline"], back["summary"], back["language"], back["version"]) == ("First", "Old", "fr", 3)
    assert (back["slug"], back["status"], back["published_at"]) == (
        article["slug"],
        "published",
        article["published_at"],
    )
    assert client.get(f"/v1/articles/{article['id']}").json() == back
    assert editor.post(f"/v1/articles/{article['id']}/versions/3/restore").json() == back
    problem(editor.post(f"/v1/articles/{article['id']}/versions/1/restore", headers=if_match(article)), 412)


def test_a_version_whose_picture_is_gone_says_so(editor: httpx.Client) -> None:
    image = picture(editor)
    article = draft(editor, lead_image_id=image["id"])
    article = edit(editor, article, lead_image_id=None)
    assert editor.delete(f"/v1/images/{image['id']}", headers={"If-Match": "*"}).status_code == 204
    assert pointers(editor.post(f"/v1/articles/{article['id']}/versions/1/restore")) == ["/lead_image_id"]


@pytest.mark.parametrize("number", ["0", "-1", "7", "99999999999", "9" * 30, "x", "1.5", "%00"])
def test_a_version_that_is_not_there_is_404(editor: httpx.Client, number: str) -> None:
    article = draft(editor)
    for address in (f"/{number}", f"/{number}/diff"):
        problem(editor.get(f"/v1/articles/{article['id']}/versions{address}"), 404)
    problem(editor.post(f"/v1/articles/{article['id']}/versions/{number}/restore"), 404)
    problem(editor.get(f"/v1/articles/{uuid4()}/versions/1"), 404)
    problem(editor.get(f"/v1/articles/{uuid4()}/versions"), 404)


@pytest.mark.parametrize("against", ["0", "-1", "9" * 30, "x", ""])
def test_what_to_compare_with_is_a_version(editor: httpx.Client, against: str) -> None:
    problem(editor.get(f"/v1/articles/{draft(editor)['id']}/versions/1/diff?against={against}"), 422)


def test_versions_are_for_those_with_content_read(
    client: httpx.Client, store: Store, editor: httpx.Client
) -> None:
    article = published(editor)
    for address in ("", "/1", "/1/diff"):
        problem(client.get(f"/v1/articles/{article['id']}/versions{address}"), 401)
        with store.client("content:write") as writer:
            problem(writer.get(f"/v1/articles/{article['id']}/versions{address}"), 403)
    problem(client.post(f"/v1/articles/{article['id']}/versions/1/restore"), 401)
