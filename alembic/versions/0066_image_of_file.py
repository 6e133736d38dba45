"""Pictures know which of their rights their files said

Revision: 0066, after 0065
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0066"
down_revision: str | None = "0065"
branch_labels: None = None
depends_on: None = None
LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("image", sa.Column("of_file", LIST, nullable=True))


def downgrade() -> None:
    op.drop_column("image", "of_file")
