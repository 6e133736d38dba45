"""Many who ask at once are answered with few statements, and each gets the answer that it would get alone."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from starlette.types import Message

from service.edge.cache import WireCache
from service.faults import DATABASE_FAULTS
from service.published import answers
from service.published.reader import PostgresReader
from service.published.together import Together
from tests.articles.newsroom import published
from tests.edge.asking import cache_of, scope_of
from tests.images.pictures import make_caption, make_image
from tests.serving import EDITOR, Store

Answer = tuple[int, bytes]


async def asked(app: WireCache, path: str) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of("GET", path), receive, send)
    return sent[0]["status"], sent[1]["body"]


async def asked_at_once(app: WireCache, paths: Sequence[str]) -> dict[str, Answer]:
    app.forget()
    return dict(zip(paths, await asyncio.gather(*(asked(app, path) for path in paths)), strict=True))


async def asked_in_turn(app: WireCache, paths: Sequence[str]) -> dict[str, Answer]:
    app.forget()
    return {path: await asked(app, path) for path in paths}


def addresses(store: Store) -> list[str]:
    """Return addresses of three articles by slug and id, of a picture with its caption, and of nothing."""
    with store.client(*EDITOR) as editor:
        image = make_image(editor)
        caption = make_caption(editor, image)
        articles = [published(editor, lead_image_id=image["id"]) for _ in range(3)]
    return [
        *(f"/v1/articles/{article[name]}" for article in articles for name in ("slug", "id")),
        f"/v1/articles/{articles[0]['id'].upper()}",
        f"/v1/images/{image['id']}",
        f"/v1/captions/{caption['id']}",
        f"/v1/images/{articles[0]['id']}",
        f"/v1/articles/{image['id']}",
        "/v1/articles/there-is-none",
    ]


def test_who_asks_beside_others_gets_what_it_gets_alone(store: Store) -> None:
    app, paths = cache_of(store), addresses(store)
    alone = store.portal.call(asked_in_turn, app, paths)
    assert {status for status, _ in alone.values()} == {200, 404}
    assert store.portal.call(asked_at_once, app, paths) == alone


def test_what_is_asked_for_at_once_is_read_with_fewer_statements(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, paths = cache_of(store), addresses(store)
    reader = app._reader
    if not isinstance(reader, PostgresReader):
        return  # SQLite is in this process: a statement more costs nothing more.
    store.portal.call(asked_at_once, app, paths)
    told, rows = list[str](), reader._rows

    async def noting(statement: str, values: Sequence[Any]) -> list[Any]:
        told.append(statement)
        return await rows(statement, values)

    monkeypatch.setattr(reader, "_rows", noting)
    store.portal.call(asked_at_once, app, paths)
    assert len([statement for statement in told if "asked" in statement]) < len(paths)


def test_an_article_whose_pictures_have_no_end_is_not_looked_through_for_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, paths = cache_of(store), addresses(store)
    before = store.portal.call(asked_in_turn, app, paths)

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(answers, "without", refuse)
    assert store.portal.call(asked_in_turn, app, paths) == before


class Library:
    """Finds every key but those that it is told to fail for, and notes what it was asked."""

    def __init__(self, faults: Mapping[int, Exception]) -> None:
        self.faults = faults
        self.told: list[list[int]] = []
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def ask(self, _: str, keys: Sequence[int]) -> dict[int, int]:
        self.told.append(list(keys))
        self.is_asked.set()
        await self.may_answer.wait()
        for key in keys:
            if key in self.faults:
                raise self.faults[key]
        return {key: -key for key in keys}


async def found(
    library: Library, keys: Sequence[int], leaves: int | None = None
) -> list[int | BaseException]:
    """Ask for keys at once; one of those who ask may leave before there is an answer."""
    together = Together(library.ask)
    asking = [asyncio.create_task(together.find("question", key)) for key in keys]
    await library.is_asked.wait()
    if leaves is not None:
        asking[leaves].cancel()
    library.may_answer.set()
    return await asyncio.gather(*asking, return_exceptions=True)


@pytest.mark.parametrize("fault", [psycopg.DataError("no such text"), UnicodeError("half a pair")])
def test_a_key_that_the_database_cannot_hold_spoils_the_answer_to_no_other(fault: Exception) -> None:
    async def ask() -> None:
        library = Library({3: fault})
        assert await found(library, range(1, 6)) == [-1, -2, fault, -4, -5]

    asyncio.run(ask())


def test_a_database_that_is_away_is_asked_once_for_all() -> None:
    async def ask() -> None:
        away = psycopg.OperationalError("gone")
        library = Library({3: away})
        assert isinstance(away, DATABASE_FAULTS)
        assert await found(library, range(1, 6)) == [away] * 5
        assert library.told == [[1, 2, 3, 4, 5]]

    asyncio.run(ask())


@pytest.mark.parametrize("leaves", [0, 2, 4])
def test_a_reader_who_leaves_takes_the_answer_from_nobody(leaves: int) -> None:
    async def ask() -> None:
        got = await found(Library({}), [1, 2, 2, 3, 4], leaves)
        assert isinstance(got.pop(leaves), asyncio.CancelledError)
        rest = [-1, -2, -2, -3, -4]
        del rest[leaves]
        assert got == rest

    asyncio.run(ask())
