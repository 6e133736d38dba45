"""Articles with a picture whose licence ends are found by an index

Revision: 0037, after 0036
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("reason IS NULL AND good_until IS NOT NULL")


def upgrade() -> None:
    build_index("ix_published_good_until", "published", ["kind", "good_until", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_published_good_until", "published")
