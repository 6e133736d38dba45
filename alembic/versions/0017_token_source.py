"""A token may be bound to the items of one source

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("token", sa.Column("source", sa.String(), nullable=True))


def downgrade() -> None:
    bound = "token WHERE source IS NOT NULL"
    refuse_to_lose("that {count} tokens are bound to a source", bound, below="0017")
    # Without its source a token would write everything: it is revoked.
    op.execute("UPDATE token SET revoked_at = created_at WHERE source IS NOT NULL AND revoked_at IS NULL")
    op.drop_column("token", "source")
