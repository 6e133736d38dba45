"""Why readers are asked again or not, and the events of one consent id

Revision: 0005, after 0004
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    with _notices_open():
        op.add_column("consent_notice", sa.Column("reconsent_override", sa.String(), nullable=True))
    op.create_index("ix_consent_event_consent_id", "consent_event", ["consent_id"])


def downgrade() -> None:
    rows = "consent_notice WHERE reconsent_override IS NOT NULL"
    refuse_to_lose("the reasons of {count} notices not to ask readers again", rows, below="0005")
    op.drop_index("ix_consent_event_consent_id", "consent_event")
    with _notices_open():
        op.drop_column("consent_notice", "reconsent_override")


@contextmanager
def _notices_open() -> Iterator[None]:
    """SQLite's trigger names every column that may not change: it is made anew for the columns that there are
    then.
    """
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TRIGGER consent_notice_no_update")
    yield
    if is_sqlite:
        columns = [row[1] for row in op.get_bind().exec_driver_sql("PRAGMA table_info(consent_notice)")]
        same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in columns if name != "status")
        op.execute(
            "CREATE TRIGGER consent_notice_no_update BEFORE UPDATE ON consent_notice"
            f" WHEN NOT (OLD.status = 'draft' OR (OLD.status = 'published' AND NEW.status = 'retired' AND {same}))"
            " BEGIN SELECT RAISE(ABORT, 'published notices never change'); END"
        )
