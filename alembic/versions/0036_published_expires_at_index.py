"""Published rows that end are found by an index

Revision: 0036, after 0035
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("reason IS NULL AND expires_at IS NOT NULL")


def upgrade() -> None:
    build_index("ix_published_expires_at", "published", ["kind", "expires_at", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_published_expires_at", "published")
