"""Ways to break what a running store depends on, and to mend it again."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url

from service.settings import Settings
from service.tables import now
from tests.postgres import OwnServer
from tests.serving import Store

ROOMY = "PRAGMA max_page_count = 1073741823"


@contextmanager
def locked(settings: Settings, *tables: str) -> Iterator[None]:
    """Let nobody write to these tables, nor lock a row of them. On SQLite, and when none is named, to any
    table.
    """
    if settings.is_sqlite:
        other = sqlite3.connect(settings.sqlite_path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()
        return
    with psycopg.connect(settings.database_url) as holder:
        holder.execute(f"LOCK TABLE {', '.join(tables or _all_tables(holder))} IN EXCLUSIVE MODE")
        yield


def _all_tables(connection: psycopg.Connection) -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [name for (name,) in found]


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


class SmallDisk:
    """The disk of a database, which may be full, or take no writes. On SQLite it knows every connection that
    is made after it; PostgreSQL is told to refuse as it does then.
    """

    def __init__(self) -> None:
        self._connections: list[sqlite3.Connection] = []
        self._limit = ROOMY
        event.listen(Engine, "connect", self._meet)

    def _meet(self, connection: sqlite3.Connection, _entry: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            self._connections.append(connection)
            connection.execute(self._limit)

    def _set(self, limit: str) -> None:
        self._limit = limit
        for connection in list(self._connections):
            # One that was closed meanwhile writes nothing.
            with suppress(sqlite3.ProgrammingError):
                connection.execute(limit)

    @contextmanager
    def full(self, settings: Settings, *tables: str) -> Iterator[None]:
        """Let nothing grow: on PostgreSQL none of these tables, or none at all."""
        if settings.is_sqlite:
            self._set("PRAGMA max_page_count = 1")  # No less than the file has.
            yield
            self._set(ROOMY)
            return
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
            )
            for table in tables or _all_tables(connection):
                connection.execute(
                    f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION no_room()"
                )
            yield
            connection.execute("DROP FUNCTION no_room CASCADE")

    @contextmanager
    def read_only(self, settings: Settings) -> Iterator[None]:
        """Take no writes, as a standby does."""
        if settings.is_sqlite:
            self._set("PRAGMA query_only = ON")
            yield
            self._set("PRAGMA query_only = OFF")
            return
        name = make_url(settings.database_url).database
        for value in ("on", "off"):
            with psycopg.connect(settings.database_url, autocommit=True) as connection:
                connection.execute("SET default_transaction_read_only = off")
                connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
            cut_connections(settings)
            if value == "on":
                yield

    def close(self) -> None:
        """Let connections be made without it again."""
        event.remove(Engine, "connect", self._meet)
