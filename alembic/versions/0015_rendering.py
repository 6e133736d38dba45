"""Each published row says by which rendering its document was made

Revision: 0015, after 0014

Processes of the version before may still write while this version serves, and do not know the column. On
PostgreSQL two triggers therefore take a row's rendering back when a new document comes without one: the first
marks every new document as unknown, by a negative number, and the second, which runs only for statements that
name the column, undoes that. A later migration removes both.
"""

import sqlalchemy as sa
from alembic import op

from service.losing import refuse_to_lose

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: None = None
depends_on: None = None

TRIGGERS = """
CREATE FUNCTION published_rendering_unsaid() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.rendering := -abs(NEW.rendering); RETURN NEW; END $$;
CREATE FUNCTION published_rendering_said() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.rendering := abs(NEW.rendering); RETURN NEW; END $$;
CREATE TRIGGER published_rendering_1 BEFORE UPDATE ON published
FOR EACH ROW WHEN (NEW.seq <> OLD.seq) EXECUTE FUNCTION published_rendering_unsaid();
CREATE TRIGGER published_rendering_2 BEFORE UPDATE OF rendering ON published
FOR EACH ROW WHEN (NEW.seq <> OLD.seq) EXECUTE FUNCTION published_rendering_said();
"""
NO_TRIGGERS = """
DROP TRIGGER published_rendering_1 ON published;
DROP TRIGGER published_rendering_2 ON published;
DROP FUNCTION published_rendering_unsaid();
DROP FUNCTION published_rendering_said();
"""


def upgrade() -> None:
    op.create_table(
        "published_rendering",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("settings", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_rendering")),
    )
    op.create_table(
        "published_awaiting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("below", sa.Uuid(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_awaiting")),
    )
    op.add_column("published", sa.Column("rendering", sa.Integer(), nullable=False, server_default="0"))
    if op.get_context().dialect.name == "postgresql":
        op.execute(TRIGGERS)


def downgrade() -> None:
    # `copydesk render` ends them all.
    refuse_to_lose("{count} changed pictures that articles await", "published_awaiting", below="0015")
    if op.get_context().dialect.name == "postgresql":
        op.execute(NO_TRIGGERS)
    op.drop_column("published", "rendering")
    op.drop_table("published_awaiting")
    op.drop_table("published_rendering")
