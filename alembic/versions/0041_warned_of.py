"""Pictures say of which end it was warned

Revision: 0041, after 0040
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("image", sa.Column("warned_of", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("image", "warned_of")
