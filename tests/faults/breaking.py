"""Ways to break what a running store depends on, and to mend it again."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event, text

from service.settings import Settings
from service.tables import now
from tests.postgres import OwnServer
from tests.serving import Store


@contextmanager
def locked(settings: Settings, table: str) -> Iterator[None]:
    """Let nobody write to a table, nor lock a row of it; on SQLite, of any."""
    if settings.is_sqlite:
        other = sqlite3.connect(settings.sqlite_path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    with psycopg.connect(settings.database_url) as holder:
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def cut_connections(settings: Settings) -> None:
    """Have PostgreSQL end every connection to this database, whatever it is at."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def let_claims_lapse(store: Store) -> None:
    """Make every claim on an idempotency key, also of a request that is running, older than a claim may be.

    Those that a transaction has locked already are left.
    """
    if not store.settings.is_sqlite:
        with psycopg.connect(store.settings.database_url) as connection:
            connection.execute(
                "UPDATE kept_answer SET claimed_at = now() - interval '1 hour' WHERE key_digest IN"
                " (SELECT key_digest FROM kept_answer WHERE status IS NULL FOR UPDATE SKIP LOCKED)"
            )
        return
    with store.database.writing() as session:
        at = f"{now() - timedelta(hours=1):%Y-%m-%d %H:%M:%S.%f}"
        session.execute(text("UPDATE kept_answer SET claimed_at = :at WHERE status IS NULL"), {"at": at})


@contextmanager
def stopped(server: OwnServer) -> Iterator[None]:
    """Stop every process of a PostgreSQL with SIGSTOP: connections stay open, and nothing answers."""
    keeper = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    pids = [keeper, *_children(keeper)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(pids):
            os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def disk_full(settings: Settings) -> Iterator[None]:
    """Have PostgreSQL refuse every new article as it does when its disk is full."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        )
        connection.execute("CREATE TRIGGER no_room BEFORE INSERT ON article EXECUTE FUNCTION no_room()")
        yield
        connection.execute("DROP FUNCTION no_room CASCADE")


class SmallDisk:
    """A disk on which a SQLite file may stop growing. It knows every connection that is made after it."""

    def __init__(self) -> None:
        self._connections: list[sqlite3.Connection] = []
        self._is_full = False
        event.listen(Engine, "connect", self._meet)

    def _meet(self, connection: sqlite3.Connection, _entry: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            self._connections.append(connection)
            self._limit(connection)

    def _limit(self, connection: sqlite3.Connection) -> None:
        pages = "1" if self._is_full else "1073741823"  # No less than the file has.
        connection.execute(f"PRAGMA max_page_count = {pages}")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let no file grow. Pages that are free already are still written to."""
        self._set(is_full=True)
        yield
        self._set(is_full=False)

    def _set(self, *, is_full: bool) -> None:
        self._is_full = is_full
        for connection in self._connections:
            self._limit(connection)

    def close(self) -> None:
        """Let connections be made without it again."""
        event.remove(Engine, "connect", self._meet)
