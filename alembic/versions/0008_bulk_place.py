"""How far an import of a file has come

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "bulk_place",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_bulk_place")),
    )


def downgrade() -> None:
    refuse_to_lose("the places of {count} interrupted imports", "bulk_place", below="0008")
    op.drop_table("bulk_place")
