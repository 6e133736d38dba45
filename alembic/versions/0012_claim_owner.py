"""A claim on an idempotency key has an owner

Revision: 0012, after 0011

The previous version goes on serving meanwhile: its claims have no owner, and lapse within a minute.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("kept_answer", sa.Column("owner", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column("kept_answer", "owner")
