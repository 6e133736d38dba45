"""The rows of an older rendering are found by an index

Revision: 0016, after 0015
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    build_index("ix_published_rendering", "published", ["rendering", "seq"], where=sa.text("reason IS NULL"))


def downgrade() -> None:
    drop_index("ix_published_rendering", "published")
