"""Sixteen who ask at once for the same have it made once, and nobody gets an answer of before a change."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from anyio import sleep_forever
from starlette.types import Message, Receive, Scope, Send

from service.edge import cache as edge_cache
from service.edge import flights
from service.edge.cache import WireCache
from service.edge.entries import CacheEntry
from service.edge.flights import Flight, Flights, StillBeingMade
from service.edge.making import AT_ONCE
from service.published.answers import DEPENDS
from tests.articles.newsroom import published
from tests.databases import KINDS
from tests.edge.asking import cache_of, scope_of
from tests.patience import PATIENCE
from tests.serving import EDITOR, Store, serving

LISTS = [
    ("/v1/articles", "count=true"),
    ("/v1/articles", "q=bridge"),
    ("/v1/articles", "limit=200&body=html"),
    ("/v1/images", "count=true"),
    ("/feeds/rss.xml", ""),
    ("/sitemaps/index.xml", ""),
    ("/", ""),
]
ASKERS = 16


@pytest.fixture(params=KINDS)
def forgetful(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store that keeps no answer."""
    with serving(request.param, tmp_path, sqlite_template, cache_bytes=0) as store:
        yield store


async def asked(app: WireCache, path: str, query: str = "") -> tuple[int, bytes]:
    """Ask as one client, and return status and body."""
    sent: list[Message] = []
    requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if not requests:
            await sleep_forever()
        return requests.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of("GET", path, query), receive, send)
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


async def all_asked(app: WireCache, path: str, query: str = "") -> Counter[tuple[int, bytes]]:
    return Counter(await asyncio.gather(*(asked(app, path, query) for _ in range(ASKERS))))


async def until_waiting(app: WireCache, count: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while app.flights.waiting < count:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("path", "query"), LISTS)
def test_sixteen_who_ask_at_once_have_it_made_once_though_it_is_not_kept(
    forgetful: Store, path: str, query: str
) -> None:
    with forgetful.client(*EDITOR) as editor:
        published(editor)
    app = cache_of(forgetful)
    forgetful.portal.call(asked, app, "/v1/captions")  # so that it knows of what was published
    before = app.misses
    answers = forgetful.portal.call(all_asked, app, path, query)
    assert [status for status, _ in answers] == [200]
    assert app.misses == before + 1
    assert len(app.entries) == 0


def test_an_article_or_a_plain_list_is_read_once_for_all(store: Store) -> None:
    with store.client(*EDITOR) as editor:
        slug = published(editor)["slug"]
    for path in (f"/v1/articles/{slug}", "/v1/articles/there-is-none", "/v1/articles", "/v1/images"):
        app = cache_of(store)
        before = app.misses
        assert len(store.portal.call(all_asked, app, path)) == 1
        assert app.misses == before + 1


def test_each_who_asks_for_what_is_refused_is_told(store: Store) -> None:
    answers = store.portal.call(all_asked, cache_of(store), "/v1/articles", "colour=red")
    assert [(status, count) for (status, _), count in answers.items()] == [(400, ASKERS)]


@pytest.mark.slow
def test_a_reader_who_asks_after_a_write_never_waits_for_an_answer_of_before(store: Store) -> None:
    """Others ask all the time, so that there is an answer in the making whenever a write is done."""
    done = Event()
    path, query = "/v1/articles", "section=Quay&limit=200"

    def ask_on() -> None:
        while not done.is_set():
            store.portal.call(all_asked, cache_of(store), path, query)

    with store.client(*EDITOR) as editor, ThreadPoolExecutor(2) as beside:
        others = [beside.submit(ask_on) for _ in range(2)]
        try:
            for number in range(25):
                published(editor, headline=f"Quay {number}", section="Quay")
                for status, body in store.portal.call(all_asked, cache_of(store), path, query):
                    assert status == 200
                    assert f'"Quay {number}"'.encode() in body
        finally:
            done.set()
        for other in others:
            other.result()
    assert cache_of(store).flights.shared


def test_a_reader_who_has_no_answer_to_lose_does_not_wait_for_what_has_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, path = cache_of(store), "/v1/articles"
    monkeypatch.setattr(edge_cache, "LOOKS_EVERY", PATIENCE)
    with store.client(*EDITOR) as editor:
        published(editor, section="Quay")
        assert store.portal.call(asked, app, path, "section=Quay")[0] == 200
        published(editor, headline="Another", section="Quay")
    since = app._seq
    status, body = store.portal.call(asked, app, path, "section=Quay&limit=7")
    assert (status, app._seq) == (200, since)
    assert b'"Another"' in body
    # The list that was there is made anew, and so are the changes known.
    assert b'"Another"' in store.portal.call(asked, app, path, "section=Quay")[1]
    assert app._seq > since


