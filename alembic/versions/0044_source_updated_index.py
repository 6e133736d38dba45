"""Articles of one source are found in the order of their last update by an index

Revision: 0044, after 0043
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0044"
down_revision: str | None = "0043"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("reason IS NULL")


def upgrade() -> None:
    build_index(
        "ix_published_source_updated", "published", ["kind", "source", "updated_at", "id"], where=WHERE
    )


def downgrade() -> None:
    drop_index("ix_published_source_updated", "published")
