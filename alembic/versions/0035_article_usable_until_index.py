"""Articles that end are found by an index

Revision: 0035, after 0034
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("usable_until IS NOT NULL AND expired_at IS NULL")


def upgrade() -> None:
    build_index("ix_article_usable_until", "article", ["usable_until"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_article_usable_until", "article")
