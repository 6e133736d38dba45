"""An integrator's own key of a picture

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: None = None
depends_on: None = None

LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.add_column(sa.Column("external_id", sa.String(), nullable=True))
        batch_op.create_index(
            "uq_image_source_external_id",
            ["source", "external_id"],
            unique=True,
            postgresql_where=LIVE,
            sqlite_where=LIVE,
        )


def downgrade() -> None:
    refuse_to_lose("the external ids of {count} images", "image WHERE external_id IS NOT NULL", below="0009")
    # In place: SQLite refuses to drop and make anew a table that others refer to.
    op.drop_index("uq_image_source_external_id", "image")
    op.drop_column("image", "external_id")
