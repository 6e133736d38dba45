"""Images, captions and uses: what is kept of a picture, what is said of it, and which working article shows
it.

An image's `version` counts changes of the image, not of its captions, which are read with it.
"""

import enum
from typing import Annotated
from uuid import UUID

import pydantic
from pydantic import BaseModel, ConfigDict, JsonValue
from sqlalchemy import Index, false, text
from sqlmodel import Field, SQLModel

from service.http.acknowledging import Acknowledgement
from service.tables import (
    Json,
    Language,
    Line,
    Many,
    NonEmptyText,
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

Metadata = dict[str, JsonValue]
"""A picture's own metadata, by the names of its fields."""


class CaptionSource(enum.StrEnum):
    """The source of a caption's words: an editor, the picture's own metadata, or an import."""

    MANUAL = "manual"
    EMBEDDED = "embedded"
    IMPORT = "import"


class CaptionScope(enum.StrEnum):
    """The rule by which the effective caption was found, from the nearest to the article to the farthest."""

    BLOCK = "block"
    ARTICLE = "article"
    IMAGE = "image"
    FALLBACK = "fallback"
    ANY = "any"


class Channel(enum.StrEnum):
    """A place in which a picture may be shown."""

    WEB = "web"
    PARTNERS = "partners"
    PRINT = "print"


class FocalPoint(BaseModel):
    """The point that must stay in a crop, as fractions of the width from the left and of the height from the
    top.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    x: float = pydantic.Field(ge=0, le=1, strict=True, examples=[0.5])
    y: float = pydantic.Field(ge=0, le=1, strict=True, examples=[0.3])


_KEPT = text("deleted_at IS NULL")


def _live(name: str, *columns: str) -> Index:
    return Index(f"ix_{name}", *columns, postgresql_where=_KEPT, sqlite_where=_KEPT)


def _unique(name: str, *columns: str, where: str = "deleted_at IS NULL") -> Index:
    """Return an index that allows one live row. A row in the trash does not count."""
    return Index(f"uq_{name}", *columns, unique=True, postgresql_where=text(where), sqlite_where=text(where))


def _waiting(column: str, where: str) -> Index:
    return Index(f"ix_image_{column}", column, postgresql_where=text(where), sqlite_where=text(where))


class ImageContent(SQLModel):
    """The content of an image that an editor or integrator writes."""

    credit_line: Line | None = Field(default=None, schema_extra={"examples": ["Ana Lind / Harbour Press"]})
    copyright_notice: Text | None = None
    usage_terms: Text | None = None
    focal_point: FocalPoint | None = Field(default=None, sa_type=Json(FocalPoint))
    source: Line | None = None
    external_id: Line | None = Field(
        default=None, description="the integrator's own key: with `source`, this image's alone"
    )
    source_url: WebAddress | None = None
    usable_from: Time | None = Field(default=None, description="readers do not see it before")
    usable_until: Time | None = Field(
        default=None,
        description="readers do not see it from then on",
        schema_extra={"examples": ["2027-03-01T00:00:00Z"]},
    )
    usable_in: Annotated[list[Channel], pydantic.Field(min_length=1, max_length=10)] | None = Field(
        default=None,
        sa_type=Json(list[Channel]),
        description="where it may be shown; null: everywhere. Without `web` readers do not see it",
    )


class Image(ImageContent, Table, table=True):
    """A picture. The members from `digest` to `size` are null, all together, while it has no file."""

    __table_args__ = (
        _unique("image_digest", "digest"),
        _unique("image_source_external_id", "source", "external_id"),
        _live("image_newest", "created_at", "id", "source"),
        # By its hash on PostgreSQL, whose other indexes do not take the longest addresses.
        Index(
            "ix_image_source_url",
            "source_url",
            postgresql_using="hash",
            postgresql_where=_KEPT,
            sqlite_where=_KEPT,
        ),
        _waiting("opens_at", "opens_at IS NOT NULL"),
        _waiting("usable_until", "usable_until IS NOT NULL AND expired_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    digest: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None
    placeholder: str | None = None
    dominant_color: str | None = None
    taken_at: Time | None = None
    # `metadata` on the wire: SQLModel keeps that name for itself.
    kept_metadata: Metadata = Field(default_factory=dict, sa_type=Json(Metadata))
    version: int = 1
    created_at: Time = Field(default_factory=now)
    updated_at: Time = Field(default_factory=now)
    deleted_at: Time | None = None
    withdrawn_at: Time | None = None
    withdrawn_for: str | None = None
    opens_at: Time | None = None
    expired_at: Time | None = None
    warned_of: Time | None = None
    is_off_web: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    of_file: list[str] | None = Field(default=None, sa_type=Json(list[str]))


class ImageWithdrawal(Table, table=True):
    """A version of an image by which it was withdrawn, or (`is_undone`) shown again; who did it, and why."""

    __tablename__ = "image_withdrawal"

    image_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    is_undone: bool
    reason: str
    at: Time
    actor_id: UUID | None
    actor: str


class CaptionContent(SQLModel):
    """The content of a caption that an editor or integrator writes."""

    article_id: UUID | None = Field(
        default=None, description="the only article that it is for; null: for any"
    )
    text: Text | None = Field(
        default=None,
        description="what the picture shows",
        schema_extra={"examples": ["The ferry leaves the old quay."]},
    )
    alt_text: Text | None = Field(default=None, description="what replaces seeing the picture")
    decorative: pydantic.StrictBool = Field(
        default=False,
        description="true: nothing replaces seeing the picture, because it only decorates",
        sa_column_kwargs={"server_default": false()},
    )
    source: CaptionSource = Field(default=CaptionSource.MANUAL, sa_type=text_enum(CaptionSource))


class Caption(CaptionContent, Table, table=True):
    """The words that describe one picture in one language; for one article alone when `article_id` is set."""

    __table_args__ = (
        _unique(
            "caption_of_image", "image_id", "language", where="deleted_at IS NULL AND article_id IS NULL"
        ),
        _unique("caption_in_article", "image_id", "article_id", "language"),
        _live("caption_newest", "created_at", "id", "language", "source"),
        Index("ix_caption_image_id", "image_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    image_id: UUID = Field(foreign_key="image.id")
    language: Language
    # Articles stand above this room: their table is named here, their models never imported.
    article_id: UUID | None = Field(default=None, foreign_key="article.id", index=True)
    version: int = 1
    created_at: Time = Field(default_factory=now)
    updated_at: Time = Field(default_factory=now)
    deleted_at: Time | None = None


class ImageUse(Table, table=True):
    """A working article that shows an image. The articles room writes it, with what names the article to an
    editor.
    """

    __tablename__ = "image_use"

    image_id: UUID = Field(primary_key=True, foreign_key="image.id")
    article_id: UUID = Field(primary_key=True, foreign_key="article.id", index=True)
    slug: str
    headline: str
    status: str


class ImagePastUse(Table, table=True):
    """An article that has shown an image in a version, and may show it still. None is ever removed."""

    __tablename__ = "image_past_use"
    __table_args__ = ({"sqlite_with_rowid": False},)

    image_id: UUID = Field(primary_key=True)
    article_id: UUID = Field(primary_key=True)


class UseRead(Reading):
    """A working article that shows an image."""

    article_id: UUID
    slug: str
    headline: str
    status: str


class CaptionRead(Reading):
    """A caption as it is read."""

    id: UUID
    image_id: UUID
    article_id: UUID | None
    language: str = pydantic.Field(examples=["en"])
    text: str | None = pydantic.Field(examples=["The ferry leaves the old quay."])
    alt_text: str | None = pydantic.Field(examples=["A white ferry beside a stone quay"])
    # Documents that were rendered before there was this member lack it.
    decorative: pydantic.StrictBool = False
    source: CaptionSource
    version: pydantic.StrictInt
    created_at: Time
    updated_at: Time


class EffectiveCaption(Reading):
    """The caption that holds for a picture in an article, and how it was found. A text or alternative text
    that it does not have is that of the next caption that has it.
    """

    id: UUID
    language: str = pydantic.Field(examples=["en"])
    text: str | None = pydantic.Field(examples=["The ferry leaves the old quay."])
    alt_text: str | None = pydantic.Field(examples=["A white ferry beside a stone quay"])
    # Documents that were rendered before there was this member lack it.
    decorative: bool = False
    scope: CaptionScope


class Rendition(BaseModel):
    """A size of the picture. Its address changes when its bytes would, and never leads to others."""

    name: str = pydantic.Field(
        description="width, behind a crop's sides; staff see `original` too", examples=["w960", "16x9-w1280"]
    )
    href: str = pydantic.Field(description="of the JPEG; the endings in `formats` lead to the other files")
    width: pydantic.StrictInt
    height: pydantic.StrictInt
    content_type: str


class WithdrawalReason(Reading):
    """The kind of reason for which a picture was withdrawn."""

    reason: str = pydantic.Field(examples=["The agency killed it: the picture was altered."])


class WithdrawalRead(WithdrawalReason):
    """The time and the reason of a picture's withdrawal."""

    at: Time


class PictureReason(Shape):
    """The reason why a picture is withdrawn, or shown again."""

    reason: NonEmptyText = pydantic.Field(examples=["The agency killed it: the picture was altered."])


class Picture(Reading):
    """An image as an article shows it. The image itself, at `/v1/images/{id}`, says more."""

    id: UUID
    width: int | None = pydantic.Field(description="of the upright picture, in pixels; null without a file")
    height: int | None
    credit_line: str | None
    copyright_notice: str | None
    usage_terms: str | None
    source: str | None
    focal_point: FocalPoint | None
    placeholder: str | None = pydantic.Field(
        description="a ThumbHash in base64: the picture blurred, in some 25 bytes"
    )
    dominant_color: str | None = pydantic.Field(None, description="as CSS writes it", examples=["#3f3c30"])
    taken_at: Time | None = pydantic.Field(
        description="where the file says the zone too; the image's `metadata.date_taken` is as it was written"
    )
    # Documents that were rendered before there were these members lack them.
    usable_until: Time | None = pydantic.Field(None, description="do not show it from then on")
    usable_in: list[Channel] | None = pydantic.Field(
        None, description="where it may be shown; null: everywhere"
    )
    # Documents that were rendered before there was this member name each file among the renditions.
    formats: tuple[str, ...] = pydantic.Field(
        (), description="endings that each address also takes", examples=[("avif", "webp", "jpg")]
    )
    renditions: list[Rendition] = pydantic.Field(
        description="each size once: the whole picture, largest first, then crops around the focal point"
    )


class ImageRead(Picture):
    """An image as it is read. Readers see the captions that are public, and neither `digest`, `external_id`
    nor `source_url`, which are null for them.
    """

    digest: str | None = pydantic.Field(
        description="SHA-256 of the file; null without one, like `content_type`, `size`, `width`, `height`"
    )
    content_type: str | None
    size: int | None = pydantic.Field(description="bytes of the file")
    external_id: str | None = None
    source_url: str | None
    usable_from: Time | None = None
    expired_at: Time | None = pydantic.Field(
        None, description="when `usable_until` took effect: readers do not see it any longer"
    )
    metadata: Metadata
    captions: list[CaptionRead]
    # Documents that were rendered before there was this member lack it.
    withdrawn: WithdrawalRead | None = pydantic.Field(
        None, description="null, but for a picture that was withdrawn: `original` is for admin alone then"
    )
    version: int
    created_at: Time
    updated_at: Time


class ImageCreate(ImageContent, TableShape):
    """A new image, whose file may come later."""


class ImageReplace(ImageCreate):
    """An image as it was read may be sent back: members that only the service sets are welcome while they are
    unchanged.
    """

    id: UUID | None = None
    digest: str | None = None
    content_type: str | None = None
    width: pydantic.StrictInt | None = None
    height: pydantic.StrictInt | None = None
    size: pydantic.StrictInt | None = None
    placeholder: str | None = None
    dominant_color: str | None = None
    taken_at: Time | None = None
    kept_metadata: Metadata | None = Field(default=None, alias="metadata")
    formats: tuple[str, ...] | None = None
    renditions: Many[Rendition] | None = None
    captions: Many[CaptionRead] | None = None
    withdrawn: WithdrawalRead | None = None
    expired_at: Time | None = None
    version: pydantic.StrictInt | None = None
    created_at: Time | None = None
    updated_at: Time | None = None


ImageWritten = ImageRead | Acknowledgement
CaptionWritten = CaptionRead | Acknowledgement
