"""/health: alive, and ready only when the database, its schema and the pictures' place are."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from service.images.lab import sandbox_state
from service.settings import Settings
from tests import postgres
from tests.articles.newsroom import problem
from tests.databases import KINDS, migrate
from tests.patience import wait_until
from tests.serving import Store, running, serving, settings_for

WALLS = sandbox_state(Settings(_env_file=None))
READY = {
    "status": "ready",
    "database": "ok",
    "migration": "ok",
    "reader": "ok",
    "media": "ok",
    "jobs": "ok",
    "picture_sandbox": WALLS,
    "rendering": "ok",
    "changes": "ok",
    "ending": False,
}


def test_a_served_store_is_alive_and_ready(client: httpx.Client) -> None:
    for address, expected in (("/health/live", {"status": "ok"}), ("/health/ready", READY)):
        answer = client.get(address)
        assert (answer.status_code, answer.json()) == (200, expected)
        assert client.head(address).status_code == 200
    assert client.get("/health/ready").headers["cache-control"] == "no-store"


def test_many_may_ask_at_once(store: Store) -> None:
    with store.client() as client, ThreadPoolExecutor(20) as proxies:
        answers = list(proxies.map(client.get, ["/health/ready"] * 20))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("kind", KINDS)
def test_another_schema_is_the_cause(kind: str, tmp_path: Path, sqlite_template: Path) -> None:
    with serving(kind, tmp_path, sqlite_template) as store, store.client() as client:
        with store.database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0010'"))
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "copydesk migrate" in answer.json()["migration"]
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_newer_schema_is_no_cause_while_an_upgrade_replaces_one_process_after_another(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with serving(kind, tmp_path, sqlite_template) as store, store.client() as client:
        with store.database.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        answer = client.get("/health/ready")
        assert answer.status_code == 200
        assert "newer version" in answer.json()["migration"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_for_pictures_that_is_gone_is_the_cause(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with serving(kind, tmp_path, sqlite_template) as store, store.client() as client:
        shutil.rmtree(store.settings.media_directory)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.json()["media"]) == (
            503,
            "unavailable: The folder of the pictures' files cannot be written to.",
        )


@pytest.mark.slow
def test_a_database_that_is_away_is_the_cause_and_comes_back(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        with (
            running(settings_for(url, tmp_path, log_level="error")) as store,
            store.client("content:write") as writer,
            store.client() as client,
        ):
            made = writer.post("/v1/articles", json={"headline": "Before"})
            assert made.status_code == 201
            server.stop()
            answer = client.get("/health/ready")
            assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
            assert "unreachable" in answer.json()["database"]
            assert client.get("/health/live").status_code == 200
            for refused in (
                client.get("/v1/articles"),
                client.get("/v1/articles/x"),
                writer.post("/v1/articles", json={"headline": "x"}),
            ):
                assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
                assert refused.headers["retry-after"] == "2"
                assert "127.0.0.1" not in refused.text
            server.start()
            wait_until(lambda: client.get("/health/ready").json() == READY)
            assert writer.post("/v1/articles", json={"headline": "After"}).status_code == 201
            wait_until(lambda: client.get("/v1/articles").status_code == 200)
            problem(client.get(f"/v1/articles/{made.json()['id']}"), 404)


def test_a_database_file_that_another_process_has_locked_is_waited_for_and_then_said(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with serving("sqlite", tmp_path, sqlite_template) as store, store.client("content:write") as writer:
        writer.get("/v1/articles")
        other = sqlite3.connect(store.settings.sqlite_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert writer.get("/v1/articles").status_code == 200
        other.execute("COMMIT")
        other.close()
        assert writer.post("/v1/articles", json={"headline": "After"}).status_code == 201


@pytest.mark.slow
def test_readers_notice_nothing_of_a_restart_of_postgresql(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        with (
            running(settings_for(url, tmp_path, log_level="error")) as store,
            store.client("content:write", "content:publish") as writer,
            store.client() as client,
        ):
            made = [
                writer.post("/v1/articles", json={"headline": f"Story {n}", "status": "published"}).json()
                for n in range(3)
            ]
            assert client.get(f"/v1/articles/{made[0]['id']}").status_code == 200
            server.restart()
            for article in made[1:]:
                answer = client.get(f"/v1/articles/{article['id']}")
                assert (answer.status_code, answer.json()["id"]) == (200, article["id"])
