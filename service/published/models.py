"""The only tables that readers' queries reach."""

import enum
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from service.tables import Table, Time, new_id, now, text_enum

UNKNOWN_RENDERING = 0
"""The rendering of a row that was written by a version which did not say: it is older than every other."""


class Kind(enum.StrEnum):
    """The kind of a published row."""

    ARTICLE = "article"
    IMAGE = "image"
    CAPTION = "caption"
    NOTICE = "notice"


def all_but(kinds: Collection[Kind]) -> list[Kind]:
    """Return the other kinds, for a query by `seq` with `kind NOT IN (…)`.

    With `kind IN (…)` SQLite would take an index that begins with `kind`, and read and sort all of these rows
    for each page.
    """
    return [kind for kind in Kind if kind not in kinds]


class Reason(enum.StrEnum):
    """The reason why a resource is no longer public."""

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
    timeline: str | None = None
    counted_at: Time | None = None
    """The time at which the last finished count of all names began."""
    reached_at: Time | None = None
    """The latest time up to which rights that end were looked for: the clock counts from there after it was
    set back.
    """
    counted_as: int | None = None
    """The names that this count knew, by a number in the code: an older version counts fewer."""


class Epoch(Table, table=True):
    """A history of this store: the numbers after `from_seq`, up to where the next epoch begins."""

    __tablename__ = "published_epoch"

    number: int | None = Field(default=None, primary_key=True)
    mark: str = Field(unique=True)
    from_seq: int = Field(sa_type=BigInteger)
    begun_at: Time


def _live(name: str, *columns: str) -> Index:
    """Return the index that a list walks. It holds the filtered columns too, so that a row that a filter
    leaves out is not read.

    A section and a source, of 2,000 bytes each, are never in one index: PostgreSQL takes 2,700.
    """
    where = text("reason IS NULL")
    return Index(f"ix_published_{name}", "kind", *columns, postgresql_where=where, sqlite_where=where)


def _ends(column: str) -> Index:
    where = text(f"reason IS NULL AND {column} IS NOT NULL")
    return Index(f"ix_published_{column}", "kind", column, "id", postgresql_where=where, sqlite_where=where)


class Rendering(Table, table=True):
    """One way in which this store's documents were made: the number in the code, and the settings that enter
    documents; and `words`, the number of the way in which their texts were cut for the index of words. Rows
    refer to it by `id`; the highest `id` is the way in which they are made now.
    """

    __tablename__ = "published_rendering"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    number: int
    settings: str
    words: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    begun_at: Time = Field(default_factory=now)


class Awaiting(Table, table=True):
    """A changed picture whose articles are still to be rendered: those with an id below `below`.

    One row a change, the oldest first. `begun` tells whether some of its articles are rendered already.
    `withdrawn_for` tells why readers do not see the picture any longer: from `gone_from` on, or from the
    change on. It is empty where there is nothing to say.
    """

    __tablename__ = "published_awaiting"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    image_id: UUID
    below: UUID
    begun: bool = False
    withdrawn_for: str | None = None
    gone_from: Time | None = None


