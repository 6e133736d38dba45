"""The only tables that readers' queries reach."""

import enum
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from service.tables import Table, Time, now, text_enum


class Kind(enum.StrEnum):
    """What a published row is."""

    ARTICLE = "article"
    IMAGE = "image"
    CAPTION = "caption"
    NOTICE = "notice"


def all_but(kinds: Collection[Kind]) -> list[Kind]:
    """The other kinds, by which whoever reads by `seq` leaves them out.

    For `kind IN (…)` SQLite would read all of these kinds by an index that begins with it, and sort them, for
    each page.
    """
    return [kind for kind in Kind if kind not in kinds]


class Reason(enum.StrEnum):
    """Why a resource is no longer public."""

    DELETED = "deleted"
    UNPUBLISHED = "unpublished"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class PublishedSequence(Table, table=True):
    """One row: this store's own id, the number of the last change, and the highest number of a tombstone that
    is no longer kept.
    """

    __tablename__ = "published_sequence"

    id: int = Field(default=1, primary_key=True)
    store_id: UUID
    seq: int = Field(sa_type=BigInteger)
    pruned_seq: int = Field(default=0, sa_type=BigInteger)


def _live(name: str, *columns: str) -> Index:
    """What a list walks, with what it may be filtered by: the rows that a filter leaves out are not read.

    A section and a source, of 2,000 bytes each, are never in one index: PostgreSQL takes 2,700.
    """
    where = text("reason IS NULL")
    return Index(f"ix_published_{name}", "kind", *columns, postgresql_where=where, sqlite_where=where)


class Published(Table, table=True):
    """One public resource: the JSON that readers get and the number of its last change; a tombstone when
    `reason` is set.
    """

    __tablename__ = "published"
    __table_args__ = (
        _live("newest", "published_at", "id", "source"),
        _live("updated", "updated_at", "id", "section", "language"),
        _live("section", "section", "published_at", "id", "language"),
        _live("language", "language", "published_at", "id", "section"),
        Index(
            "ix_published_buried",
            "changed_at",
            postgresql_where=text("reason IS NOT NULL"),
            sqlite_where=text("reason IS NOT NULL"),
        ),
    )

    kind: Kind = Field(primary_key=True, sa_type=text_enum(Kind))
    id: UUID = Field(primary_key=True)
    seq: int = Field(unique=True, sa_type=BigInteger)
    version: int
    reason: Reason | None = Field(default=None, sa_type=text_enum(Reason))
    detail: str | None = None
    changed_at: Time = Field(default_factory=now)
    etag: str
    slug: str | None = None
    section: str | None = None
    language: str | None = None
    source: str | None = None
    published_at: Time
    updated_at: Time
    # Last: SQLite reads what stands after a document through all the document's pages.
    document: bytes


class PublishedSlug(Table, table=True):
    """Every slug, past and present, under which a published article answers."""

    __tablename__ = "published_slug"

    slug: str = Field(primary_key=True)
    article_id: UUID = Field(index=True)


class PublishedTerm(Table, table=True):
    """What an article can be found by: its tags, its authors, and the images that it shows."""

    __tablename__ = "published_term"
    __table_args__ = (Index("ix_published_term_newest", "field", "value", "published_at", "id"),)

    field: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True, index=True)
    published_at: Time


class PublishedPast(Table, table=True):
    """A section and language that a public resource has left, and the number of the change with which it did.

    Empty stands for none: a primary key takes no null.
    """

    __tablename__ = "published_past"

    kind: Kind = Field(primary_key=True, sa_type=text_enum(Kind))
    id: UUID = Field(primary_key=True)
    section: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    until_seq: int = Field(sa_type=BigInteger)


class WorkingChange(Table, table=True):
    """The number of the last change of one working resource, drafts included: what the staff's view of the
    feed is read from.
    """

    __tablename__ = "working_change"

    kind: Kind = Field(primary_key=True, sa_type=text_enum(Kind))
    id: UUID = Field(primary_key=True)
    seq: int = Field(unique=True, sa_type=BigInteger)
    changed_at: Time
