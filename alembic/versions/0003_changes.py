"""Changes can be followed: working changes are numbered too, former sections remembered, tombstones forgotten
in time

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: None = None
depends_on: None = None

KIND = sa.Enum(
    "article", "image", "caption", "notice", name="kind", native_enum=False, create_constraint=True, length=32
)


def upgrade() -> None:
    with op.batch_alter_table("published_sequence", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pruned_seq", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("published_sequence", schema=None) as batch_op:
        batch_op.alter_column("pruned_seq", server_default=None)
    buried = sa.text("reason IS NOT NULL")
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.create_index(
            "ix_published_buried", ["changed_at"], unique=False, postgresql_where=buried, sqlite_where=buried
        )
    op.create_table(
        "published_past",
        sa.Column("kind", KIND, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "section", "language", name=op.f("pk_published_past")),
    )
    op.create_table(
        "working_change",
        sa.Column("kind", KIND, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_working_change")),
        sa.UniqueConstraint("seq", name=op.f("uq_working_change_seq")),
    )
    # What is there already is numbered now, captions and images before the articles that show them.
    for kind in ("caption", "image", "article"):
        op.execute(
            f"INSERT INTO working_change (kind, id, seq, changed_at) SELECT '{kind}', id,"
            f" (SELECT seq FROM published_sequence) + row_number() OVER (ORDER BY updated_at, id), updated_at FROM {kind}"
        )
        op.execute(f"UPDATE published_sequence SET seq = seq + (SELECT count(*) FROM {kind})")


def downgrade() -> None:
    refuse_to_lose("the former sections and languages of {count} resources", "published_past", below="0003")
    pruned = "published_sequence WHERE pruned_seq > 0"
    refuse_to_lose("up to which change removals were forgotten", pruned, below="0003")
    op.drop_table("working_change")
    op.drop_table("published_past")
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.drop_index("ix_published_buried")
    with op.batch_alter_table("published_sequence", schema=None) as batch_op:
        batch_op.drop_column("pruned_seq")
