"""The log of consent events, counts of impressions, and what retention needs

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.losing import refuse_to_lose

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: None = None
depends_on: None = None

JSON_ = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ACTIONS = ("accept_all", "reject_all", "save", "acknowledge", "withdraw")
STATES = (
    "ConsentGiven",
    "RenewedConsentGiven",
    "ConsentRefused",
    "ConsentWithdrawn",
    "ConsentExpired",
    "ConsentInvalidated",
    "ConsentUnknown",
)
ERASABLE = ("consent_id", "dedupe", "request_digest")
ADDED = "consent events are only ever added"
LOGGED = "the log is only ever added to"


def upgrade() -> None:
    op.create_table(
        "consent_leaf",
        sa.Column("leaf_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_consent_leaf")),
        sa.UniqueConstraint("event_id", name=op.f("uq_consent_leaf_event_id")),
    )
    op.create_index(op.f("ix_consent_leaf_hashes"), "consent_leaf", ["hashes"])
    op.create_table(
        "consent_tree_head",
        sa.Column("tree_size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tree_size", name=op.f("pk_consent_tree_head")),
    )
    op.create_table(
        "consent_impression",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("notice_key", sa.String(), nullable=False),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("ui_surface", sa.String(), nullable=False),
        sa.Column("impressions", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_key", "notice_version"],
            ["consent_notice.notice_key", "consent_notice.version"],
            name=op.f("fk_consent_impression_notice_key_notice_version"),
        ),
        sa.PrimaryKeyConstraint(
            "day", "notice_key", "notice_version", "country", "ui_surface", name=op.f("pk_consent_impression")
        ),
    )
    op.create_table(
        "consent_retention",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_retention")),
    )
    _change_events([*ACTIONS, "expire"], with_country=True)


def downgrade() -> None:
    refuse_to_lose("the consent log of {count} entries", "consent_leaf", below="0004")
    refuse_to_lose("{count} counts of impressions", "consent_impression", below="0004")
    refuse_to_lose("{count} ends of decisions", "consent_event WHERE action = 'expire'", below="0004")
    refuse_to_lose(
        "the countries of {count} decisions", "consent_event WHERE country IS NOT NULL", below="0004"
    )
    refuse_to_lose("{count} notes of what retention removed", "consent_retention", below="0004")
    _change_events(list(ACTIONS), with_country=False)
    op.drop_table("consent_retention")
    op.drop_table("consent_impression")
    op.drop_table("consent_tree_head")
    op.drop_table("consent_leaf")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION consent_log_stays() CASCADE")


def _change_events(actions: list[str], *, with_country: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite(*_make_anew(actions, with_country=with_country), with_log=with_country)
        return
    if with_country:
        op.add_column("consent_event", sa.Column("country", sa.String(), nullable=True))
        op.create_index("ix_consent_event_valid_until", "consent_event", ["valid_until"])
    else:
        op.execute("ALTER TABLE consent_event DISABLE TRIGGER USER")
        op.execute("DELETE FROM consent_event WHERE action = 'expire'")
        op.execute("ALTER TABLE consent_event ENABLE TRIGGER USER")
        op.drop_index("ix_consent_event_valid_until", "consent_event")
        op.drop_column("consent_event", "country")
    op.drop_constraint(op.f("ck_consent_event_action"), "consent_event", type_="check")
    listed = ", ".join(f"'{action}'" for action in actions)
    op.create_check_constraint(op.f("ck_consent_event_action"), "consent_event", f"action IN ({listed})")
    _guard_on_postgresql(with_log=with_country)


def _make_anew(actions: list[str], *, with_country: bool) -> tuple[list[str], list[str]]:
    """SQLite cannot change a check: the table is written anew, and its guards with it."""
    for name in ("consent_event_no_delete", "consent_event_no_update"):
        op.execute(f"DROP TRIGGER {name}")
    before = _columns("consent_event")
    op.drop_index("ix_consent_event_standing", "consent_event")
    op.rename_table("consent_event", "consent_event_before")
    op.create_table(
        "consent_event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_event_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "event_state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "action",
            sa.Enum(*actions, name="action", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("purposes", JSON_, nullable=False),
        sa.Column("notice_key", sa.String(), nullable=False),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("notice_content_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("ui_surface", sa.String(), nullable=True),
        sa.Column("gpc", sa.Boolean(), nullable=False),
        *([sa.Column("country", sa.String(), nullable=True)] if with_country else []),
        sa.Column("consent_id", sa.String(), nullable=True),
        sa.Column("previous_event_id", sa.Uuid(), nullable=True),
        sa.Column("dedupe", sa.String(), nullable=True),
        sa.Column("request_digest", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice_key", "notice_version"],
            ["consent_notice.notice_key", "consent_notice.version"],
            name=op.f("fk_consent_event_notice_key_notice_version"),
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_consent_event")),
        sa.UniqueConstraint("dedupe", name=op.f("uq_consent_event_dedupe")),
    )
    columns = _columns("consent_event")
    both = ", ".join(name for name in columns if name in before)
    known = ", ".join(f"'{action}'" for action in actions)
    op.execute(
        f"INSERT INTO consent_event ({both}) SELECT {both} FROM consent_event_before WHERE action IN ({known}) ORDER BY event_id"
    )
    op.drop_table("consent_event_before")
    op.create_index("ix_consent_event_standing", "consent_event", ["pseudonym", "notice_key", "decided_at"])
    if with_country:
        op.create_index("ix_consent_event_valid_until", "consent_event", ["valid_until"])
    return columns, ["leaf_index", "hashes"]


def _columns(table: str) -> list[str]:
    return [row[1] for row in op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})")]


def _guard_on_sqlite(event: list[str], leaf: list[str], *, with_log: bool) -> None:
    kept = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in event if name not in ERASABLE)
    erased = " AND ".join(f"NEW.{name} IS NULL" for name in ERASABLE)
    past = "max(coalesce(OLD.valid_until, OLD.event_time), OLD.event_time) < (SELECT max(before) FROM consent_retention)"
    guards = [
        (
            "consent_event_no_delete",
            "DELETE ON consent_event",
            f"coalesce({past}, 0)" if with_log else "0",
            ADDED,
        ),
        ("consent_event_no_update", "UPDATE ON consent_event", f"{kept} AND {erased}", ADDED),
    ]
    if with_log:
        same = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in leaf)
        guards += [
            ("consent_leaf_no_delete", "DELETE ON consent_leaf", "0", LOGGED),
            ("consent_leaf_no_update", "UPDATE ON consent_leaf", f"{same} AND NEW.event_id IS NULL", LOGGED),
            ("consent_tree_head_no_delete", "DELETE ON consent_tree_head", "0", LOGGED),
            ("consent_tree_head_no_update", "UPDATE ON consent_tree_head", "0", LOGGED),
        ]
    for name, moment, allowed, told in guards:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {moment} WHEN NOT ({allowed}) BEGIN SELECT RAISE(ABORT, '{told}'); END"
        )


def _guard_on_postgresql(*, with_log: bool) -> None:
    past = (
        " IF TG_OP = 'DELETE' AND greatest(OLD.valid_until, OLD.event_time) < (SELECT max(before) FROM consent_retention)"
        " THEN RETURN OLD; END IF;"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION consent_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'UPDATE' AND NEW.consent_id IS NULL AND NEW.dedupe IS NULL AND NEW.request_digest IS NULL"
        "  AND to_jsonb(NEW) - 'consent_id' - 'dedupe' - 'request_digest' = to_jsonb(OLD) - 'consent_id' - 'dedupe' - 'request_digest'"
        f" THEN RETURN NEW; END IF;{past if with_log else ''}"
        f" RAISE EXCEPTION '{ADDED}'; END $$"
    )
    if with_log:
        op.execute(
            "CREATE FUNCTION consent_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF TG_OP = 'UPDATE' AND to_jsonb(NEW) ? 'event_id' AND to_jsonb(NEW)->>'event_id' IS NULL"
            "  AND to_jsonb(NEW) - 'event_id' = to_jsonb(OLD) - 'event_id' THEN RETURN NEW; END IF;"
            f" RAISE EXCEPTION '{LOGGED}'; END $$"
        )
        for table in ("consent_leaf", "consent_tree_head"):
            op.execute(
                f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION consent_log_stays()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION consent_log_stays()"
            )
