"""Connect to a database: an engine for each kind, and connections that are held to a deadline."""

import sqlite3
from typing import Any, cast

import orjson
import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import create_engine

from service.deadlines import Deadlines, Driven
from service.settings import Settings

PING_SECONDS = 2.0
SQLITE_CONNECTIONS = 16


def sqlite_engine(settings: Settings) -> Engine:
    """Return the engine of a SQLite file, whose folder is made."""
    path = settings.sqlite_path
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"check_same_thread": False, "timeout": settings.patience, "cached_statements": 512},
        pool_size=SQLITE_CONNECTIONS,
        # The same few are used again: each has a cache of its own that fills.
        pool_use_lifo=True,
        max_overflow=0,
        json_serializer=_dump_json,
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # FULL, for NORMAL lost acknowledged writes in a simulated power cut; group commit makes the difference
    # unmeasurable.
    connection.isolation_level = None
    # Deleted bytes are overwritten by some builds of SQLite only. It has to be at every write, and not only
    # when a reader is erased, because a row leaves copies of itself behind when its page is parted in two.
    erasing = "secure_delete=ON"
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=268435456", erasing):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader fails with SQLITE_BUSY when it wants to write and somebody else has
    # written since.
    read_only = connection.get_execution_options().get("copydesk_read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def postgres_engine(settings: Settings, *, serves: bool) -> Engine:
    """Return the engine of a PostgreSQL. A service that answers requests has the server end what is late,
    too.
    """
    seconds = settings.request_deadline
    limits = {"timezone": "UTC", "lock_timeout": f"{1000 * settings.patience:.0f}ms"}
    if serves:
        # The server ends by itself what was cut from this side, and rolls back what a dead process began.
        limits |= dict.fromkeys(
            ("statement_timeout", "idle_in_transaction_session_timeout"), f"{1000 * seconds:.0f}ms"
        )
    return create_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.patience,
        pool_pre_ping=not serves,
        json_serializer=_dump_json,
        json_deserializer=orjson.loads,
        connect_args={
            "application_name": "copydesk",
            "connect_timeout": max(2, round(settings.patience)),  # libpq takes no less than two seconds.
            "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        },
    )


def hold_to_deadline(engine: Engine, deadlines: Deadlines, seconds: float) -> None:
    """Cut every connection that is out of the pool for longer, and note who waits for an answer. A connection
    that does not answer is replaced before it is used, as SQLAlchemy's own `pool_pre_ping` does, which would
    wait without an end.
    """

    def connect(
        dialect: Dialect, _entry: ConnectionPoolEntry, words: list[Any], named: dict[str, Any]
    ) -> DBAPIConnection:
        with deadlines.asking():
            return dialect.connect(*words, **named)

    def check_out(connection: Driven, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if engine.dialect.name != "sqlite":
            try:
                with deadlines.within(connection, PING_SECONDS), deadlines.asking():
                    engine.dialect.do_ping(cast("DBAPIConnection", connection))
            except psycopg.Error as error:
                raise InvalidatePoolError from error
        deadlines.begin(connection, seconds)

    def end(connection: Driven, _entry: ConnectionPoolEntry) -> None:
        deadlines.end(connection)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", check_out)
    for name in ("checkin", "close"):
        event.listen(engine, name, end)
    event.listen(engine, "before_cursor_execute", deadlines.ask)
    for name in ("after_cursor_execute", "handle_error"):
        event.listen(engine, name, deadlines.answered)


def _dump_json(value: Any) -> str:
    return orjson.dumps(value).decode()
