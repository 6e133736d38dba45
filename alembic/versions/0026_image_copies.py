"""Who was sent which picture is kept, and which articles have shown it

Revision: 0026, after 0025
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "image_copy",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("image_id", "holder_id", "version", "gone", name=op.f("pk_image_copy")),
        sqlite_with_rowid=False,
    )
    unanswered = sa.text("received_at IS NULL")
    op.create_index(
        "ix_image_copy_unanswered",
        "image_copy",
        ["holder_id", "seq"],
        postgresql_where=unanswered,
        sqlite_where=unanswered,
    )
    op.create_table(
        "image_past_use",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "article_id", name=op.f("pk_image_past_use")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    refuse_to_lose("the record of who was sent which picture: {count} versions", "image_copy", below="0026")
    op.drop_table("image_past_use")
    op.drop_table("image_copy")
