"""Run the one chain of migrations on SQLite and on PostgreSQL."""

import time

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.schema import SchemaItem

from service.database import Database
from service.main import ROOMS_WITH_TABLES
from service.settings import Settings
from service.tables import Table

LOCK_NOT_AVAILABLE = "55P03"
TRIES, PAUSE = 30, 1.0
"""How often a migration asks for a lock, and the seconds between."""
TEXT_INDEXES = ("published_text", "article_text")
"""Made by hand in the migrations: FTS5 and tsvector are not for autogenerate to compare."""


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

    A migration waits two seconds for a lock, not longer, because requests queue up behind one that waits; then it
    lets them pass and tries again. What was migrated before is not migrated twice.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET lock_timeout = '2s'"))
        connection.commit()
    for tries_left in reversed(range(TRIES)):
        try:
            _run(connection)
            break
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE or not tries_left:
                raise
            connection.rollback()
            time.sleep(PAUSE)


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=True,
        include_object=compared,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


assert ROOMS_WITH_TABLES
given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    database = Database(context.config.attributes.get("settings") or Settings())
    with database.engine.connect() as own:
        migrate(own)
        own.commit()
    database.close()
