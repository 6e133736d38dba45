"""Each form of an article has an address of its own, which answers as `?format=` does."""

import httpx
import pytest

from tests.articles.newsroom import do, draft, edit, problem, published
from tests.sharing import store

__all__ = ["store"]
FORMS = {"ninjs": "application/ninjs+json", "jsonld": "application/ld+json"}


@pytest.mark.parametrize("form", FORMS)
def test_an_address_has_one_form_whatever_is_accepted(
    editor: httpx.Client, client: httpx.Client, form: str
) -> None:
    article = published(editor, summary="After a winter of repairs.")
    asked = client.get(f"/v1/articles/{article['id']}?format={form}")
    for address in (f"/v1/articles/{article['id']}/{form}", f"/v1/articles/{article['slug']}/{form}"):
        for accept in ("*/*", "application/json", *FORMS.values()):
            answer = client.get(address, headers={"Accept": accept})
            assert (answer.status_code, answer.headers["content-type"]) == (200, FORMS[form])
            assert answer.content == asked.content
            assert answer.headers["etag"] == asked.headers["etag"]
            assert "public" in answer.headers["cache-control"]
    unchanged = client.get(address, headers={"If-None-Match": asked.headers["etag"]})
    assert unchanged.status_code == 304
    problem(client.get(f"{address}?format=json"), 400, "unknown-parameter")


@pytest.mark.parametrize("form", FORMS)
def test_an_address_shows_what_readers_may_see(editor: httpx.Client, client: httpx.Client, form: str) -> None:
    hidden = draft(editor, headline="Not yet")
    problem(client.get(f"/v1/articles/{hidden['id']}/{form}"), 404)
    seen = editor.get(f"/v1/articles/{hidden['id']}/{form}")
    assert "Not yet" in seen.text
    assert seen.headers["cache-control"] == "private, no-store"
    article = published(editor, summary="After a winter of repairs.")
    address = f"/v1/articles/{article['slug']}/{form}"
    assert client.get(address).status_code == 200
    edit(editor, article, headline="Bridge closes again", slug=f"closed-{form}-{article['id'][-8:]}")
    moved = f"/v1/articles/closed-{form}-{article['id'][-8:]}/{form}"
    for caller in (client, editor):
        answer = caller.get(address)
        assert (answer.status_code, answer.headers["location"]) == (308, moved)
        assert "Bridge closes again" in caller.get(moved).text
    do(editor, article, "withdraw", reason="It named the wrong person.")
    gone = client.get(moved)
    assert gone.status_code == 410
    assert "It named the wrong person." in gone.text
    assert gone.headers["content-type"] == (FORMS[form] if form == "ninjs" else "application/problem+json")
