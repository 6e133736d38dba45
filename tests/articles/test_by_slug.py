"""Changing an article by its slug, as well as by its id."""

import httpx
import pytest

from tests.articles.newsroom import draft, edit, mark, problem


@pytest.mark.slow
def test_an_article_is_changed_by_any_slug_that_it_has_had(editor: httpx.Client) -> None:
    article = draft(editor)
    old = article["slug"]
    article = edit(editor, article, slug=mark())
    for key in (old, article["slug"], article["id"], article["id"].upper()):
        tag = {"If-Match": f'"{article["version"]}"'}
        answer = editor.patch(f"/v1/articles/{key}", json={"summary": mark()}, headers=tag)
        assert answer.status_code == 200, answer.text
        assert answer.json()["id"] == article["id"]
        assert editor.patch(f"/v1/articles/{key}", json={}, headers=tag).status_code == 412
        assert editor.patch(f"/v1/articles/{key}", json={}).status_code == 428
        article = answer.json()
    address = f"/v1/articles/{article['slug']}"
    assert editor.post(f"{address}/publish").json()["status"] == "published"
    assert editor.post(f"{address}/corrections", json={"text": "Four lanes."}).status_code == 201
    assert editor.post(f"{address}/unpublish").json()["status"] == "draft"
    assert editor.delete(address, headers={"If-Match": "*"}).status_code == 204
    assert editor.get(address).status_code == 410
    assert editor.post(f"{address}/restore").status_code == 200
    assert editor.post(f"{address}/withdraw", json={"reason": "Wrong."}).json()["status"] == "withdrawn"


@pytest.mark.parametrize("action", ["", "/publish", "/unpublish", "/restore"])
def test_a_slug_that_no_article_has_had_is_not_found(editor: httpx.Client, action: str) -> None:
    method = "POST" if action else "DELETE"
    problem(editor.request(method, f"/v1/articles/{mark()}{action}", headers={"If-Match": "*"}), 404)
