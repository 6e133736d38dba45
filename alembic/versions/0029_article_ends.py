"""Articles say until when they may be shown

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("article", sa.Column("usable_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("article", sa.Column("expired_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    ending = "article WHERE usable_until IS NOT NULL"
    refuse_to_lose("until when {count} articles may be shown", ending, below="0029")
    op.drop_column("article", "expired_at")
    op.drop_column("article", "usable_until")
