"""Keep the hashes of spans of numbers; triggers drop that of a span when a row of it changes

Revision: 0064, after 0063

The version before may still write while this version serves, and a command may write by itself: whoever
changes a published row has its span hashed again, because the database sees to it.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0064"
down_revision: str | None = "0063"
branch_labels: None = None
depends_on: None = None

SPAN = 1_000
DIFFERS = "(OLD.seq <> NEW.seq OR OLD.version <> NEW.version OR OLD.etag <> NEW.etag OR (OLD.reason IS NULL) <> (NEW.reason IS NULL))"
WHEN = {
    "insert": "NEW.reason IS NULL",
    "update": f"(OLD.reason IS NULL OR NEW.reason IS NULL) AND {DIFFERS}",
    "delete": "OLD.reason IS NULL",
}
NUMBERS = {
    "insert": f"(NEW.seq - 1) / {SPAN}",
    "update": f"(OLD.seq - 1) / {SPAN}, (NEW.seq - 1) / {SPAN}",
    "delete": f"(OLD.seq - 1) / {SPAN}",
}


def upgrade() -> None:
    op.create_table(
        "published_span",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_published_span")),
    )
    for moment, numbers in NUMBERS.items():
        name, dropped = (
            f"published_span_{moment}",
            f"DELETE FROM published_span WHERE number IN ({numbers})",
        )
        before = (
            f"CREATE TRIGGER {name} AFTER {moment.upper()} ON published FOR EACH ROW WHEN ({WHEN[moment]})"
        )
        if op.get_context().dialect.name == "postgresql":
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN {dropped}; RETURN NULL; END $$"
            )
            op.execute(f"{before} EXECUTE FUNCTION {name}()")
        else:
            op.execute(f"{before} BEGIN {dropped}; END")


def downgrade() -> None:
    is_postgres = op.get_context().dialect.name == "postgresql"
    for moment in NUMBERS:
        name = f"published_span_{moment}"
        op.execute(f"DROP TRIGGER {name} ON published" if is_postgres else f"DROP TRIGGER {name}")
        if is_postgres:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("published_span")
