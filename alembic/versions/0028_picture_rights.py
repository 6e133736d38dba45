"""Pictures say from when, until when and where they may be shown

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.losing import refuse_to_lose

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: None = None
depends_on: None = None
LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIMES = ("usable_from", "usable_until", "opens_at", "expired_at")


def upgrade() -> None:
    for name in TIMES:
        op.add_column("image", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("image", sa.Column("usable_in", LIST, nullable=True))
    op.add_column("image", sa.Column("is_off_web", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    # No place is JSON's null, not SQL's.
    places = "CAST(usable_in AS TEXT) <> 'null'"
    limited = f"image WHERE usable_from IS NOT NULL OR usable_until IS NOT NULL OR {places}"
    refuse_to_lose("the rights of {count} images", limited, below="0028")
    op.drop_column("image", "is_off_web")
    op.drop_column("image", "usable_in")
    for name in reversed(TIMES):
        op.drop_column("image", name)
