"""Withdrawals of pictures are kept, and articles that await their rendering say for which reason

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "image_withdrawal",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_undone", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("image_id", "version", name=op.f("pk_image_withdrawal")),
    )
    op.add_column("published_awaiting", sa.Column("withdrawn_for", sa.String(), nullable=True))


def downgrade() -> None:
    refuse_to_lose("the {count} withdrawals of images and their undoing", "image_withdrawal", below="0025")
    op.drop_column("published_awaiting", "withdrawn_for")
    op.drop_table("image_withdrawal")
