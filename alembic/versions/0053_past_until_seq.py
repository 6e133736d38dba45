"""Find what has left a section or language since a number by an index

Revision: 0053, after 0052
"""

from service.indexes import build_index, drop_index

revision: str = "0053"
down_revision: str | None = "0052"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    build_index("ix_published_past_until_seq", "published_past", ["until_seq"])


def downgrade() -> None:
    drop_index("ix_published_past_until_seq", "published_past")
