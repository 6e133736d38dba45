"""The rows of an older rendering are found by an index

Revision: 0016, after 0015

Alone in its migration, because PostgreSQL builds it beside the writers, outside of a transaction. An index that
an interrupted migration left half built is dropped first.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: None = None
depends_on: None = None

LIVE = sa.text("reason IS NULL")


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.create_index("ix_published_rendering", "published", ["rendering", "seq"], sqlite_where=LIVE)
        return
    with op.get_context().autocommit_block():
        op.drop_index("ix_published_rendering", "published", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ix_published_rendering",
            "published",
            ["rendering", "seq"],
            postgresql_where=LIVE,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.drop_index("ix_published_rendering", "published")
        return
    with op.get_context().autocommit_block():
        op.drop_index("ix_published_rendering", "published", if_exists=True, postgresql_concurrently=True)
