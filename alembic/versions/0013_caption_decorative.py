"""Pictures that only decorate

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    # With a default of the database's own: the previous version writes captions meanwhile, and knows no such
    # column.
    op.add_column("caption", sa.Column("decorative", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    rows = "caption WHERE decorative AND deleted_at IS NULL"
    refuse_to_lose("that {count} captions call their picture decorative", rows, below="0013")
    op.drop_column("caption", "decorative")
