"""Pictures whose licence begins are found by an index

Revision: 0033, after 0032
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("opens_at IS NOT NULL")


def upgrade() -> None:
    build_index("ix_image_opens_at", "image", ["opens_at"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_image_opens_at", "image")
