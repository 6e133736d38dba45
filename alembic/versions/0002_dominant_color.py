"""The dominant colour of a picture

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dominant_color", sa.String(), nullable=True))


def downgrade() -> None:
    rows = "image WHERE dominant_color IS NOT NULL"
    refuse_to_lose("the dominant colours of {count} images", rows, below="0002")
    op.drop_column("image", "dominant_color")
