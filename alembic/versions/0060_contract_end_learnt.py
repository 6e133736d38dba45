"""When holders of copies learnt that their contracts have ended

Revision: 0060, after 0059
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0060"
down_revision: str | None = "0059"
branch_labels: None = None
depends_on: None = None
COLUMNS = ("end_told_at", "dropped_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("copy_holder", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # The older version takes these holders for holders still, which errs on the side of asking them.
    for name in reversed(COLUMNS):
        op.drop_column("copy_holder", name)
