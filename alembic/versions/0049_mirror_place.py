"""Keep which store this one mirrors, and how far it has followed it

Revision: 0049, after 0046
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0049"
down_revision: str | None = "0046"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "mirror_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("cursor", sa.String(), nullable=True),
        sa.Column("behind", sa.BigInteger(), nullable=True),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mended", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_place")),
    )


def downgrade() -> None:
    op.drop_table("mirror_place")
