"""Changes of one section are found in the order of their numbers by an index

Revision: 0052, after 0051
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0052"
down_revision: str | None = "0051"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    build_index(
        "ix_published_section_seq", "published", ["section", "seq"], where=sa.text("section IS NOT NULL")
    )


def downgrade() -> None:
    drop_index("ix_published_section_seq", "published")
