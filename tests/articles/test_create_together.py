"""Articles that arrive at the same time share a transaction, and nobody can tell."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from tests.articles.newsroom import mark, picture, pointers, problem
from tests.serving import Store

Post = Callable[[], httpx.Response]


def at_once(posts: Sequence[Post]) -> list[httpx.Response]:
    """Their answers, in order."""
    ready = threading.Barrier(len(posts))

    def go(post: Post) -> httpx.Response:
        ready.wait()
        return post()

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(go, posts))


def posting(editor: httpx.Client, **members: object) -> Post:
    """A request to create an article."""
    return lambda: editor.post("/v1/articles", json={"headline": "Lighthouse lamp relit", **members})


def test_articles_that_arrive_together_are_written_together(editor: httpx.Client) -> None:
    answers = at_once([posting(editor, tags=[mark()]) for _ in range(24)])
    articles = [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {201}
    assert (
        len({article["id"] for article in articles}) == len({article["slug"] for article in articles}) == 24
    )
    # Those of one transaction have one time.
    assert len({article["updated_at"] for article in articles}) < 24


@pytest.mark.slow
def test_each_is_answered_with_its_own_article(editor: httpx.Client) -> None:
    words = [mark() for _ in range(16)]
    answers = at_once([posting(editor, headline=word, lead_image_id=picture(editor)["id"]) for word in words])
    for word, answer in zip(words, answers, strict=True):
        article = answer.json()
        assert (article["headline"], article["slug"]) == (word, word)
        assert answer.headers["location"] == f"/v1/articles/{article['id']}"
        assert editor.get(answer.headers["location"]).content == answer.content


def test_one_that_is_refused_spoils_no_other(editor: httpx.Client) -> None:
    nowhere = str(uuid4())
    posts = [
        posting(editor, **({"lead_image_id": nowhere} if number % 3 == 0 else {})) for number in range(18)
    ]
    answers = at_once(posts)
    for number, answer in enumerate(answers):
        assert answer.status_code == (422 if number % 3 == 0 else 201)
    assert pointers(answers[0]) == ["/lead_image_id"]


def test_of_those_with_one_external_id_one_is_made_and_the_others_are_told_which(
    editor: httpx.Client,
) -> None:
    answers = at_once(
        [
            posting(editor, source="northern-wire", external_id=name)
            for name in [mark(), mark()]
            for _ in range(8)
        ]
    )
    for same in (answers[:8], answers[8:]):
        (made,) = (answer.json() for answer in same if answer.status_code == 201)
        for answer in same:
            if answer.status_code != 201:
                assert problem(answer, 409, "external-id-taken")["id"] == made["id"]


def test_each_is_made_in_the_name_and_with_the_rights_of_its_own_caller(
    store: Store, editor: httpx.Client
) -> None:
    with (
        store.client("content:write", name="night desk") as night,
        store.client("content:write", "content:publish", name="day desk") as day,
    ):
        answers = at_once([posting(desk, status="published") for _ in range(8) for desk in (night, day)])
    for refused, made in zip(answers[::2], answers[1::2], strict=True):
        assert problem(refused, 403, "forbidden")["scope"] == "content:publish"
        (version,) = editor.get(f"/v1/articles/{made.json()['id']}/versions").json()["items"]
        assert version["actor"] == "day desk"


def test_an_answer_with_a_key_is_kept_with_its_article(editor: httpx.Client) -> None:
    keys = [uuid4().hex for _ in range(12)]
    posts = [
        lambda key=key: editor.post(
            "/v1/articles", json={"headline": f"Tide {key}"}, headers={"Idempotency-Key": key}
        )
        for key in keys
    ]
    first, again = at_once(posts), at_once(posts)
    for answer, replay in zip(first, again, strict=True):
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)
        assert (replay.content, replay.headers["idempotent-replayed"]) == (answer.content, "true")


def test_a_create_reads_its_pictures_once_and_locks_them_where_others_write_meanwhile(
    editor: httpx.Client, store: Store
) -> None:
    shown = picture(editor)["id"]
    reads: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        if "FROM image \nWHERE image.id IN" in statement:
            reads.append(statement)

    listen(Engine, "before_cursor_execute", note)
    try:
        made = posting(editor, lead_image_id=shown)()
    finally:
        remove(Engine, "before_cursor_execute", note)
    assert made.status_code == 201
    assert len(reads) == (1 if store.database.is_sqlite else 2)
    assert [use["article_id"] for use in editor.get(f"/v1/images/{shown}/uses").json()["items"]] == [
        made.json()["id"]
    ]
