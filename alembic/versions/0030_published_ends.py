"""Published rows say until when they may be shown, and are good

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("published", sa.Column("good_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("published", "good_until")
    op.drop_column("published", "expires_at")
