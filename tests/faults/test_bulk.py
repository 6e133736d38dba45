"""A fault of the store's ends a bulk write and says how far it came; none of it is taken for the items'
fault.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from service.bulk import results
from service.bulk.files import FileImport, How
from service.bulk.items import MOST_TOGETHER
from service.errors import ServiceError
from service.http.callers import Caller
from service.scopes import Scope
from tests import postgres
from tests.articles.newsroom import mark, problem
from tests.databases import migrate
from tests.faults.breaking import SmallDisk, locked
from tests.serving import EDITOR, ORIGIN, Store, running, settings_for

PATH = "/v1/articles/bulk"
WRITER = Caller(name="wire", scopes=frozenset({Scope.CONTENT_WRITE}))
Items = list[dict[str, Any]]


def items(count: int) -> Items:
    stem, text = mark(), "The lamp of the north pier was lit again. " * 50
    return [
        {
            "source": "coast.example",
            "external_id": f"{stem}-{number}",
            "headline": f"Buoy {number}",
            "body": [{"type": "paragraph", "html": text}],
        }
        for number in range(count)
    ]


def lines(some: Items) -> bytes:
    return b"".join(orjson.dumps(item) + b"\n" for item in some)


def send(store: Store, some: Items, between: Callable[[], object] = lambda: None) -> httpx.Response:
    """Send items as NDJSON; something happens when the first batch of them has been written."""
    token = store.token("content:write")

    async def pieces() -> AsyncIterator[bytes]:
        yield lines(some[:MOST_TOGETHER])
        between()
        yield lines(some[MOST_TOGETHER:])

    async def post() -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
        transport = httpx.ASGITransport(store.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as client:
            return await client.post(PATH, content=pieces())

    return store.portal.call(post)


def statuses(answer: httpx.Response) -> list[int]:
    return [orjson.loads(line)["status"] for line in answer.content.splitlines()]


def lock(store: Store, _disk: SmallDisk) -> AbstractContextManager[None]:
    return locked(store.settings, "article")


def fill(store: Store, disk: SmallDisk) -> AbstractContextManager[None]:
    return disk.full(store.settings, "article")


@pytest.mark.parametrize(
    ("breaks", "status", "kind"), [(lock, 503, "unavailable"), (fill, 507, "storage-full")]
)
def test_what_was_written_is_told_and_the_rest_is_sent_again(
    store: Store,
    disk: SmallDisk,
    breaks: Callable[[Store, SmallDisk], AbstractContextManager[None]],
    status: int,
    kind: str,
) -> None:
    some = items(MOST_TOGETHER + 40)
    with ExitStack() as broken:
        answer = send(store, some, lambda: broken.enter_context(breaks(store, disk)))
        told = problem(answer, status, kind)
        assert answer.headers["retry-after"]
        assert told["first_unwritten"] == MOST_TOGETHER
        assert [result["status"] for result in told["items"]] == [201] * MOST_TOGETHER
    assert statuses(send(store, some[told["first_unwritten"] :])) == [201] * 40
    assert statuses(send(store, some)) == [200] * len(some)


def test_a_database_that_goes_away_ends_it(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        with running(settings_for(url, tmp_path)) as store:
            some = items(MOST_TOGETHER + 5)
            told = problem(send(store, some, server.stop), 503, "unavailable")
            assert (told["first_unwritten"], len(told["items"])) == (MOST_TOGETHER, MOST_TOGETHER)
            server.start()
            assert statuses(send(store, some)) == [200] * MOST_TOGETHER + [201] * 5


def test_a_file_goes_on_where_a_fault_of_the_stores_ended_it(
    store: Store, disk: SmallDisk, tmp_path: Path
) -> None:
    path = tmp_path / "wire.ndjson"
    path.write_bytes(lines(items(2 * MOST_TOGETHER + 3)))
    bringing = FileImport(store.database, WRITER, path, How())
    with ExitStack() as broken, pytest.raises(ServiceError, match=rf"\b{MOST_TOGETHER} items are done with"):
        bringing.run(lambda _: None, lambda done: done and broken.enter_context(fill(store, disk)))
    tally = bringing.run(lambda _: None, lambda _: None)
    assert (tally.before, tally.made, tally.refused) == (MOST_TOGETHER, MOST_TOGETHER + 3, 0)


def test_results_have_a_bound_and_what_is_beyond_it_is_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "MOST_BYTES", 2_000)
    monkeypatch.setattr(results, "PACKED_TOGETHER", 1_000)
    some = items(2 * MOST_TOGETHER)
    with store.client(*EDITOR) as editor:
        told = problem(editor.post(PATH, json=some), 413, "too-many-items")
        assert [result["index"] for result in told["items"]] == list(range(told["first_unwritten"]))
        assert told["first_unwritten"] < len(some)
