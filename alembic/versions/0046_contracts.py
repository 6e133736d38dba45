"""Tokens may carry a contract

Revision: 0046, after 0045
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.losing import refuse_to_lose

revision: str = "0046"
down_revision: str | None = "0045"
branch_labels: None = None
depends_on: None = None

CONTRACT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("token", sa.Column("contract", CONTRACT, nullable=True))


def downgrade() -> None:
    bound = "token WHERE CAST(contract AS TEXT) <> 'null'"
    refuse_to_lose("the contracts of {count} tokens", bound, below="0046")
    # Without its contract a token would read everything: it is revoked.
    op.execute(
        "UPDATE token SET revoked_at = created_at WHERE CAST(contract AS TEXT) <> 'null' AND revoked_at IS NULL"
    )
    op.drop_column("token", "contract")
