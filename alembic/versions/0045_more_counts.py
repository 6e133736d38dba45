"""Articles are counted by language and source too, and resources by their kind

Revision: 0045, after 0044

`counted_as` says which names the last count knew. It is null after one of the version before.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published_sequence", sa.Column("counted_as", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM published_name WHERE field NOT IN ('section', 'tag', 'author')")
    op.drop_column("published_sequence", "counted_as")
