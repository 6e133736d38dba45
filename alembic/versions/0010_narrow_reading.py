"""A page of a list, and a window of the feed, are found without reading what they leave out

Revision: 0010, after 0009

The indexes that lists walk hold what lists are filtered by too. On SQLite a row's columns are read in order,
and one that stands after a large document is read through all its pages: so documents stand last.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: None = None
depends_on: None = None

KEPT = sa.text("deleted_at IS NULL")
LIVE = sa.text("reason IS NULL")
WALKED = {
    "ix_article_listed": ("article", ["listed_at", "id", "status", "section", "language"]),
    "ix_article_updated": ("article", ["updated_at", "id", "status", "section", "language"]),
    "ix_image_newest": ("image", ["created_at", "id", "source"]),
    "ix_caption_newest": ("caption", ["created_at", "id", "language", "source"]),
}
PUBLISHED = {
    "ix_published_newest": ["kind", "published_at", "id"],
    "ix_published_updated": ["kind", "updated_at", "id"],
    "ix_published_section": ["kind", "section", "published_at", "id"],
    "ix_published_language": ["kind", "language", "published_at", "id"],
}
FILTERED = {
    "ix_published_newest": ["source"],
    "ix_published_updated": ["section", "language"],
    "ix_published_section": ["language"],
    "ix_published_language": ["section"],
}


def upgrade() -> None:
    op.drop_index("ix_article_listed", "article")
    op.drop_index("ix_article_updated_at", "article")
    op.drop_index("ix_image_source", "image")
    for name, (table, columns) in WALKED.items():
        op.create_index(name, table, columns, sqlite_where=KEPT, postgresql_where=KEPT)
    op.create_index(
        "ix_image_source_url",
        "image",
        ["source_url"],
        postgresql_using="hash",
        sqlite_where=KEPT,
        postgresql_where=KEPT,
    )
    # Before a row of an image may go, the database asks whether an article leads with it.
    op.create_index("ix_article_lead_image_id", "article", ["lead_image_id"])
    for name in PUBLISHED:
        op.drop_index(name, "published")
    if op.get_context().dialect.name == "sqlite":
        _put_documents_last()
    for name, columns in PUBLISHED.items():
        op.create_index(
            name, "published", [*columns, *FILTERED[name]], sqlite_where=LIVE, postgresql_where=LIVE
        )


def _put_documents_last() -> None:
    op.drop_index("ix_published_buried", "published")
    op.rename_table("published", "published_before")
    columns = (
        sa.Column(
            "kind",
            sa.Enum(
                "article",
                "image",
                "caption",
                "notice",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "deleted",
                "unpublished",
                "withdrawn",
                "expired",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=True),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "published",
        *columns,
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_published")),
        sa.UniqueConstraint("seq", name=op.f("uq_published_seq")),
    )
    names = ", ".join(column.name for column in columns)
    op.execute(f"INSERT INTO published ({names}) SELECT {names} FROM published_before ORDER BY seq")
    op.drop_table("published_before")
    buried = sa.text("reason IS NOT NULL")
    op.create_index("ix_published_buried", "published", ["changed_at"], sqlite_where=buried)


def downgrade() -> None:
    # The order of the columns stays: nothing depends on it.
    for name, columns in PUBLISHED.items():
        op.drop_index(name, "published")
        op.create_index(name, "published", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    op.drop_index("ix_article_lead_image_id", "article")
    op.drop_index("ix_image_source_url", "image")
    for name, (table, _) in WALKED.items():
        op.drop_index(name, table)
    op.create_index("ix_image_source", "image", ["source"])
    op.create_index("ix_article_updated_at", "article", ["updated_at"])
    op.create_index("ix_article_listed", "article", ["listed_at", "id"])
