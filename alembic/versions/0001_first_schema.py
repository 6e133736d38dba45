"""First schema

Revision: 0001, after
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from service.losing import refuse_to_lose

revision: str = "0001"
down_revision: str | None = None
branch_labels: None = None
depends_on: None = None

JSON_ = sa.JSON().with_variant(JSONB(), "postgresql")


def _store_id() -> str:
    return uuid4().hex if op.get_bind().dialect.name == "sqlite" else str(uuid4())


def upgrade() -> None:
    op.create_table(
        "article_slug",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_article_slug")),
    )
    with op.batch_alter_table("article_slug", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_slug_article_id"), ["article_id"], unique=False)

    op.create_table(
        "consent_notice",
        sa.Column("notice_key", sa.String(), nullable=False),
        sa.Column(
            "consent_model",
            sa.Enum(
                "opt_in",
                "opt_out",
                "notice_only",
                name="consentmodel",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("texts", JSON_, nullable=False),
        sa.Column("purposes", JSON_, nullable=False),
        sa.Column("privacy_notice_url", sa.String(), nullable=True),
        sa.Column("terms_url", sa.String(), nullable=True),
        sa.Column("controller", JSON_, nullable=True),
        sa.Column("jurisdiction", sa.String(), nullable=True),
        sa.Column("validity_days", sa.Integer(), nullable=False),
        sa.Column("requires_reconsent", sa.Boolean(), nullable=True),
        sa.Column("child_directed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "published",
                "retired",
                name="noticestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reconsent_reasons", JSON_, nullable=False),
        sa.Column("valid_for_consent", sa.Boolean(), nullable=False),
        sa.Column("validity_findings", JSON_, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_notice")),
        sa.UniqueConstraint("notice_key", "version", name=op.f("uq_consent_notice_notice_key_version")),
    )
    with op.batch_alter_table("consent_notice", schema=None) as batch_op:
        batch_op.create_index(
            "uq_consent_notice_draft",
            ["notice_key", "language"],
            unique=True,
            postgresql_where=sa.text("status = 'draft'"),
            sqlite_where=sa.text("status = 'draft'"),
        )

    op.create_table(
        "consent_subject",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("secret_digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_subject")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_consent_subject_pseudonym")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_consent_subject_secret_digest")),
    )
    op.create_table(
        "image",
        sa.Column("credit_line", sa.String(), nullable=True),
        sa.Column("copyright_notice", sa.String(), nullable=True),
        sa.Column("usage_terms", sa.String(), nullable=True),
        sa.Column("focal_point", JSON_, nullable=True),
        sa.Column("source_url", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("placeholder", sa.String(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_metadata", JSON_, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
    )
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_source"), ["source"], unique=False)
        batch_op.create_index(
            "uq_image_digest",
            ["digest"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "kept_answer",
        sa.Column("key_digest", sa.String(), nullable=False),
        sa.Column("body_digest", sa.String(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", JSON_, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_kept_answer")),
    )
    with op.batch_alter_table("kept_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kept_answer_claimed_at"), ["claimed_at"], unique=False)

    op.create_table(
        "published",
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
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=True),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_published")),
        sa.UniqueConstraint("seq", name=op.f("uq_published_seq")),
    )
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.create_index(
            "ix_published_language",
            ["kind", "language", "published_at", "id"],
            unique=False,
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.create_index(
            "ix_published_newest",
            ["kind", "published_at", "id"],
            unique=False,
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.create_index(
            "ix_published_section",
            ["kind", "section", "published_at", "id"],
            unique=False,
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.create_index(
            "ix_published_updated",
            ["kind", "updated_at", "id"],
            unique=False,
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )

    op.create_table(
        "published_sequence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_sequence")),
    )
    op.create_table(
        "published_slug",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_published_slug")),
    )
    with op.batch_alter_table("published_slug", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_published_slug_article_id"), ["article_id"], unique=False)

    op.create_table(
        "published_term",
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("field", "value", "id", name=op.f("pk_published_term")),
    )
    with op.batch_alter_table("published_term", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_published_term_id"), ["id"], unique=False)
        batch_op.create_index(
            "ix_published_term_newest", ["field", "value", "published_at", "id"], unique=False
        )

    op.create_table(
        "token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("scopes", JSON_, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_token_digest")),
    )
    op.create_table(
        "article",
        sa.Column("headline", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=True),
        sa.Column("byline", sa.String(), nullable=True),
        sa.Column("authors", JSON_, nullable=False),
        sa.Column("dateline", sa.String(), nullable=True),
        sa.Column("section", sa.String(), nullable=True),
        sa.Column("tags", JSON_, nullable=False),
        sa.Column("credit_line", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("canonical_url", sa.String(), nullable=True),
        sa.Column("body", JSON_, nullable=False),
        sa.Column("embargoed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("usage_terms", sa.String(), nullable=True),
        sa.Column("copyright_notice", sa.String(), nullable=True),
        sa.Column("edition_note", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("lead_image_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "scheduled",
                "published",
                "withdrawn",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_for", sa.String(), nullable=True),
        sa.Column("corrections", JSON_, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_key", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lead_image_id"], ["image.id"], name=op.f("fk_article_lead_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("text_key", name=op.f("uq_article_text_key")),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(
            "ix_article_due",
            ["scheduled_for"],
            unique=False,
            postgresql_where=sa.text("status = 'scheduled'"),
            sqlite_where=sa.text("status = 'scheduled'"),
        )
        batch_op.create_index("ix_article_listed", ["listed_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_updated_at"), ["updated_at"], unique=False)
        batch_op.create_index("uq_article_source_external_id", ["source", "external_id"], unique=True)

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
            sa.Enum(
                "ConsentGiven",
                "RenewedConsentGiven",
                "ConsentRefused",
                "ConsentWithdrawn",
                "ConsentExpired",
                "ConsentInvalidated",
                "ConsentUnknown",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "action",
            sa.Enum(
                "accept_all",
                "reject_all",
                "save",
                "acknowledge",
                "withdraw",
                name="action",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("purposes", JSON_, nullable=False),
        sa.Column("notice_key", sa.String(), nullable=False),
        sa.Column("notice_version", sa.Integer(), nullable=False),
        sa.Column("notice_content_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("ui_surface", sa.String(), nullable=True),
        sa.Column("gpc", sa.Boolean(), nullable=False),
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
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_consent_event_standing", ["pseudonym", "notice_key", "decided_at"], unique=False
        )

    op.create_table(
        "article_term",
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_term_article_id")),
        sa.PrimaryKeyConstraint("field", "value", "article_id", name=op.f("pk_article_term")),
    )
    with op.batch_alter_table("article_term", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_term_article_id"), ["article_id"], unique=False)

    op.create_table(
        "article_version",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "scheduled",
                "published",
                "withdrawn",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", JSON_, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_version_article_id")),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("pk_article_version")),
    )
    op.create_table(
        "caption",
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("alt_text", sa.String(), nullable=True),
        sa.Column(
            "source",
            sa.Enum(
                "manual",
                "embedded",
                "import",
                name="captionsource",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_caption_article_id")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_caption_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caption")),
    )
    with op.batch_alter_table("caption", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_caption_article_id"), ["article_id"], unique=False)
        batch_op.create_index("ix_caption_image_id", ["image_id"], unique=False)
        batch_op.create_index(
            "uq_caption_in_article",
            ["image_id", "article_id", "language"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "uq_caption_of_image",
            ["image_id", "language"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL AND article_id IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL AND article_id IS NULL"),
        )

    op.create_table(
        "image_use",
        sa.Column("image_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("headline", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_image_use_article_id")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_image_use_image_id")),
        sa.PrimaryKeyConstraint("image_id", "article_id", name=op.f("pk_image_use")),
    )
    with op.batch_alter_table("image_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_use_article_id"), ["article_id"], unique=False)

    op.execute(f"INSERT INTO published_sequence (id, store_id, seq) VALUES (1, '{_store_id()}', 0)")
    if op.get_bind().dialect.name == "sqlite":
        for table in ("published_text", "article_text"):
            op.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5(id UNINDEXED, headline, body, tokenize = 'unicode61 remove_diacritics 0')"
            )
    else:
        for table in ("published_text", "article_text"):
            op.execute(
                f"CREATE TABLE {table} (key bigint CONSTRAINT pk_{table} PRIMARY KEY, id uuid NOT NULL, words tsvector NOT NULL)"
            )
            op.execute(f"CREATE INDEX ix_{table}_words ON {table} USING gin (words)")
    # Consent events are only ever added. What erasing a reader needs is let through: these columns may become
    # null.
    erasable = ("consent_id", "dedupe", "request_digest")
    # A published notice is what readers decided on. The only change is that a newer version retires it.
    if op.get_bind().dialect.name == "sqlite":
        columns = {
            table: [row[1] for row in op.get_bind().exec_driver_sql(f"PRAGMA table_info({table})")]
            for table in ("consent_event", "consent_notice")
        }
        kept = " AND ".join(
            f"NEW.{name} IS OLD.{name}" for name in columns["consent_event"] if name not in erasable
        )
        erased = " AND ".join(f"NEW.{name} IS NULL" for name in erasable)
        same = " AND ".join(
            f"NEW.{name} IS OLD.{name}" for name in columns["consent_notice"] if name != "status"
        )
        for name, moment, allowed, told in (
            ("consent_event_no_delete", "DELETE ON consent_event", "0", "consent events are only ever added"),
            (
                "consent_event_no_update",
                "UPDATE ON consent_event",
                f"{kept} AND {erased}",
                "consent events are only ever added",
            ),
            (
                "consent_notice_no_delete",
                "DELETE ON consent_notice",
                "OLD.status = 'draft'",
                "published notices are kept",
            ),
            (
                "consent_notice_no_update",
                "UPDATE ON consent_notice",
                f"OLD.status = 'draft' OR (OLD.status = 'published' AND NEW.status = 'retired' AND {same})",
                "published notices never change",
            ),
        ):
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {moment} WHEN NOT ({allowed}) BEGIN SELECT RAISE(ABORT, '{told}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION consent_event_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF TG_OP = 'UPDATE' AND NEW.consent_id IS NULL AND NEW.dedupe IS NULL AND NEW.request_digest IS NULL"
            "  AND to_jsonb(NEW) - 'consent_id' - 'dedupe' - 'request_digest' = to_jsonb(OLD) - 'consent_id' - 'dedupe' - 'request_digest'"
            " THEN RETURN NEW; END IF;"
            " RAISE EXCEPTION 'consent events are only ever added'; END $$"
        )
        op.execute(
            "CREATE FUNCTION consent_notice_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF TG_OP = 'DELETE' AND OLD.status = 'draft' THEN RETURN OLD; END IF;"
            " IF TG_OP = 'UPDATE' AND (OLD.status = 'draft' OR (OLD.status = 'published' AND NEW.status = 'retired'"
            "  AND to_jsonb(NEW) - 'status' = to_jsonb(OLD) - 'status')) THEN RETURN NEW; END IF;"
            " RAISE EXCEPTION 'published notices never change'; END $$"
        )
        for table in ("consent_event", "consent_notice"):
            op.execute(
                f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
            )
            op.execute(
                f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_stays()"
            )


def downgrade() -> None:
    for table in ("article", "image", "consent_event"):
        refuse_to_lose(f"{{count}} rows of {table}", table, below="0001")
    for table in ("published_text", "article_text"):
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name != "sqlite":
        for table in ("consent_event", "consent_notice"):
            op.execute(f"DROP FUNCTION {table}_stays() CASCADE")
    with op.batch_alter_table("image_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_image_use_article_id"))

    op.drop_table("image_use")
    with op.batch_alter_table("caption", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_caption_of_image",
            postgresql_where=sa.text("deleted_at IS NULL AND article_id IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL AND article_id IS NULL"),
        )
        batch_op.drop_index(
            "uq_caption_in_article",
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index("ix_caption_image_id")
        batch_op.drop_index(batch_op.f("ix_caption_article_id"))

    op.drop_table("caption")
    op.drop_table("article_version")
    with op.batch_alter_table("article_term", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_term_article_id"))

    op.drop_table("article_term")
    with op.batch_alter_table("consent_event", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_event_standing")

    op.drop_table("consent_event")
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index("uq_article_source_external_id")
        batch_op.drop_index(batch_op.f("ix_article_updated_at"))
        batch_op.drop_index("ix_article_listed")
        batch_op.drop_index(
            "ix_article_due",
            postgresql_where=sa.text("status = 'scheduled'"),
            sqlite_where=sa.text("status = 'scheduled'"),
        )

    op.drop_table("article")
    op.drop_table("token")
    with op.batch_alter_table("published_term", schema=None) as batch_op:
        batch_op.drop_index("ix_published_term_newest")
        batch_op.drop_index(batch_op.f("ix_published_term_id"))

    op.drop_table("published_term")
    with op.batch_alter_table("published_slug", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_published_slug_article_id"))

    op.drop_table("published_slug")
    op.drop_table("published_sequence")
    with op.batch_alter_table("published", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_published_updated",
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.drop_index(
            "ix_published_section",
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.drop_index(
            "ix_published_newest",
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )
        batch_op.drop_index(
            "ix_published_language",
            postgresql_where=sa.text("reason IS NULL"),
            sqlite_where=sa.text("reason IS NULL"),
        )

    op.drop_table("published")
    with op.batch_alter_table("kept_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kept_answer_claimed_at"))

    op.drop_table("kept_answer")
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_image_digest",
            postgresql_where=sa.text("deleted_at IS NULL"),
            sqlite_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_image_source"))

    op.drop_table("image")
    op.drop_table("consent_subject")
    with op.batch_alter_table("consent_notice", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_consent_notice_draft",
            postgresql_where=sa.text("status = 'draft'"),
            sqlite_where=sa.text("status = 'draft'"),
        )

    op.drop_table("consent_notice")
    with op.batch_alter_table("article_slug", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_slug_article_id"))

    op.drop_table("article_slug")
