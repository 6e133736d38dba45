"""A rendering says how its texts were cut into words, and articles may await being indexed anew

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published_rendering", sa.Column("words", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "article_indexing",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("below", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("asked", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_article_indexing")),
    )


def downgrade() -> None:
    op.drop_table("article_indexing")
    op.drop_column("published_rendering", "words")
