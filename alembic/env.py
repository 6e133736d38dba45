"""Run the one chain of migrations on SQLite and on PostgreSQL."""

import time
from contextlib import closing

import structlog
from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.schema import SchemaItem

from service.rooms import open_database, tables
from service.schema import Unmigrated
from service.settings import Settings

LOCK_NOT_AVAILABLE = "55P03"
TRIES, PAUSE = 30, 1.0
"""How often a migration asks for a lock, and the seconds between."""
LONGEST_TURN = 3_600
"""Seconds that a migration waits for another process: an index of a large store takes minutes."""
TEXT_INDEXES = ("published_text", "article_text")
"""Made by hand in the migrations: FTS5 and tsvector are not for autogenerate to compare."""
TAKE_TURN = text("SELECT pg_try_advisory_lock(hashtext('copydesk migrate'))")
log = structlog.get_logger()


def compared(
    _object: SchemaItem,
    name: str | None,
    kind: str,
    _reflected: bool,  # noqa: FBT001  # Alembic calls it so
    _other: SchemaItem | None,
) -> bool:
    """Leave the full text tables out of the comparison."""
    return not (kind == "table" and name is not None and name.startswith(TEXT_INDEXES))


def migrate(connection: Connection) -> None:
    """Bring one connection's database to the version asked for.

    A migration waits two seconds for a lock, not longer, because requests queue up behind one that waits;
    then it lets them pass and tries again. What was migrated before is not migrated twice. Raises Unmigrated
    when the lock is not to be had.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.commit()
        _wait_for_turn(connection)
    for tries_left in reversed(range(TRIES)):
        try:
            _run(connection)
            break
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            connection.rollback()
            if not tries_left:
                raise Unmigrated(
                    "Other transactions have kept a table locked for more than a minute, so that it could not"
                    " be migrated. Nothing is half done. End them, and run `copydesk migrate` again."
                ) from None
            log.info("a migration waits until other transactions end", tries_left=tries_left)
            time.sleep(PAUSE)


def _wait_for_turn(connection: Connection) -> None:
    """Let one process migrate at a time. The server ends the turn with the connection.

    The lock is asked for again and again, because building an index waits for every statement that waits.
    Raises Unmigrated when the other process does not end.
    """
    for waited in range(LONGEST_TURN):
        is_ours = connection.execute(TAKE_TURN).scalar_one()
        connection.rollback()  # The lock belongs to the connection, not to the transaction.
        if is_ours:
            return
        if waited % 60 == 0:
            log.info("another process migrates this store", waited=waited)
        time.sleep(PAUSE)
    raise Unmigrated(
        "Another process has been migrating this store for an hour. See what it waits for, or end it."
    )


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables(),
        render_as_batch=True,
        include_object=compared,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def write_statements(settings: Settings) -> None:
    """Write the statements of the migrations asked for, without a database."""
    context.configure(
        dialect_name="sqlite" if settings.is_sqlite else "postgresql",
        literal_binds=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


settings = context.config.attributes.get("settings") or Settings()
if context.is_offline_mode():
    write_statements(settings)
else:
    with closing(open_database(settings)) as database, database.engine.connect() as connection:
        migrate(connection)
        connection.commit()
