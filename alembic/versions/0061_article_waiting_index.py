"""Articles that wait for their time are listed in the order of their times

Revision: 0061, after 0060
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0061"
down_revision: str | None = "0060"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("status = 'scheduled'")


def upgrade() -> None:
    build_index("ix_article_waiting", "article", ["scheduled_for", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_article_waiting", "article")
