"""How long a cursor leads on: as long as removals are kept, and in this store only."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from service.published.models import Published, PublishedSequence
from service.sync.pruning import prune
from tests.articles.newsroom import do, problem, published, trash
from tests.databases import KINDS
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
    assert prune(store.database) == 0
    assert [entry["reason"] for entry in follow(client, before + "&wait=0")[0]] == ["deleted", "withdrawn"]
    let_days_pass(store, 2)
    assert prune(store.database) == 1
    assert prune(store.database) == 0
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
    assert prune(store.database) == 1
    second = page(client, first["next"])
    assert not second["caught_up"]
    assert follow(client, second["next"])[0] != []


def test_what_comes_back_after_it_was_forgotten_is_told(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    trash(editor, article)
    let_days_pass(store, 6)
    prune(store.database)
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
