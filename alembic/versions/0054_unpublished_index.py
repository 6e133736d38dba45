"""Working articles that are not published are found by their status in the order of their lists

Revision: 0054, after 0053
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0054"
down_revision: str | None = "0053"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("deleted_at IS NULL AND status <> 'published'")


def upgrade() -> None:
    build_index("ix_article_unpublished", "article", ["status", "listed_at", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_article_unpublished", "article")
