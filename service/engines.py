"""Connect to a database: an engine for each kind, and connections that are held to a deadline."""

import math
import select
import sqlite3
import time
from contextlib import suppress
from functools import cache
from typing import Any, Self, cast

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, Dialect, ExecutionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import create_engine

from service.deadlines import Deadlines, Driven
from service.settings import Settings

PING_SECONDS = 2.0
FRESH_SECONDS = 0.5
"""A connection that was given back so lately is used without asking whether it answers."""
SQLITE_CONNECTIONS = 16
INDEXES_OF_WORDS = ("article_text", "published_text")
SENT = {"copydesk_sent": True}
"""Options of a statement whose answer nobody needs. In a pipeline it is sent, and not waited for."""
_PIPELINE = "copydesk_pipeline"
_USED_AT = "copydesk_used_at"


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
    # FULL, because NORMAL lost acknowledged writes in a simulated power cut. With group commit, both cost the
    # same.
    connection.isolation_level = None
    # Only some builds of SQLite overwrite deleted bytes by default. Every write needs it, not only the
    # erasure of a reader, because a row leaves copies of itself behind when its page is split.
    erasing = "secure_delete=ON"
    # A statement with triggers keeps the pages that it changes until its end, otherwise in a file.
    in_memory = "temp_store=MEMORY"
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "mmap_size=268435456", erasing)
    for pragma in (*pragmas, in_memory):
        connection.execute(f"PRAGMA {pragma}")
    # A view of the words of an index. Each connection makes its own, because the store has none.
    for index in INDEXES_OF_WORDS:
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.{index}_words USING fts5vocab('main', '{index}', 'instance')"
        )


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader fails with SQLITE_BUSY when it wants to write and somebody else has
    # written since.
    read_only = connection.get_execution_options().get("copydesk_read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def postgres_engine(settings: Settings, *, serves: bool) -> Engine:
    """Return the engine of a PostgreSQL.

    If it `serves`, the server ends late statements too. A migration goes past a pooler, because it holds a
    lock from one transaction to the next.
    """
    seconds = settings.request_deadline
    limits = {"lock_timeout": f"{1000 * settings.patience:.0f}ms"}
    if serves:
        # The server ends statements whose connection was cut, and rolls back what a dead process began.
        limits |= dict.fromkeys(
            ("statement_timeout", "idle_in_transaction_session_timeout"), f"{1000 * seconds:.0f}ms"
        )
        # Every query has an index in which its rows are together. The planner expects them evenly spread over
        # the table, and would scan that, from wherever another scan is, until it has found enough of them.
        limits["enable_seqscan"] = "off"
    url = settings.database_url if serves else settings.session_url
    is_pooled = serves and settings.is_pooled
    engine = create_engine(
        "postgresql+psycopg://",
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=settings.patience,
        pool_pre_ping=not serves,
        json_serializer=_dump_json,
        json_deserializer=orjson.loads,
        connect_args={
            # libpq's own reading knows several hosts and `target_session_attrs`.
            **conninfo_to_dict(url),
            "application_name": "copydesk",
            "connect_timeout": max(2, round(settings.patience)),  # libpq takes no less than two seconds.
            **({"prepare_threshold": None} if is_pooled else {"options": _options(limits)}),
        },
    )
    if is_pooled:
        _limit_each_transaction(engine, limits)
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_executemany", _executemany)
    event.listen(engine, "checkin", _leave_pipeline)
    return engine


def enter_pipeline(connection: Connection) -> None:
    """Have a connection to PostgreSQL send statements with the option `SENT` without waiting for their
    answers, until it is given back to the pool.

    Any other statement, and the commit, waits for all before it, and raises what one of them has met.
    """
    if (known := _known(connection)).get(_PIPELINE) is None:
        driven = connection.connection.driver_connection
        assert isinstance(driven, psycopg.Connection)
        block = driven.pipeline()
        known[_PIPELINE] = (block, block.__enter__())


def _known(connection: Connection) -> dict[str, Any]:
    # Not its `info`, which the connection lacks with which the dialect of an engine begins.
    known = connection.connection.record_info
    assert known is not None
    return known


def _execute(cursor: DBAPICursor, statement: str, values: Any, context: ExecutionContext) -> bool:
    if (entered := _known(context.root_connection).get(_PIPELINE)) is None:
        return False
    cursor.execute(statement, values)
    _wait_unless_sent(entered, context)
    return True


def _executemany(cursor: DBAPICursor, statement: str, values: Any, context: ExecutionContext) -> bool:
    if (entered := _known(context.root_connection).get(_PIPELINE)) is None:
        return False
    cursor.executemany(statement, values)
    _wait_unless_sent(entered, context)
    return True


def _wait_unless_sent(entered: tuple[Any, psycopg.Pipeline], context: ExecutionContext) -> None:
    if not context.execution_options.get("copydesk_sent"):
        entered[1].sync()


def _leave_pipeline(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
    assert entry.record_info is not None
    if (entered := entry.record_info.pop(_PIPELINE, None)) is not None:
        # The pool has found out already when the connection is broken.
        with suppress(psycopg.Error):
            entered[0].__exit__(None, None, None)


def _options(limits: dict[str, str]) -> str:
    return " ".join(f"-c {name}={value}" for name, value in ({"timezone": "UTC"} | limits).items())


def _limit_each_transaction(engine: Engine, limits: dict[str, str]) -> None:
    """Set limits with each transaction, because a pooler drops those that a connection is made with. It
    passes the time zone on.
    """
    settled = "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', true)" for name, value in limits.items()
    )

    def connect(connection: psycopg.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.autocommit = True
        connection.execute("SET TIME ZONE 'UTC'")
        connection.autocommit = False
        connection.cursor_factory = _cursor_that_says(settled)

    def begin(connection: Connection) -> None:
        driven = connection.connection.dbapi_connection
        assert isinstance(driven, psycopg.Connection)
        if not driven.autocommit:
            connection.exec_driver_sql(settled)

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", begin)


@cache
def _cursor_that_says(settled: str) -> type[psycopg.Cursor[Any]]:
    """Return a class of cursors that, outside of transactions, send limits with each statement."""

    class Limited(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
            connection = self.connection
            if not connection.autocommit:
                return super().execute(query, params, **options)
            # What is sent in one go is one transaction, and one way there and back.
            with connection.pipeline():
                psycopg.Cursor(connection).execute(settled)
                return super().execute(query, params, **options)

    return Limited


def hold_to_deadline(engine: Engine, deadlines: Deadlines, seconds: float) -> None:
    """Cut every connection that is out of the pool for longer, and note who waits for an answer. A connection
    that does not answer is replaced before it is used, as SQLAlchemy's own `pool_pre_ping` does, which would
    wait without an end. One that was used a moment ago is asked only if its server has said something since,
    such as that it ends.
    """

    def connect(
        dialect: Dialect, _entry: ConnectionPoolEntry, words: list[Any], named: dict[str, Any]
    ) -> DBAPIConnection:
        with deadlines.asking():
            return dialect.connect(*words, **named)

    def check_out(connection: Driven, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        if isinstance(connection, psycopg.Connection) and not _is_fresh(connection, entry):
            try:
                with deadlines.within(connection, PING_SECONDS), deadlines.asking():
                    engine.dialect.do_ping(cast("DBAPIConnection", connection))
            except psycopg.Error as error:
                raise InvalidatePoolError from error
        deadlines.begin(connection, seconds)

    def note_use(connection: Driven | None, entry: ConnectionPoolEntry) -> None:
        assert entry.record_info is not None
        entry.record_info[_USED_AT] = -math.inf if connection is None else time.monotonic()

    def end(connection: Driven, _entry: ConnectionPoolEntry) -> None:
        deadlines.end(connection)

    event.listen(engine, "do_connect", connect)
    for name in ("connect", "checkin"):
        event.listen(engine, name, note_use)
    event.listen(engine, "checkout", check_out)
    for name in ("checkin", "close"):
        event.listen(engine, name, end)
    event.listen(engine, "before_cursor_execute", deadlines.ask)
    for name in ("after_cursor_execute", "handle_error"):
        event.listen(engine, name, deadlines.answered)


def _is_fresh(connection: psycopg.Connection, entry: ConnectionPoolEntry) -> bool:
    assert entry.record_info is not None
    used_at: float = entry.record_info.get(_USED_AT, -math.inf)
    if connection.closed or time.monotonic() - used_at > FRESH_SECONDS:
        return False
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    return not said.poll(0)


def hold_still(session: Session) -> None:
    """Make a session read one snapshot of the store, whatever is committed meanwhile. It must not have read
    anything yet. On SQLite every session does so anyway.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _dump_json(value: Any) -> str:
    return orjson.dumps(value).decode()
