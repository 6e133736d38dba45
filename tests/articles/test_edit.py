"""PATCH /v1/articles/{id}."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from tests.articles.newsroom import draft, edit, if_match, mark, picture, pointers, problem, published
from tests.serving import Store


def test_only_what_is_named_changes(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, summary="Before", tags=["a"])
    after = edit(editor, article, headline="After")
    same = set(article) - {"headline", "version", "updated_at"}
    assert {name: after[name] for name in same} == {name: article[name] for name in same}
    assert (after["headline"], after["version"]) == ("After", 2)
    assert client.get(f"/v1/articles/{article['id']}").json()["headline"] == "After"


def test_null_removes(editor: httpx.Client) -> None:
    article = draft(
        editor, summary="x", tags=["a"], authors=[{"name": "A"}], published_at="2020-01-01T00:00:00Z"
    )
    after = edit(editor, article, summary=None, tags=None, authors=None, published_at=None)
    assert (after["summary"], after["tags"], after["authors"], after["published_at"]) == (None, [], [], None)


@pytest.mark.parametrize(
    "media_type", ["application/merge-patch+json", "application/json", "application/json; charset=utf-8"]
)
def test_a_merge_patch_may_say_so(editor: httpx.Client, media_type: str) -> None:
    article = draft(editor)
    headers = {**if_match(article), "Content-Type": media_type}
    assert (
        editor.patch(f"/v1/articles/{article['id']}", content='{"summary": "x"}', headers=headers).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"headline": None}, "/headline"),
        ({"headline": ""}, "/headline"),
        ({"unknown": None}, "/unknown"),
        ({"unknown": 1}, "/unknown"),
        ({"body": [{"type": "paragraph", "html": 1}]}, "/body/0/html"),
        ({"tags": ["a", None]}, "/tags/1"),
        ({"slug": "No Slug"}, "/slug"),
        ({"slug": str(uuid4())}, "/slug"),
        ({"status": "live"}, "/status"),
        ({"embargoed_until": 1e300}, "/embargoed_until"),
        ({"lead_image_id": str(uuid4())}, "/lead_image_id"),
        ({"body": [{"type": "embed", "url": "https://a.example"}]}, "/body/0/url"),
        ({"a": {"b": [1]}}, "/a"),
        ({"headline": "\x00"}, "/headline"),
        ({"version": None}, "/version"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    editor: httpx.Client, patch: dict[str, object], pointer: str
) -> None:
    article = draft(editor, slug=mark())
    content = json.dumps({"summary": "Never kept", **patch})
    headers = {**if_match(article), "Content-Type": "application/json"}
    assert pointer in pointers(
        editor.patch(f"/v1/articles/{article['id']}", content=content, headers=headers)
    )
    assert editor.get(f"/v1/articles/{article['id']}").json() == article


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null"])
def test_a_patch_is_an_object(editor: httpx.Client, body: str) -> None:
    article = draft(editor)
    headers = {**if_match(article), "Content-Type": "application/json"}
    problem(editor.patch(f"/v1/articles/{article['id']}", content=body, headers=headers), 422)


def test_an_edit_needs_the_version_that_was_read(editor: httpx.Client) -> None:
    article = draft(editor)
    address = f"/v1/articles/{article['id']}"
    problem(editor.patch(address, json={"headline": "x"}), 428)
    later = edit(editor, article, headline="Second")
    assert (
        problem(editor.patch(address, json={"headline": "x"}, headers=if_match(article)), 412)[
            "current_version"
        ]
        == later["version"]
    )
    assert (
        editor.patch(address, json={"headline": "Third"}, headers={"If-Match": "*"}).json()["headline"]
        == "Third"
    )


def test_of_two_edits_of_one_version_one_is_kept(editor: httpx.Client) -> None:
    for _ in range(5):
        article, ready = draft(editor), threading.Barrier(4)

        def change(n: int, article: dict[str, object] = article, ready: threading.Barrier = ready) -> int:
            ready.wait()
            body = {"headline": f"Edit {n}", "slug": mark()}
            return editor.patch(
                f"/v1/articles/{article['id']}", json=body, headers=if_match(article)
            ).status_code

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(change, range(4))) == [200, 412, 412, 412]
        assert editor.get(f"/v1/articles/{article['id']}").json()["version"] == 2


@pytest.mark.slow
def test_edits_of_many_articles_at_once_that_show_the_same_pictures_all_succeed(editor: httpx.Client) -> None:
    images = [editor.post("/v1/images", json={"credit_line": mark()}).json()["id"] for _ in range(3)]
    articles = [published(editor, headline=f"Shared {n}") for n in range(8)]

    def change(place: int) -> list[int]:
        answers = []
        for turn in range(4):
            order = images[::-1] if (place + turn) % 2 else images
            body = {
                "body": [{"type": "image", "image_id": image} for image in order],
                "lead_image_id": order[0],
            }
            answers.append(
                editor.patch(
                    f"/v1/articles/{articles[place]['id']}", json=body, headers={"If-Match": "*"}
                ).status_code
            )
            caption = {
                "image_id": order[turn % 3],
                "text": "x",
                "article_id": articles[place]["id"],
                "language": ["de", "fr", "it", "es"][turn],
            }
            answers.append(editor.post("/v1/captions", json=caption).status_code)
        return answers

    with ThreadPoolExecutor(8) as pool:
        assert [set(answers) for answers in pool.map(change, range(8))] == [{200, 201}] * 8


def test_an_edit_needs_its_scope_and_an_article(
    client: httpx.Client, store: Store, editor: httpx.Client
) -> None:
    article = draft(editor)
    problem(
        client.patch(f"/v1/articles/{article['id']}", json={"headline": "x"}, headers={"If-Match": '"9"'}),
        401,
    )
    with store.client("content:read") as reader:
        problem(
            reader.patch(
                f"/v1/articles/{article['id']}", json={"headline": "x"}, headers={"If-Match": '"9"'}
            ),
            403,
        )
    problem(editor.patch(f"/v1/articles/{uuid4()}", json={"headline": "x"}, headers={"If-Match": "*"}), 404)
    problem(editor.patch("/v1/articles/no-such-slug", json={"headline": "x"}, headers={"If-Match": "*"}), 404)


def test_an_edit_that_keeps_its_pictures_renames_their_uses_and_rewrites_none(
    store: Store, editor: httpx.Client
) -> None:
    shown = picture(editor)["id"]
    body = [{"type": "image", "image_id": shown}]
    article = draft(editor, body=body)
    writes: list[str] = []

    def note(connection, _cursor, statement, *_) -> None:
        is_of_uses = "image_use" in statement or "image_past_use" in statement
        # Jobs that run beside it read uses, too, and so do other stores.
        is_here = connection.engine.url == store.database.engine.url
        if is_here and is_of_uses and not statement.startswith("SELECT"):
            writes.append(statement.split()[0])

    listen(Engine, "before_cursor_execute", note)
    try:
        more = [*body, {"type": "paragraph", "html": "The line opens on Monday."}]
        article = edit(editor, article, headline="The tram runs", body=more)
    finally:
        remove(Engine, "before_cursor_execute", note)
    assert writes == ["UPDATE"]
    (use,) = editor.get(f"/v1/images/{shown}/uses").json()["items"]
    assert (use["headline"], use["article_id"]) == ("The tram runs", article["id"])
    edit(editor, article, body=more[1:])
    assert editor.get(f"/v1/images/{shown}/uses").json()["items"] == []
