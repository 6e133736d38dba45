"""Working articles of one section are found in the order of their lists

Revision: 0058, after 0054
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0058"
down_revision: str | None = "0054"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    build_index("ix_article_section", "article", ["section", "listed_at", "id"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_article_section", "article")
