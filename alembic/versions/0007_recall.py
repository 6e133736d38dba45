"""Who holds a copy of which version of an article

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "copy_holder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("acked_seq", sa.BigInteger(), nullable=False),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_copy_holder_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copy_holder")),
    )
    op.create_table(
        "article_copy",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("article_id", "holder_id", "version", "gone", name=op.f("pk_article_copy")),
        sqlite_with_rowid=False,
    )
    unanswered = sa.text("received_at IS NULL")
    with op.batch_alter_table("article_copy", schema=None) as batch_op:
        batch_op.create_index(
            "ix_article_copy_unanswered",
            ["holder_id", "seq"],
            unique=False,
            postgresql_where=unanswered,
            sqlite_where=unanswered,
        )


def downgrade() -> None:
    refuse_to_lose("the record of who was sent what, {count} copies", "article_copy", below="0007")
    op.drop_table("article_copy")
    op.drop_table("copy_holder")
