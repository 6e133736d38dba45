"""Followers say since when it was told that they stand still

Revision: 0042, after 0041
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("copy_holder", sa.Column("stalled_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("copy_holder", "stalled_at")
