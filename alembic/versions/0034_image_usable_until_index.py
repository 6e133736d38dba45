"""Pictures whose licence ends are found by an index

Revision: 0034, after 0033
"""

import sqlalchemy as sa

from service.indexes import build_index, drop_index

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: None = None
depends_on: None = None
WHERE = sa.text("usable_until IS NOT NULL AND expired_at IS NULL")


def upgrade() -> None:
    build_index("ix_image_usable_until", "image", ["usable_until"], where=WHERE)


def downgrade() -> None:
    drop_index("ix_image_usable_until", "image")
