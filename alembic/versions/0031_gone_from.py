"""Rows that await rendering keep the time from which a picture is not shown

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published_awaiting", sa.Column("gone_from", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("published_awaiting", "gone_from")