def test_what_is_made_before_a_change_is_known_is_dropped_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, path, query = cache_of(store), "/v1/articles", "section=Pier&limit=7"
    monkeypatch.setattr(edge_cache, "LOOKS_EVERY", PATIENCE)
    with store.client(*EDITOR) as editor:
        store.portal.call(asked, app, "/v1/captions")
        for number in range(3):
            published(editor, headline=f"Pier {number}", section="Pier")
            assert f'"Pier {number}"'.encode() in store.portal.call(asked, app, path, query)[1]


def test_changes_do_not_pile_up_while_nobody_has_an_answer_to_lose(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = cache_of(store)
    monkeypatch.setattr(edge_cache, "LOOKS_EVERY", 0)
    with store.client(*EDITOR) as editor:
        store.portal.call(asked, app, "/v1/captions")
        since = app._seq
        published(editor)
        store.portal.call(asked, app, "/v1/articles", "limit=9")
    assert app._seq > since


def test_when_the_first_client_goes_the_next_has_it_made(forgetful: Store) -> None:
    app = cache_of(forgetful)

    async def first_goes() -> tuple[list[tuple[int, bytes]], int]:
        before = app.misses
        held = [app.making.turn(scope_of("GET", "/v1/articles", "limit=200")) for _ in range(AT_ONCE)]
        for turn in held:
            await turn.__aenter__()
        try:
            asking = [asyncio.create_task(asked(app, "/v1/articles", "limit=200")) for _ in range(ASKERS)]
            await until_waiting(app, ASKERS - 1)
            asking[0].cancel()
            await asyncio.wait(asking[:1])
        finally:
            for turn in held:
                await turn.__aexit__(None, None, None)
        return await asyncio.gather(*asking[1:]), app.misses - before

    answers, made = forgetful.portal.call(first_goes)
    assert [status for status, _ in answers] == [200] * (ASKERS - 1)
    assert made == 2


def test_all_who_wait_get_the_same_503(store: Store) -> None:
    """The router is one that answers when it is told to; everything before it is as in the service."""
    app = cache_of(store)
    calls, go_on = 0, asyncio.Event()

    async def refusing(scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal calls
        calls += 1
        scope[DEPENDS].add("article:*")
        await go_on.wait()
        headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"2")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": b"away"})

    async def all_wait() -> list[tuple[int, bytes]]:
        layer = WireCache(refusing, refusing, store.settings, app._reader, app._watch)
        asking = [asyncio.create_task(asked(layer, "/v1/articles")) for _ in range(ASKERS)]
        await until_waiting(layer, ASKERS - 1)
        go_on.set()
        answers = await asyncio.gather(*asking)
        assert len(layer.entries) == 0
        return answers

    assert store.portal.call(all_wait) == [(503, b"away")] * ASKERS
    assert calls == 1


KEY = ("/v1/articles", b"")
ENTRY = CacheEntry(200, [], b"", None)


async def never_made(_: Flight) -> CacheEntry | None:
    await sleep_forever()
    return None


async def made(_: Flight) -> CacheEntry | None:
    return ENTRY


def test_waiting_has_an_end() -> None:
    async def wait() -> None:
        under_way = Flights(0.01)
        first = asyncio.create_task(under_way.once(KEY, lambda: 0, never_made))
        await asyncio.sleep(0)
        with pytest.raises(StillBeingMade):
            await under_way.once(KEY, lambda: 0, made)
        assert under_way.waiting == 0
        first.cancel()

    asyncio.run(wait())


def test_a_bounded_number_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "MOST_WAITING", 3)

    async def wait() -> list[str]:
        under_way = Flights(PATIENCE)
        leave = asyncio.Event()

        async def make(_: Flight) -> CacheEntry | None:
            await leave.wait()
            return ENTRY

        asking = [asyncio.create_task(under_way.once(KEY, lambda: 0, make)) for _ in range(6)]
        await asyncio.sleep(0)
        leave.set()
        return [type(each).__name__ for each in await asyncio.gather(*asking, return_exceptions=True)]

    assert Counter(asyncio.run(wait())) == {"CacheEntry": 4, "StillBeingMade": 2}


def test_who_knows_of_a_change_waits_for_no_answer_of_before() -> None:
    async def ask() -> int:
        under_way, begun = Flights(PATIENCE), 0

        async def read(flight: Flight) -> CacheEntry | None:
            nonlocal begun
            begun += 1
            flight.read_at = changes
            await asyncio.sleep(0.01)
            return ENTRY

        changes = 1
        of_before = [asyncio.create_task(under_way.once(KEY, lambda: changes, read)) for _ in range(2)]
        await asyncio.sleep(0)
        changes = 2
        later = [asyncio.create_task(under_way.once(KEY, lambda: changes, read)) for _ in range(2)]
        await asyncio.gather(*of_before, *later)
        return begun

    assert asyncio.run(ask()) == 2
