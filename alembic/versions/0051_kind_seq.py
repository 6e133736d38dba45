"""Changes of one kind and language are found in the order of their numbers by an index

Revision: 0051, after 0049
"""

from service.indexes import build_index, drop_index

revision: str = "0051"
down_revision: str | None = "0049"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    build_index("ix_published_kind_seq", "published", ["kind", "language", "seq"])


def downgrade() -> None:
    drop_index("ix_published_kind_seq", "published")
