"""An article is shown before readers see it, to whoever has the address of a preview

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "article_preview",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_preview_article_id_article")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_preview")),
        sa.UniqueConstraint("digest", name=op.f("uq_article_preview_digest")),
    )
    for column in ("article_id", "expires_at"):
        op.create_index(op.f(f"ix_article_preview_{column}"), "article_preview", [column])


def downgrade() -> None:
    op.drop_table("article_preview")
