"""A published row says which lists it has joined or left

Revision: 0038, after 0037

A row that does not say it yet counts as having moved everywhere, until it is written again.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0038"
down_revision: str | None = "0037"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published", sa.Column("moves", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("published", "moves")
