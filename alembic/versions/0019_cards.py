"""What lists give of an article, and what an image's files are made from, stand beside the document

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published", sa.Column("card", sa.LargeBinary(), nullable=True))
    op.add_column("published", sa.Column("negative", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("published", "negative")
    op.drop_column("published", "card")
