"""Keep the former facts of resources, for holders of contracts, and the token of each webhook

Revision: 0059, after 0058
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0059"
down_revision: str | None = "0058"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "published_former",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("tags", sa.String(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "mark", name=op.f("pk_published_former")),
    )
    op.add_column("webhook", sa.Column("token_id", sa.Uuid(), nullable=True))
    op.add_column("webhook", sa.Column("contract_ended_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    refuse_to_lose("what {count} resources were", "published_former", below="0059")
    # A version that does not know of contracts would tell of everything.
    op.execute("UPDATE webhook SET enabled = false WHERE token_id IS NOT NULL")
    op.drop_column("webhook", "contract_ended_at")
    op.drop_column("webhook", "token_id")
    op.drop_table("published_former")
