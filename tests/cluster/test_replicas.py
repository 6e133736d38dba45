"""Readers' rows come from a replica that has every change, and from the primary otherwise: no answer is older
than a second, and no reader notices a replica that is behind, slow or away.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.articles.newsroom import edit, mark, problem, published
from tests.cluster.standing import Pair, ask, kill, pair
from tests.databases import migrate
from tests.everywhere.test_metrics import samples
from tests.faults.breaking import stopped
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running, settings_for


@pytest.fixture
def servers() -> Iterator[Pair]:
    """A primary with a migrated store, and its standby."""
    with pair() as both:
        migrate(both.primary.create_database("store"))
        yield both


@pytest.fixture
def settings(servers: Pair, tmp_path: Path) -> Settings:
    """Settings of a store that reads from the standby, and keeps no answer."""
    return settings_for(
        servers.primary.url("store"),
        tmp_path,
        database_read_url=(servers.standby.url("store"),),
        request_deadline=8,
        cache_bytes=0,
    )


def reads(client: httpx.Client) -> float:
    return samples(client)["copydesk_replica_reads_total", ()]


def caught_up(servers: Pair) -> None:
    """Wait until the standby has what the primary has."""
    reached = ask(servers.primary, "SELECT pg_current_wal_lsn()")[0]
    question = f"SELECT pg_last_wal_replay_lsn() >= '{reached}'"
    wait_until(lambda: ask(servers.standby, question) == [True])


def test_rows_and_lists_come_from_a_replica_and_are_never_older(
    client: httpx.Client, editor: httpx.Client
) -> None:
    section = mark()
    article = published(editor, section=section)
    address = f"/v1/articles/{article['id']}"
    for number in range(30):
        article = edit(editor, article, headline=f"Tide {number}")
        assert client.get(address).json()["headline"] == f"Tide {number}"
        listed = client.get("/v1/articles", params={"section": section}).json()["items"]
        assert [one["headline"] for one in listed] == [f"Tide {number}"]
    before = reads(client)
    wait_until(lambda: client.get(address).status_code == 200 and reads(client) > before)
    before = reads(client)
    wait_until(lambda: client.get("/v1/articles").status_code == 200 and reads(client) > before)
    assert client.get("/v1/articles", params={"section": f"{section}x"}).json()["items"] == []
    problem(client.get(f"/v1/articles/{mark()}"), 404)
    problem(client.get("/v1/articles", params={"sort": "nothing"}), 422)


def test_a_replica_that_nothing_reaches_gives_no_answer(
    servers: Pair, client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    address = f"/v1/articles/{article['id']}"
    with servers.parted():
        for number in range(20):
            article = edit(editor, article, headline=f"Ebb {number}")
            assert client.get(address).json()["headline"] == f"Ebb {number}"
            assert client.get("/v1/articles").json()["items"][0]["headline"] == f"Ebb {number}"
        assert samples(client)["copydesk_replica_misses_total", ()] > 0
    before = reads(client)
    wait_until(lambda: client.get(address).status_code == 200 and reads(client) > before)


def test_a_replica_that_hangs_or_is_killed_costs_no_reader_an_error(
    servers: Pair, client: httpx.Client, editor: httpx.Client
) -> None:
    address = f"/v1/articles/{published(editor)['id']}"

    def all_well(until: float) -> bool:
        while time.monotonic() < until:
            assert client.get(address).status_code == 200
            assert client.get("/v1/articles").status_code == 200
        return samples(client)["copydesk_replicas_away", ()] == 1

    with stopped(servers.standby):
        assert all_well(time.monotonic() + 6)
    before = reads(client)
    wait_until(lambda: client.get(address).status_code == 200 and reads(client) > before)
    kill(servers.standby)
    assert all_well(time.monotonic() + 3)
    servers.standby.start()
    before = reads(client)
    wait_until(lambda: client.get("/v1/articles").status_code == 200 and reads(client) > before)


def test_while_the_primary_is_away_a_replica_serves_readers_and_writers_are_told_when_to_try_again(
    servers: Pair, store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    servers.synchronous()
    article = published(editor, section="Harbour")
    addresses = (
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['slug']}?body=text",
        "/v1/articles?section=Harbour",
        "/v1/changes",
        "/v1/sections",
        "/feeds/rss.xml",
        f"/read/{article['slug']}",
    )
    kill(servers.primary)
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 200, (address, answer.text)
    refused = editor.post("/v1/articles", json={"headline": "Later"})
    problem(refused, 503, "unavailable")
    assert int(refused.headers["retry-after"]) <= 30
    ready = client.get("/health/ready")
    assert (ready.status_code, "replicas serve readers" in ready.json()["database"]) == (200, True)
    servers.primary.start()
    wait_until(lambda: editor.post("/v1/articles", json={"headline": "Later"}).status_code == 201)
    wait_until(lambda: client.get("/health/ready").json()["database"] == "ok")


def test_a_standby_that_takes_over_has_what_was_acknowledged(servers: Pair, tmp_path: Path) -> None:
    servers.synchronous()
    settings = settings_for(
        servers.url("store"),
        tmp_path,
        database_read_url=(servers.primary.url("store"), servers.standby.url("store")),
        request_deadline=8,
    )
    with running(settings) as store, store.client(*EDITOR) as editor, store.client() as reader:
        known = [published(editor) for _ in range(5)]
        kill(servers.primary)
        began = time.monotonic()
        refused = editor.post("/v1/articles", json={"headline": "Meanwhile"})
        problem(refused, 503, "unavailable")
        assert "retry-after" in refused.headers
        servers.promote()
        wait_until(lambda: editor.post("/v1/articles", json={"headline": "After"}).status_code == 201)
        assert time.monotonic() - began < 30
        for article in known:
            assert reader.get(f"/v1/articles/{article['id']}").status_code == 200
        article = published(editor)
        wait_until(lambda: reader.get(f"/v1/articles/{article['id']}").status_code == 200)


def test_while_the_primary_hangs_a_replica_serves_readers(
    servers: Pair, client: httpx.Client, editor: httpx.Client
) -> None:
    servers.synchronous()
    address = f"/v1/articles/{published(editor)['id']}"
    with stopped(servers.primary):
        ends = time.monotonic() + 8
        while time.monotonic() < ends:
            for each in (address, "/v1/articles", "/v1/changes"):
                answer = client.get(each)
                assert answer.status_code == 200, (each, answer.text)
    wait_until(lambda: editor.post("/v1/articles", json={"headline": "Later"}).status_code == 201)


def test_a_process_that_starts_while_the_primary_is_away_serves_readers(
    servers: Pair, settings: Settings
) -> None:
    with running(settings) as store, store.client(*EDITOR) as editor:
        token, article = editor.headers["authorization"], published(editor)
    caught_up(servers)
    kill(servers.primary)
    with running(settings) as store, store.client() as reader:
        for address in (f"/v1/articles/{article['id']}", "/v1/articles", "/v1/changes"):
            wait_until(lambda address=address: reader.get(address).status_code == 200)
        known = {"Authorization": token}
        assert reader.post("/v1/articles", json={"headline": "Later"}, headers=known).status_code == 503
        servers.primary.start()
        wait_until(
            lambda: reader.post("/v1/articles", json={"headline": "Later"}, headers=known).status_code == 201
        )


def test_a_standby_alone_is_served_to_readers(servers: Pair, settings: Settings, tmp_path: Path) -> None:
    with running(settings) as store, store.client(*EDITOR) as editor:
        token, article = editor.headers["authorization"], published(editor)
    caught_up(servers)
    with running(settings_for(servers.standby.url("store"), tmp_path)) as store, store.client() as reader:
        for address in (f"/v1/articles/{article['id']}", "/v1/articles", "/v1/changes"):
            assert reader.get(address).status_code == 200
        refused = reader.post("/v1/articles", json={"headline": "Later"}, headers={"Authorization": token})
        problem(refused, 503, "unavailable")
        assert refused.headers["retry-after"] == "10"
        wait_until(lambda: reader.get("/health/ready").json()["changes"].startswith("polled"))
