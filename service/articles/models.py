"""Articles: their tables, and their shapes in requests and answers."""

import enum
from typing import Annotated
from uuid import UUID

import pydantic
from pydantic import (
    AfterValidator,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from service.articles.body import Block, ResolvedBlock
from service.http.acknowledging import Acknowledgement
from service.images.models import EffectiveCaption, Picture
from service.published.answers import id_of
from service.tables import (
    Json,
    Language,
    Line,
    Many,
    Reading,
    Shape,
    Table,
    TableShape,
    Text,
    Time,
    WebAddress,
    new_id,
    now,
    text_enum,
)


class Status(enum.StrEnum):
    """The place of an article in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


def _not_an_id(value: str) -> str:
    if id_of(value) is not None:
        raise ValueError("must not have the form of an id: that is what it would be taken for")
    return value


Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", min_length=1, max_length=120),
    AfterValidator(_not_an_id),
]


def _or_of_the_house(value: object, validate: ValidatorFunctionWrapHandler) -> str:
    """Take null for the language of the house, which only the store knows: it is "" until then."""
    language: str = "" if value is None else validate(value)
    return language


def _absent(value: object) -> bool:
    return value is None


def _each_once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


class Author(Shape):
    """One author."""

    name: Line
    url: WebAddress | None = None


class Correction(Reading):
    """A note to readers of what was put right after publication."""

    at: Time
    kind: str
    text: str


class ArticleContent(SQLModel):
    """The content that an editor writes: the part of an article that every version keeps."""

    headline: Line = Field(schema_extra={"examples": ["Harbour bridge reopens after winter repairs"]})
    summary: Text | None = None
    byline: Line | None = None
    authors: Annotated[list[Author], Field(max_length=50)] = Field(
        default_factory=list, sa_type=Json(list[Author])
    )
    dateline: Line | None = None
    section: Line | None = None
    tags: Annotated[list[Line], Field(max_length=100), AfterValidator(_each_once)] = Field(
        default_factory=list, sa_type=Json(list[str])
    )
    language: Language
    credit_line: Line | None = None
    source: Line | None = None
    external_id: Line | None = None
    canonical_url: WebAddress | None = None
    body: Annotated[list[Block], Field(max_length=2_000)] = Field(
        default_factory=list, sa_type=Json(list[Block])
    )
    lead_image_id: UUID | None = None
    embargoed_until: Time | None = None
    usable_until: Time | None = Field(default=None, description="readers do not see it from then on")
    usage_terms: Text | None = None
    copyright_notice: Text | None = None
    edition_note: Text | None = None


def _walked(name: str, time: str) -> Index:
    """Return the index that an editors' list walks. It holds the filtered columns too, so that a row that a
    filter leaves out is not read.

    Not by source too: with a section it may have more bytes than an index of PostgreSQL takes.
    """
    where = text("deleted_at IS NULL")
    return Index(
        f"ix_article_{name}",
        time,
        "id",
        "status",
        "section",
        "language",
        postgresql_where=where,
        sqlite_where=where,
    )


def _kept(name: str, where: str, *columns: str) -> Index:
    return Index(f"ix_article_{name}", *columns, postgresql_where=text(where), sqlite_where=text(where))


_ENDS = "usable_until IS NOT NULL AND expired_at IS NULL"


class Article(ArticleContent, Table, table=True):
    """The working table: drafts included, never asked by readers."""

    __table_args__ = (
        _walked("listed", "listed_at"),
        _walked("updated", "updated_at"),
        _kept("section", "deleted_at IS NULL", "section", "listed_at", "id"),
        _kept("unpublished", "deleted_at IS NULL AND status <> 'published'", "status", "listed_at", "id"),
        Index("ix_article_lead_image_id", "lead_image_id"),
        _kept("waiting", "status = 'scheduled'", "scheduled_for", "id"),
        Index(
            "ix_article_usable_until",
            "usable_until",
            postgresql_where=text(_ENDS),
            sqlite_where=text(_ENDS),
        ),
        Index("uq_article_source_external_id", "source", "external_id", unique=True),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    slug: Slug
    language: Language
    lead_image_id: UUID | None = Field(default=None, foreign_key="image.id")
    status: Status = Field(default=Status.DRAFT, sa_type=text_enum(Status))
    scheduled_for: Time | None = None
    # When a scheduled article was to be published, whatever its embargo; null: at once.
    publish_at: Time | None = None
    published_at: Time | None = None
    first_published_at: Time | None = None
    withdrawn_for: str | None = None
    corrections: list[Correction] = Field(default_factory=list, sa_type=Json(list[Correction]))
    created_at: Time = Field(default_factory=now)
    updated_at: Time = Field(default_factory=now)
    deleted_at: Time | None = None
    expired_at: Time | None = None
    listed_at: Time = Field(default_factory=now)
    version: int = 1
    text_key: int = Field(sa_type=BigInteger, unique=True)


class ArticleSlug(Table, table=True):
    """Every slug that was ever given, for ever, and the article that it leads to."""

    __tablename__ = "article_slug"

    slug: str = Field(primary_key=True)
    # No foreign key: a slug is claimed before its article is written.
    article_id: UUID = Field(index=True)


class ArticleTerm(Table, table=True):
    """A tag or an author by which a working article can be found."""

    __tablename__ = "article_term"

    field: str = Field(primary_key=True)
    value: str = Field(primary_key=True)
    article_id: UUID = Field(primary_key=True, foreign_key="article.id", index=True)


class ArticleIndexing(Table, table=True):
    """Articles whose words are still to be cut anew: those with an id below `below` that show an image.

    The row of no image (`EVERY_ARTICLE`) tells how far all articles are cut as `words`, a number in the code,
    asks for. `asked` is another id for each change of the image, so that none is missed while the one before
    is dealt with.
    """

    __tablename__ = "article_indexing"

    image_id: UUID = Field(primary_key=True)
    below: UUID
    words: int
    asked: UUID = Field(default_factory=new_id)


class ArticleVersion(Table, table=True):
    """An article as one write left it, with its writer and the time."""

    __tablename__ = "article_version"

    article_id: UUID = Field(primary_key=True, foreign_key="article.id")
    version: int = Field(primary_key=True)
    at: Time
    actor_id: UUID | None
    actor: str
    action: str
    slug: str
    status: Status = Field(sa_type=text_enum(Status))
    content: ArticleContent = Field(sa_type=Json(ArticleContent))


class ArticleWrite(ArticleContent, TableShape):
    """A whole article in a request. Absent members take their defaults; a slug is made from the headline."""

    language: Annotated[Language, WrapValidator(_or_of_the_house)] = Field(
        default="", description="absent or null: the language of the house"
    )
    slug: Slug | None = None
    status: Status | None = Field(
        default=None, description="draft or published; `published` needs the scope content:publish"
    )
    published_at: Time | None = Field(default=None, description="for articles that were published earlier")


class ArticleCreate(ArticleWrite):
    """A new article."""

    @field_validator("status")
    @classmethod
    def first_status(cls, value: Status | None) -> Status | None:
        """An article begins as a draft, or published."""
        if value in (None, Status.DRAFT, Status.PUBLISHED):
            return value
        raise ValueError("must be draft or published")


class ArticleReplace(ArticleWrite):
    """An article as it was read may be sent back: members that only the service sets are welcome while they
    are unchanged.
    """

    id: UUID | None = None
    scheduled_for: Time | None = None
    first_published_at: Time | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    version: pydantic.StrictInt | None = None
    corrections: Many[Correction] | None = None
    expired_at: Time | None = None
    lead_image: object = Field(default=None, exclude=True)
    body_html: object = Field(default=None, exclude=True)
    body_text: object = Field(default=None, exclude=True)
    snippet: object = Field(default=None, exclude=True)


READ_ONLY = (
    "id",
    "scheduled_for",
    "first_published_at",
    "created_at",
    "updated_at",
    "version",
    "corrections",
    "expired_at",
)


class LeadImage(Picture):
    """The article's first picture, with the caption that holds here."""

    caption: EffectiveCaption | None


class ArticleFacts(Reading):
    """All that is read of an article but its body and its lead picture."""

    id: UUID
    slug: str
    headline: str
    summary: str | None
    byline: str | None
    authors: list[Author]
    dateline: str | None
    section: str | None
    tags: list[str]
    language: str
    credit_line: str | None
    source: str | None
    external_id: str | None
    canonical_url: str | None
    lead_image_id: UUID | None
    status: Status
    embargoed_until: Time | None
    # Documents that were rendered before there were these members lack them.
    usable_until: Time | None = None
    expired_at: Time | None = pydantic.Field(
        None, description="when `usable_until` took effect: readers get 410 since"
    )
    scheduled_for: Time | None
    published_at: Time | None
    first_published_at: Time | None
    created_at: Time
    updated_at: Time
    version: int
    corrections: list[Correction]
    usage_terms: str | None
    copyright_notice: str | None
    edition_note: str | None

    @property
    def written_by(self) -> list[Author]:
        """Return the authors; where none is named, the byline as it is."""
        return self.authors or (
            [] if self.byline is None else [Author.model_construct(name=self.byline, url=None)]
        )


SNIPPET = "in lists with `q`: words of the article as HTML, the hits in `<mark>`"


class ArticleRead(ArticleFacts):
    """An article as it is read. Pictures are resolved, with the caption that holds in this article."""

    lead_image: LeadImage | None
    body: list[ResolvedBlock]
    body_html: str | None = pydantic.Field(None, exclude_if=_absent, description="with `body=html`")
    body_text: str | None = pydantic.Field(None, exclude_if=_absent, description="with `body=text`")
    snippet: str | None = pydantic.Field(None, exclude_if=_absent, description=SNIPPET)


ArticleWritten = ArticleRead | Acknowledgement
