"""How long a cursor leads on: as long as removals are kept, and in this store only."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update
from sqlmodel import col
from starlette.concurrency import run_in_threadpool

from service.published import feed
from service.published.feed import Batch, FollowerPlace, Head, Wanted
from service.published.models import Kind, Published, PublishedSequence, Reason
from service.published.reader import DatabaseReader
from service.published.render import lock_counter
from service.sync.batches import Follower
from service.sync.pruning import EVERY, Pruning, announce, forget
from tests.articles.newsroom import do, problem, published, trash
from tests.databases import KINDS
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import Store, serving
from tests.sync.following import follow, now_at, page


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store that keeps removals for five days."""
    with serving(
        request.param, tmp_path_factory.mktemp("store"), sqlite_template, tombstone_days=5
    ) as running_store:
        yield running_store


def prune(store: Store) -> int:
    """Announce what will be forgotten, and forget it; return how many tombstones that were."""
    numbers = announce(store.database)
    forget(store.database, numbers)
    return len(numbers)


def let_days_pass(store: Store, days: int) -> None:
    """Let everything have changed so much earlier."""
    with store.database.writing() as session:
        for row in session.execute(Published.metadata.tables["published"].select()).all():
            where = (col(Published.kind) == row.kind, col(Published.id) == row.id)
            session.execute(
                update(Published).where(*where).values(changed_at=row.changed_at - timedelta(days=days))
            )


def test_a_cursor_that_a_removal_was_forgotten_behind_must_start_again(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    kept, gone = published(editor), published(editor)
    killed = published(editor)
    before = now_at(client)
    trash(editor, gone)
    do(editor, killed, "withdraw", reason="It was wrong.")
    after = now_at(client)
    let_days_pass(store, 4)
    assert prune(store) == 0
    assert [entry["reason"] for entry in follow(client, before + "&wait=0")[0]] == ["deleted", "withdrawn"]
    let_days_pass(store, 2)
    assert prune(store) == 1
    assert prune(store) == 0
    refused = problem(client.get(before), 410, "start-again")
    assert follow(client, after)[0] == []
    copy = {entry["id"]: entry["op"] for entry in follow(client, refused["start"] + "&wait=0")[0]}
    assert copy == {kept["id"]: "put", killed["id"]: "remove"}
    assert client.get(f"/v1/articles/{killed['id']}").status_code == 410
    assert client.get(f"/v1/articles/{gone['id']}").status_code in (404, 410)


def test_a_first_synchronisation_outlasts_any_pruning(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    for _ in range(4):
        published(editor)
    gone = published(editor)
    trash(editor, gone)
    first = page(client, "/v1/changes?limit=1")
    let_days_pass(store, 6)
    assert prune(store) == 1
    second = page(client, first["next"])
    assert not second["caught_up"]
    assert follow(client, second["next"])[0] != []


def test_what_comes_back_after_it_was_forgotten_is_told(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    trash(editor, article)
    let_days_pass(store, 6)
    prune(store)
    since = now_at(client)
    do(editor, article, "restore")
    assert [entry["id"] for entry in follow(client, since)[0]] == [article["id"]]


def test_a_store_that_was_set_back_refuses_what_it_has_lost(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    published(editor)
    since = now_at(client)
    with store.database.writing() as session:
        session.execute(update(PublishedSequence).values(seq=PublishedSequence.seq - 1))
    problem(client.get(since + "&wait=1"), 410, "start-again")
    with store.database.writing() as session:
        session.execute(update(PublishedSequence).values(seq=PublishedSequence.seq + 1))


def forgotten_soon(store: Store, client: httpx.Client, editor: httpx.Client) -> tuple[str, str]:
    """Return a cursor behind which is a removal that is to be forgotten, and the id of what was removed."""
    gone = published(editor)
    before = now_at(client)
    trash(editor, gone)
    let_days_pass(store, 6)
    return before, gone["id"]


def test_a_removal_that_is_forgotten_between_two_batches_is_not_missed(
    store: Store, client: httpx.Client, editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = forgotten_soon(store, client, editor)
    take = Follower.take

    async def take_later(self: Follower, place: FollowerPlace, most: int | None = None) -> Batch:
        await run_in_threadpool(prune, store)
        return await take(self, place, most)

    monkeypatch.setattr(Follower, "take", take_later)
    refused = problem(client.get(before), 410, "start-again")
    assert refused["start"].startswith("/v1/changes")


def test_a_page_that_has_begun_is_whole_though_pruning_begins(
    store: Store, client: httpx.Client, editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, gone = forgotten_soon(store, client, editor)
    pruning, batch = Pruning(store.database), feed.batch

    async def read_later(
        reader: DatabaseReader, wanted: Wanted, place: FollowerPlace, head: Head, limit: int
    ) -> Batch:
        assert await pruning.step() < EVERY
        return await batch(reader, wanted, place, head, limit)

    with monkeypatch.context() as patched:
        patched.setattr(feed, "batch", read_later)
        assert [(entry["id"], entry["op"]) for entry in page(client, before)["items"]] == [(gone, "remove")]
    problem(client.get(before + "&wait=0"), 410, "start-again")
    assert store.portal.call(pruning.step) == 0.0
    assert store.portal.call(pruning.step) == EVERY
    assert gone not in {entry["id"] for entry in follow(client, "/v1/changes?limit=199")[0]}


def test_what_a_publisher_has_read_is_not_forgotten_before_it_is_written(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    if store.settings.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    _, gone = forgotten_soon(store, client, editor)
    numbers = announce(store.database)
    row = (col(Published.kind) == Kind.ARTICLE, col(Published.id) == UUID(gone))
    with ThreadPoolExecutor(1) as pool:
        with store.database.writing() as session:
            number = lock_counter(session) + 1
            forgetting = pool.submit(forget, store.database, numbers)
            wait_until(lambda: forgetting.done() or _waits(store))
            session.execute(update(Published).where(*row).values(seq=number, reason=Reason.WITHDRAWN))
            session.execute(update(PublishedSequence).values(seq=number))
        forgetting.result(60)
    assert problem(client.get(f"/v1/articles/{gone}"), 410)["reason"] == "withdrawn"


def _waits(store: Store) -> bool:
    with store.database.reading() as session:
        return session.execute(text(WAITING_FOR_A_LOCK)).rowcount > 0
