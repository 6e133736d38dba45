"""When a scheduled article was to be published, also where an embargo holds it back for longer

Revision: 0063, after 0062
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0063"
down_revision: str | None = "0062"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("article", sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # The older version reads the time from `scheduled_for`, as far as no embargo is in place of it.
    refuse_to_lose(
        "when {count} articles under embargo were to be published",
        "article WHERE status = 'scheduled' AND publish_at <= embargoed_until",
        below="0063",
    )
    op.drop_column("article", "publish_at")
