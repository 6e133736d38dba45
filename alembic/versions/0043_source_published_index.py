"""Articles of one source are found in the order of their publication by an index

Revision: 0043, after 0042
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("reason IS NULL")


def upgrade() -> None:
    build_index("ix_published_source", "published", ["kind", "source", "published_at", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_published_source", "published")
