"""A migration gives way to requests, waits for its turn, and leaves nothing half done."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect
from structlog.testing import capture_logs

from service.rooms import open_database
from service.schema import Schema, migrations, schema_of
from service.settings import Settings
from tests.patience import PATIENCE, wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.upgrade.planting import AFTER_ALL, planted

COLUMN = "op.add_column('article', sa.Column('mood', sa.String()))"
INDEX = "build_index('ix_mood', 'article', ['headline'])"
ASKED_FOR_TURN = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND (query LIKE '%pg_try_advisory_lock%' OR query = 'ROLLBACK')"
)
TURNS = (
    "SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)


ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""SQLite is not served while it is migrated."""


@contextmanager
def migrating(config: Config) -> Iterator[Callable[[], None]]:
    """Migrate beside the block, which gets a function that waits for the end and raises what went wrong."""
    beside = ThreadPoolExecutor(1)
    migration = beside.submit(command.upgrade, config, "head")
    try:
        yield lambda: migration.result(timeout=PATIENCE)
    finally:  # A block that failed still holds what the migration waits for.
        beside.shutdown(wait=False)


@ON_POSTGRESQL
def test_requests_pass_a_migration_that_waits_for_a_long_one(settings: Settings, tmp_path: Path) -> None:
    config = planted(settings, tmp_path / "planted", COLUMN)
    url = settings.database_url
    with psycopg.connect(url) as long, psycopg.connect(url, autocommit=True) as short:
        long.execute("SELECT FROM article")
        with migrating(config) as ended:
            wait_until(lambda: short.execute(WAITING_FOR_A_LOCK).rowcount > 0)
            # It waits behind the migration, which gives up after two seconds; the long one still holds the
            # table.
            short.execute("SET lock_timeout = '60s'")
            short.execute("SELECT FROM article")
            long.rollback()
            ended()
        short.execute("SELECT mood FROM article")


@ON_POSTGRESQL
def test_an_index_is_built_anew_and_waits_for_writers_in_one_try(settings: Settings, tmp_path: Path) -> None:
    config = planted(settings, tmp_path / "planted", INDEX)
    url = settings.database_url
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True) as other:
        writer.execute("LOCK TABLE article IN ROW EXCLUSIVE MODE")
        other.execute("SET lock_timeout = '10ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):  # As a migration that was interrupted leaves it.
            other.execute("CREATE INDEX CONCURRENTLY ix_mood ON article (headline)")
        assert not is_good(other)
        with capture_logs() as said, migrating(config) as ended:
            wait_until(lambda: other.execute(WAITING_FOR_A_LOCK).rowcount > 0)
            threading.Event().wait(2.5)  # Longer than a migration waits for any other lock.
            writer.rollback()
            ended()
        assert said == []
        assert is_good(other)


def is_good(connection: psycopg.Connection) -> bool:
    """Tell whether the planted index is built."""
    found = connection.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_mood'::regclass")
    return found.fetchone() == (True,)


@ON_POSTGRESQL
def test_one_process_migrates_at_a_time(settings: Settings) -> None:
    config = migrations(settings)
    command.downgrade(config, "-1")
    with psycopg.connect(settings.database_url, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(hashtext('copydesk migrate'))")
        with migrating(config) as ended:
            wait_until(lambda: first.execute(ASKED_FOR_TURN).rowcount > 0)
            threading.Event().wait(0.2)
            assert first.execute(TURNS).rowcount == 1
            first.execute("SELECT pg_advisory_unlock_all()")
            ended()


def test_a_migration_that_fails_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    fails = f"op.create_table('note', sa.Column('id', sa.Uuid()))\n{COLUMN}\nraise OSError('no more')"
    with pytest.raises(OSError, match="no more"):
        command.upgrade(planted(settings, tmp_path / "planted", fails), AFTER_ALL)
    database = open_database(settings)
    assert schema_of(database)[0] is Schema.CURRENT
    shape = inspect(database.engine)
    assert not shape.has_table("note")
    assert "mood" not in {column["name"] for column in shape.get_columns("article")}
    database.close()
