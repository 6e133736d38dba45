"""The jobs beside the requests outlive what happens to them; a process that cannot do them does
not pretend.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import anyio
import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy.engine import make_url

from service import background
from service.background import Background, every
from tests import postgres
from tests.articles.newsroom import published
from tests.commands import environment, free_port
from tests.databases import migrate
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running, settings_for


@pytest.fixture
def own_store() -> Iterator[str]:
    """An empty, migrated PostgreSQL database."""
    name = f"jobs_{uuid4().hex}"
    url = postgres.server().create_database(name)
    migrate(url)
    yield url
    postgres.server().drop_database(name)


def test_a_notice_that_is_no_number_ends_nothing(own_store: str, tmp_path: Path) -> None:
    with running(settings_for(own_store, tmp_path)) as store, store.client() as reader:
        with psycopg.connect(own_store, autocommit=True) as other:
            for payload in ("", "no number", "9" * 40):
                other.execute("SELECT pg_notify('copydesk_published', %s)", (payload,))
        with store.client(*EDITOR) as editor:
            article = published(editor)
        wait_until(lambda: reader.get(f"/v1/articles/{article['slug']}").status_code == 200)
        assert reader.get("/health/ready").status_code == 200


def test_tables_that_are_dropped_and_restored_are_found_again(own_store: str, tmp_path: Path) -> None:
    """As `pg_restore --clean` does it, into a store that is being served."""
    with running(settings_for(own_store, tmp_path)) as store, store.client() as reader:
        with store.client(*EDITOR) as editor:
            address = f"/v1/articles/{published(editor)['slug']}"
        server = postgres.server()
        dump = tmp_path / "dump"
        dump.write_bytes(server.dump(make_url(own_store).database))
        assert reader.get(address).status_code == 200
        with psycopg.connect(own_store, autocommit=True) as other:
            other.execute("DROP SCHEMA public CASCADE")
            other.execute("CREATE SCHEMA public")
        wait_until(lambda: reader.get("/health/ready").status_code == 503)
        time.sleep(2 * background.FIRST_PAUSE)
        server.fill(make_url(own_store).database, dump)
        wait_until(lambda: reader.get("/health/ready").status_code == 200)
        wait_until(lambda: reader.get(address).status_code == 200)
        with store.client(*EDITOR) as editor:
            later = published(editor)
        wait_until(lambda: reader.get(f"/v1/articles/{later['slug']}").status_code == 200)


def test_a_job_that_fails_is_counted_and_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.001)
    registry, done, enough = CollectorRegistry(), [], asyncio.Event()

    async def step() -> float:
        done.append(1)
        if len(done) == 5:
            enough.set()
        if len(done) in (2, 3):
            raise ZeroDivisionError
        return 0.001

    async def main() -> None:
        jobs = Background(registry)
        jobs.add("sums", every(step))
        async with anyio.create_task_group() as group:
            group.start_soon(jobs.run)
            await enough.wait()
            assert list(jobs.standing_still()) == []
            group.cancel_scope.cancel()

    anyio.run(main)
    assert 'copydesk_job_failures_total{job="sums"} 2.0' in generate_latest(registry).decode()


def test_a_job_that_stands_still_makes_the_store_unavailable(
    store: Store, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "LATE_AFTER", -3600.0 * 24)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert re.match("standing still: .*schedule", answer.json()["jobs"])


BROKEN = """
import sys
from service import background
from service.articles import clock
from service.cli import program

def broken(_):
    raise ZeroDivisionError

background.FIRST_PAUSE = 0.001
clock.next_due = broken
sys.argv = ["copydesk", "serve", "--port", sys.argv[1]]
program.main()
"""


def test_a_job_that_cannot_live_ends_the_process_with_status_1(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'copydesk.db'}"
    migrate(database)
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN, str(free_port())],
        cwd=tmp_path,
        env=environment(COPYDESK_DATABASE_URL=database),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "the process ends because a job fails again and again" in ended.stderr
