"""A published text is indexed in the order of its article's time

Revision: 0021, after 0020

A row without `text_key` is indexed under its number, as the version before did. Rows are indexed anew in the
background, and found as before until then.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.add_column("published", sa.Column("text_key", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    # The version before looks for an article under its number, and may have indexed it there since.
    key = "rowid" if op.get_context().dialect.name == "sqlite" else "key"
    row = (
        "FROM published WHERE kind = 'article' AND published.id = published_text.id"
        f" AND published.text_key = published_text.{key}"
    )
    newer = (
        f"SELECT 1 FROM published_text AS newer WHERE newer.{key} = published.seq AND newer.id = published.id"
    )
    op.execute(f"DELETE FROM published_text WHERE EXISTS (SELECT 1 {row} AND EXISTS ({newer}))")
    op.execute(f"UPDATE published_text SET {key} = (SELECT seq {row}) WHERE EXISTS (SELECT 1 {row})")
    op.drop_column("published", "text_key")
