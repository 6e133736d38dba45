"""A decision that the same browser had just made is marked, so that the rates count its reader once

Revision: 0014, after 0013
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: None = None
depends_on: None = None

ERASABLE = ("consent_id", "dedupe", "request_digest")


def upgrade() -> None:
    with _events_open():
        op.add_column("consent_event", sa.Column("repeats", sa.Boolean(), nullable=True))


def downgrade() -> None:
    refuse_to_lose("the marks of {count} repeated decisions", "consent_event WHERE repeats", below="0014")
    with _events_open():
        op.drop_column("consent_event", "repeats")


@contextmanager
def _events_open() -> Iterator[None]:
    """SQLite's trigger names every column that may not change: it is made anew for the columns that there are
    then.
    """
    is_sqlite = op.get_context().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TRIGGER consent_event_no_update")
    yield
    if is_sqlite:
        columns = [row[1] for row in op.get_bind().exec_driver_sql("PRAGMA table_info(consent_event)")]
        kept = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in columns if name not in ERASABLE)
        erased = " AND ".join(f"NEW.{name} IS NULL" for name in ERASABLE)
        op.execute(
            f"CREATE TRIGGER consent_event_no_update BEFORE UPDATE ON consent_event WHEN NOT ({kept} AND {erased})"
            " BEGIN SELECT RAISE(ABORT, 'consent events are only ever added'); END"
        )
