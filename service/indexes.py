"""Build and drop an index in a migration, while the store is written to.

PostgreSQL does so outside of a transaction. Such a migration therefore does nothing else: whatever else it
did would stay when the index fails.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from alembic import op
from sqlalchemy import TextClause


def build_index(
    name: str, table: str, columns: Sequence[str], *, where: TextClause | None = None, unique: bool = False
) -> None:
    """Build an index beside the writers. What an interrupted try has left half built is dropped first."""
    if op.get_context().dialect.name == "sqlite":
        op.create_index(name, table, columns, unique=unique, sqlite_where=where)
        return
    with _beside_the_writers():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name, table, columns, unique=unique, postgresql_where=where, postgresql_concurrently=True
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index beside the writers."""
    if op.get_context().dialect.name == "sqlite":
        op.drop_index(name, table)
        return
    with _beside_the_writers():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


@contextmanager
def _beside_the_writers() -> Iterator[None]:
    """Wait for other transactions without a limit: nobody queues up behind this wait, and a limit would have
    the index built again from its beginning.
    """
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield
        op.execute("SET lock_timeout = '2s'")
