"""Events that await the log stand in a queue, in the order of their commits

Revision: 0011, after 0010

A trigger fills it, so that processes of the release before fill it too. The row without an event says that
all events have to be looked over once: those that were recorded before this are in no queue.
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: None = None
depends_on: None = None


def upgrade() -> None:
    op.create_table(
        "consent_unsealed",
        sa.Column(
            "place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_consent_unsealed")),
    )
    op.execute("INSERT INTO consent_unsealed (event_id) VALUES (NULL)")
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER consent_event_awaits AFTER INSERT ON consent_event"
            " BEGIN INSERT INTO consent_unsealed (event_id) VALUES (NEW.event_id); END"
        )
        return
    op.execute(
        "CREATE FUNCTION consent_event_awaits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO consent_unsealed (event_id) SELECT event_id FROM added; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER consent_event_awaits AFTER INSERT ON consent_event REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION consent_event_awaits()"
    )


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER consent_event_awaits")
    else:
        op.execute("DROP TRIGGER consent_event_awaits ON consent_event")
        op.execute("DROP FUNCTION consent_event_awaits()")
    op.drop_table("consent_unsealed")