class Published(Table, table=True):
    """One public resource: the JSON that readers get and the number of its last change; a tombstone when
    `reason` is set. `rendering` says by which rendering the document was made; a document of an older one is
    still a good answer. `card` is what lists give of an article; `negative` is what an image's files are made
    from, which readers are not told. `moves` are the lists that it has joined or left (`moves.py`).

    From `expires_at` on the resource is no longer to be shown, and from `good_until` on a picture in an
    article is not, whether or not the row says so already.
    """

    __tablename__ = "published"
    __table_args__ = (
        _live("newest", "published_at", "id", "source"),
        _live("updated", "updated_at", "id", "section", "language"),
        _live("section", "section", "published_at", "id", "language"),
        _live("language", "language", "published_at", "id", "section"),
        _live("source", "source", "published_at", "id"),
        _live("source_updated", "source", "updated_at", "id"),
        Index(
            "ix_published_rendering",
            "rendering",
            "seq",
            postgresql_where=text("reason IS NULL"),
            sqlite_where=text("reason IS NULL"),
        ),
        Index(
            "ix_published_buried",
            "changed_at",
            postgresql_where=text("reason IS NOT NULL"),
            sqlite_where=text("reason IS NOT NULL"),
        ),
        _ends("expires_at"),
        _ends("good_until"),
        # Narrowed feeds walk these, tombstones too.
        Index("ix_published_kind_seq", "kind", "language", "seq"),
        Index(
            "ix_published_section_seq",
            "section",
            "seq",
            postgresql_where=text("section IS NOT NULL"),
            sqlite_where=text("section IS NOT NULL"),
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
    expires_at: Time | None = None
    good_until: Time | None = None
    # The columns that lists read stand before the document: SQLite reads a later one through the document's
    # pages.
    document: bytes
    card: bytes | None = Field(default=None)
    negative: bytes | None = Field(default=None)
    rendering: int = Field(default=UNKNOWN_RENDERING, sa_column_kwargs={"server_default": "0"})
    text_key: int | None = Field(default=None, sa_type=BigInteger)
    moves: str | None = None

    @property
    def text_keys(self) -> list[tuple[int, UUID]]:
        """Return the keys and id under which the row's words may be indexed: a version that knows no
        `text_key` took `seq`.
        """
        keys = [self.seq] if self.text_key is None else [self.text_key, self.seq]
        return [(key, self.id) for key in keys]


class PublishedSlug(Table, table=True):
    """Every slug, past and present, under which a published article answers."""

    __tablename__ = "published_slug"

    slug: str = Field(primary_key=True)
    article_id: UUID = Field(index=True)


class PublishedTerm(Table, table=True):
    """A term by which an article can be found: a tag, an author, or an image that it shows."""

    __tablename__ = "published_term"
    __table_args__ = (Index("ix_published_term_newest", "field", "value", "published_at", "id"),)

    field: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True, index=True)
    published_at: Time


class NameField(enum.StrEnum):
    """A field by whose values published articles are counted. Tags and authors are terms; `KIND` has images
    and captions.
    """

    SECTION = "section"
    TAG = "tag"
    AUTHOR = "author"
    LANGUAGE = "language"
    SOURCE = "source"
    KIND = "kind"


class PublishedName(Table, table=True):
    """A name, such as that of a section, and how many published articles have it: none has no row."""

    __tablename__ = "published_name"
    __table_args__ = ({"sqlite_with_rowid": False},)

    field: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    count: int


class PublishedPast(Table, table=True):
    """A section and language that a public resource has left, with the change `until_seq`.

    Feeds that are narrowed by `section` or `language` read this table. Change 120 moves an article in German
    from Sport to City: the row says (Sport, de, 120). A follower of Sport at change 100 gets a removal.
    A resource that goes needs no row here, because its tombstone keeps its section and language.
    An empty string means no section or no language, because a primary key takes no null.
    """

    __tablename__ = "published_past"
    __table_args__ = (Index("ix_published_past_until_seq", "until_seq"),)

    kind: Kind = Field(primary_key=True, sa_type=text_enum(Kind))
    id: UUID = Field(primary_key=True)
    section: str = Field(primary_key=True)
    language: str = Field(primary_key=True)
    until_seq: int = Field(sa_type=BigInteger)


class PublishedFormer(Table, table=True):
    """The facts by which contracts judged a public resource until the change `until_seq`.

    Feeds under a contract read this table. Contracts judge sources and tags too, which `PublishedPast` lacks.
    Change 130 takes the tag "ferry" from an article: `PublishedFormer` gets a row with the old tags, and
    `PublishedPast` gets none. A partner with a contract for "ferry" that is at change 100 gets a removal.
    A resource that goes has a row here too, so that its tombstone reaches only partners who were given it.
    `mark` is the hash of the four facts. Each tag stands between two line ends.
    """

    __tablename__ = "published_former"

    kind: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    mark: str = Field(primary_key=True)
    section: str | None = None
    language: str | None = None
    source: str | None = None
    tags: str = ""
    until_seq: int = Field(sa_type=BigInteger)


class PublishedSpan(Table, table=True):
    """The hash of the live rows of a thousand numbers, those after 1,000 times `number`; and of all rows,
    with what has gone, unless an older version has written it.

    Triggers of the database drop it when a row comes, changes or goes, whoever writes.
    """

    __tablename__ = "published_span"

    number: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    entries: int
    digest: str
    all_entries: int | None = None
    all_digest: str | None = None


class WorkingChange(Table, table=True):
    """The number of the last change of one working resource, drafts included: what the staff's view of the
    feed is read from.
    """

    __tablename__ = "working_change"

    kind: Kind = Field(primary_key=True, sa_type=text_enum(Kind))
    id: UUID = Field(primary_key=True)
    seq: int = Field(unique=True, sa_type=BigInteger)
    changed_at: Time
