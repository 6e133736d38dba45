"""Webhooks warn the house itself

Revision: 0040, after 0039
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.losing import refuse_to_lose

revision: str = "0040"
down_revision: str | None = "0039"
branch_labels: None = None
depends_on: None = None
LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("webhook", sa.Column("notices", LIST, server_default="[]", nullable=False))


def downgrade() -> None:
    wanted = "webhook WHERE CAST(notices AS TEXT) <> '[]'"
    refuse_to_lose("what {count} webhooks warn of", wanted, below="0040")
    op.drop_column("webhook", "notices")
