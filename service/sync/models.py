"""Shapes of the feed's answers."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from service.articles.models import ArticleRead
from service.consent.notices.lifecycle import NoticeRead
from service.images.models import CaptionRead, ImageRead
from service.published.feed import Followed
from service.published.mirrored import MirroredFacts, StoreStand
from service.published.models import Kind
from service.tables import Reading, Time

Seq = Annotated[
    int, Field(description="grows with every change; of two entries for one resource, the higher one holds")
]
CacheKeys = Annotated[
    list[str],
    Field(description="the keys of all public answers that the change concerns, for caches to drop"),
]
WhyGone = Literal["deleted", "unpublished", "withdrawn", "expired", "left_scope"]
Whole = Field(description="the resource, exactly as it is read at its own address")


class _Put(Reading):
    seq: Seq
    id: UUID
    op: Literal["put"]
    reason: None
    detail: None
    version: int
    changed_at: Time
    keys: CacheKeys


class ArticleChange(_Put):
    """An article as its last change left it."""

    kind: Literal["article"]
    data: ArticleRead = Whole


class ImageChange(_Put):
    """A picture as its last change left it."""

    kind: Literal["image"]
    data: ImageRead = Whole


class CaptionChange(_Put):
    """A caption as its last change left it."""

    kind: Literal["caption"]
    data: CaptionRead = Whole


class Removal(Reading):
    """A resource that is gone."""

    seq: Seq
    kind: Followed
    id: UUID
    op: Literal["remove"]
    reason: WhyGone
    detail: str | None = Field(description="what the publisher said when it withdrew this")
    version: int
    changed_at: Time
    keys: CacheKeys
    data: None


Change = ArticleChange | ImageChange | CaptionChange | Removal


class ChangesRead(Reading):
    """Some changes in their order, and where to go on."""

    items: list[Change]
    next: str = Field(
        description="where to go on; never null, for there will be more", examples=["/v1/changes?since=qZ2b…"]
    )
    cursor: str = Field(description="the `since` of that address", examples=["qZ2b…"])
    caught_up: bool = Field(description="whether this was all there is for now")


class MirrorChange(Reading):
    """A resource as it is now, or one that is gone, with what a mirror keeps beside it."""

    seq: Seq
    kind: Kind
    id: UUID
    op: Literal["put", "remove"]
    reason: WhyGone | None
    detail: str | None
    version: int
    changed_at: Time
    keys: CacheKeys
    data: ArticleRead | ImageRead | CaptionRead | NoticeRead | None
    row: MirroredFacts


class MirrorChangesRead(Reading):
    """Some changes for a mirror, in their order, and where to go on."""

    items: list[MirrorChange]
    next: str = Field(description="where to go on; never null, for there will be more")
    cursor: str = Field(description="the `since` of that address", examples=["qZ2b…"])
    caught_up: bool = Field(description="whether this was all there is for now")
    state: StoreStand = Field(description="where the store stands, and its epochs")


REMOVED = {
    "seq": 42,
    "kind": "article",
    "id": "01997f3c-11aa-7b02-9c7d-54e0b1f6a310",
    "op": "remove",
    "reason": "withdrawn",
    "detail": "It named the wrong person.",
    "version": 5,
    "changed_at": "2026-03-02T06:04:10.500000Z",
    "keys": ["a-9c7d54e0b1f6a310", "articles", "l-en", "s-1f0c9a7be52d"],
    "data": None,
}
EXAMPLE = {
    "items": [REMOVED],
    "next": "/v1/changes?since=qZ2bAAAAAAAAAAAqAAAAAAAAACo=",
    "cursor": "qZ2bAAAAAAAAAAAqAAAAAAAAACo=",
    "caught_up": True,
}
