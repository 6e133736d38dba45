"""Keep the hashes of spans with what has gone, too; triggers drop them when a removal comes, changes or goes

Revision: 0065, after 0064

A row that the version before has written has no such hash, and is hashed again when somebody asks for it.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0065"
down_revision: str | None = "0064"
branch_labels: None = None
depends_on: None = None

SPAN = 1_000
DIFFERS = "(OLD.seq <> NEW.seq OR OLD.version <> NEW.version OR OLD.reason <> NEW.reason OR coalesce(OLD.detail, '') <> coalesce(NEW.detail, ''))"
WHEN = {
    "insert": "NEW.reason IS NOT NULL",
    "update": f"OLD.reason IS NOT NULL AND NEW.reason IS NOT NULL AND {DIFFERS}",
    "delete": "OLD.reason IS NOT NULL",
}
NUMBERS = {
    "insert": f"(NEW.seq - 1) / {SPAN}",
    "update": f"(OLD.seq - 1) / {SPAN}, (NEW.seq - 1) / {SPAN}",
    "delete": f"(OLD.seq - 1) / {SPAN}",
}


def upgrade() -> None:
    op.add_column("published_span", sa.Column("all_entries", sa.Integer(), nullable=True))
    op.add_column("published_span", sa.Column("all_digest", sa.String(), nullable=True))
    for moment, numbers in NUMBERS.items():
        before = (
            f"CREATE TRIGGER published_span_gone_{moment} AFTER {moment.upper()} ON published"
            f" FOR EACH ROW WHEN ({WHEN[moment]})"
        )
        if op.get_context().dialect.name == "postgresql":
            # The functions of 0064 drop the same spans.
            op.execute(f"{before} EXECUTE FUNCTION published_span_{moment}()")
        else:
            op.execute(f"{before} BEGIN DELETE FROM published_span WHERE number IN ({numbers}); END")


def downgrade() -> None:
    is_postgres = op.get_context().dialect.name == "postgresql"
    for moment in NUMBERS:
        name = f"published_span_gone_{moment}"
        op.execute(f"DROP TRIGGER {name} ON published" if is_postgres else f"DROP TRIGGER {name}")
    op.drop_column("published_span", "all_digest")
    op.drop_column("published_span", "all_entries")
