"""POST /v1/articles/{id}/withdraw."""

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
    pointers,
    problem,
    published,
    trash,
)

REASON = "It named the wrong person.\nRemove every copy — 記事を削除"


def test_a_withdrawn_article_is_gone_from_every_surface_with_its_reason(
    client: httpx.Client, editor: httpx.Client
) -> None:
    word, image = mark(), picture(editor)["id"]
    first = published(editor, headline=f"Wrong {word}", section=word, lead_image_id=image)
    article = edit(editor, first, slug=mark())
    killed = do(editor, article, "withdraw", reason=REASON)
    assert (killed["status"], killed["version"]) == ("withdrawn", 3)
    for address in (
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['slug']}",
        f"/v1/articles/{first['slug']}",
    ):
        for form in ("", "?body=html"):
            found = problem(client.get(address + form), 410, "withdrawn")
            assert (found["reason"], REASON in found["detail"]) == ("withdrawn", True)
    for query in (f"q={word}", f"section={word}", f"image_id={image}"):
        assert ids(client.get(f"/v1/articles?{query}")) == []
    problem(client.get(f"/v1/images/{image}"), 404)
    assert editor.get(f"/v1/articles/{article['id']}").json() == killed


def test_nothing_brings_it_back(editor: httpx.Client) -> None:
    article = do(editor, published(editor), "withdraw", reason="Wrong.")
    for action, body in (
        ("publish", None),
        ("unpublish", None),
        ("withdraw", {"reason": "x"}),
        ("corrections", {"text": "x"}),
    ):
        found = problem(
            editor.post(f"/v1/articles/{article['id']}/{action}", json=body), 409, "article-withdrawn"
        )
        assert found["article_status"] == "withdrawn"
    restored = editor.post(f"/v1/articles/{article['id']}/versions/1/restore")
    assert restored.json()["status"] == "withdrawn"
    problem(
        editor.patch(f"/v1/articles/{article['id']}", json={"headline": "x"}, headers=if_match(article)), 409
    )


def test_it_can_be_trashed_and_restored_as_withdrawn(client: httpx.Client, editor: httpx.Client) -> None:
    article = do(editor, published(editor), "withdraw", reason="Wrong.")
    trash(editor, article)
    assert problem(client.get(f"/v1/articles/{article['id']}"), 410, "withdrawn")["reason"] == "withdrawn"
    assert do(editor, article, "restore")["status"] == "withdrawn"
    assert problem(client.get(f"/v1/articles/{article['id']}"), 410, "withdrawn")["reason"] == "withdrawn"


def test_what_was_never_public_is_not_withdrawn(client: httpx.Client, editor: httpx.Client) -> None:
    article = draft(editor)
    found = problem(
        editor.post(f"/v1/articles/{article['id']}/withdraw", json={"reason": "x"}), 409, "wrong-state"
    )
    assert found["article_status"] == "draft"
    once = do(editor, published(editor), "unpublish")
    do(editor, once, "withdraw", reason="Copies are still about.")
    problem(client.get(f"/v1/articles/{once['id']}"), 410, "withdrawn")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "\u200b"},
        {"reason": None},
        {"reason": "\x00"},
        {"reason": 1},
        {"reason": "x" * 20_001},
    ],
)
def test_a_reason_is_needed(editor: httpx.Client, body: dict[str, object]) -> None:
    article = published(editor)
    assert pointers(editor.post(f"/v1/articles/{article['id']}/withdraw", json=body)) == ["/reason"]
    assert editor.get(f"/v1/articles/{article['id']}").json() == article
