"""The histories of a store have names, so that a cursor of a lost one is told from its own

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "published_epoch",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_published_epoch")),
        sa.UniqueConstraint("mark", name=op.f("uq_published_epoch_mark")),
    )
    op.add_column("published_sequence", sa.Column("timeline", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("published_sequence", "timeline")
    op.drop_table("published_epoch")
