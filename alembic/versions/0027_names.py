"""How many published articles have each section, tag and author is kept

Revision: 0027, after 0026

The counts are filled by `serve`, a few names at a time: `counted_at` is null until it has come to the end.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "published_name",
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("field", "value", name=op.f("pk_published_name")),
        sqlite_with_rowid=False,
    )
    op.add_column("published_sequence", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("published_sequence", "counted_at")
    op.drop_table("published_name")
