"""Pictures can be withdrawn

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("image", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("image", sa.Column("withdrawn_for", sa.String(), nullable=True))


def downgrade() -> None:
    refuse_to_lose("that {count} images are withdrawn", "image WHERE withdrawn_at IS NOT NULL", below="0024")
    op.drop_column("image", "withdrawn_for")
    op.drop_column("image", "withdrawn_at")
