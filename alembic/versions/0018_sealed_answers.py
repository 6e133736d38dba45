"""A kept answer that holds a secret is sealed

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # With a default of the database's own, because the previous version keeps answers meanwhile.
    op.add_column(
        "kept_answer", sa.Column("is_sealed", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.execute("DELETE FROM kept_answer WHERE is_sealed")
    op.drop_column("kept_answer", "is_sealed")
