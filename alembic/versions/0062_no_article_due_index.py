"""The index of articles that wait for their time tells what is due, too

Revision: 0062, after 0061
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0062"
down_revision: str | None = "0061"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("status = 'scheduled'")


def upgrade() -> None:
    drop_index("ix_article_due", "article")


def downgrade() -> None:
    build_index("ix_article_due", "article", ["scheduled_for"], where=WHERE)
