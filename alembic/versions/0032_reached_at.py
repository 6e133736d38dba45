"""The store keeps the latest time up to which it has ended rights

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published_sequence", sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("published_sequence", "reached_at")
