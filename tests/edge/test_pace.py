"""Thousands of addresses that are asked for at once are each made once, some at a time, and others are answered
in between.
"""

import asyncio
from collections import Counter

import psycopg
import pytest
from starlette.types import Message

from service.edge.cache import WireCache
from service.edge.pace import EACH_TURN, Pace
from service.published.answers import Row
from service.published.models import Kind
from tests.articles.newsroom import published
from tests.edge.asking import cache_of, scope_of
from tests.serving import EDITOR, Store

ADDRESSES = 600


async def asked(app: WireCache, path: str) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of("GET", path), receive, send)
    return sent[0]["status"]


class Counting:
    """Counts what is read between two turns of the loop, and how many reads there are at a time."""

    def __init__(self, app: WireCache, patched: pytest.MonkeyPatch) -> None:
        self.reads = self.most = self.in_turn = self.most_in_turn = self.now = 0
        self._find = app._reader.find
        patched.setattr(app._reader, "find", self.find)

    async def find(self, kind: Kind, key: str) -> Row | None:
        self.reads += 1
        self.in_turn += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._find(kind, key)
        finally:
            self.now -= 1

    async def watch(self) -> None:
        while True:
            self.most_in_turn = max(self.most_in_turn, self.in_turn)
            self.in_turn = 0
            await asyncio.sleep(0)


def test_a_cold_cache_makes_each_answer_once_and_others_are_answered_in_between(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.client(*EDITOR) as editor:
        slug = published(editor)["slug"]
    app = cache_of(store)
    store.portal.call(asked, app, "/v1/articles")
    counting, before = Counting(app, monkeypatch), app.misses
    paths = [f"/v1/articles/{slug}", *(f"/v1/articles/none-{number}" for number in range(ADDRESSES - 1))]

    async def together() -> tuple[Counter[int], bool]:
        watching = asyncio.create_task(counting.watch())
        asking = [asyncio.create_task(asked(app, path)) for path in (*paths, *paths)]
        await asyncio.sleep(0)
        alive = await asked(app, "/health/live") == 200 and any(not one.done() for one in asking)
        statuses = Counter(await asyncio.gather(*asking))
        watching.cancel()
        return statuses, alive

    statuses, was_answered_in_between = store.portal.call(together)
    assert statuses == {200: 2, 404: 2 * (ADDRESSES - 1)}
    assert counting.reads == app.misses - before == ADDRESSES
    assert was_answered_in_between
    # Those that a turn has admitted begin in the next, beside the first that find room there.
    assert counting.most_in_turn <= 2 * EACH_TURN
    assert counting.most <= 2 * store.settings.database_pool_size
    assert app.pace.waiting == 0


def test_those_who_wait_come_in_the_order_in_which_they_asked() -> None:
    async def ask() -> list[int]:
        pace, came = Pace(2), list[int]()

        async def make(number: int) -> None:
            async with pace:
                await asyncio.sleep(0)
                came.append(number)

        asking = [asyncio.create_task(make(number)) for number in range(50)]
        await asyncio.sleep(0)
        asking[7].cancel()
        await asyncio.wait(asking)
        assert pace.waiting == 0
        return came

    assert asyncio.run(ask()) == [number for number in range(50) if number != 7]


def test_nobody_waits_behind_a_database_that_does_not_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = cache_of(store)
    store.portal.call(asked, app, "/v1/articles")

    async def fail(_: Kind, __: str) -> Row | None:
        await asyncio.sleep(0)
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(app._reader, "find", fail)

    async def together() -> tuple[Counter[int], int]:
        asking = [asyncio.create_task(asked(app, f"/v1/articles/none-{number}")) for number in range(100)]
        for _ in range(10):
            await asyncio.sleep(0)
        waiting = app.pace.waiting
        return Counter(await asyncio.gather(*asking)), waiting

    assert store.portal.call(together) == ({503: 100}, 0)
