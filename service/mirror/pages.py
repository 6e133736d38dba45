"""Read the pages of an origin's feed, to the byte: a document is kept as it came."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel

from service.articles.copied import card_and_words
from service.outbound.connections import FetchFailed
from service.outbound.origin import Origin
from service.published.mirrored import MirroredFacts, StoreStand
from service.published.mirroring import Arrived
from service.published.models import Kind, Reason
from service.tables import Time

MOST = 200
_DECODER = json.JSONDecoder()
_DATA = ',"data":'


class StartAgain(Exception):  # named as the problem of the feed is
    """The origin refuses the cursor: it is another store now, or has forgotten removals."""


class OriginRefuses(FetchFailed):
    """The origin answers otherwise than a store of this version that may be followed."""

    title = "The origin cannot be mirrored"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the feed: its rows, the cursor after them, and the state of the origin."""

    rows: list[Arrived]
    cursor: str
    caught_up: bool
    state: StoreStand


async def read_page(origin: Origin, cursor: str | None, *, wait: float = 0, limit: int = MOST) -> Page:
    """Read the page behind a cursor. Raises StartAgain, and FetchFailed when the origin is away."""
    asked = {"limit": str(limit)}
    if cursor is not None:
        asked["since"] = cursor
    if wait:
        asked["wait"] = f"{wait:g}"
    told = await origin.get(f"/v1/changes/mirror?{urlencode(asked)}", within=wait + 20)
    if told.status == 410:
        raise StartAgain
    if told.status != 200:
        raise refusal(origin, told.status, told.body)
    return _parsed(origin, told.body)


def refusal(origin: Origin, status: int, body: bytes) -> OriginRefuses:
    """Return the problem that tells of an unusable answer of the origin."""
    return OriginRefuses(
        f"{origin.address} answered with the status {status}: {body[:200].decode(errors='replace')}",
        source_status=status,
    )


class _Entry(BaseModel):
    seq: int
    kind: Kind
    id: UUID
    version: int
    reason: Reason | None
    detail: str | None
    changed_at: Time
    row: MirroredFacts


class _Place(BaseModel):
    cursor: str
    caught_up: bool
    state: StoreStand


def _parsed(origin: Origin, body: bytes) -> Page:
    try:
        rows = [_arrived(said) for said in _items(body.decode())]
        place = _Place.model_validate_json(body)
        return Page(rows, place.cursor, place.caught_up, place.state)
    except (ValueError, IndexError) as error:
        raise OriginRefuses(f"{origin.address} answered otherwise than a store does: {error!r}") from error


def _items(text: str) -> Iterator[str]:
    """Yield the text of each item of a page."""
    at = text.index("[") + 1
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield text[at:end]
        at = end + (text[end] == ",")


def _arrived(said: str) -> Arrived:
    entry = _Entry.model_validate_json(said)
    # The data is the last member. No text before it can hold these bytes: its quotes are escaped.
    document = said[said.index(_DATA) + len(_DATA) : -1].encode() if entry.reason is None else b"{}"
    is_article = entry.kind is Kind.ARTICLE and entry.reason is None
    card, words = card_and_words(document) if is_article else (None, None)
    return Arrived(
        entry.seq,
        entry.kind,
        entry.id,
        entry.version,
        entry.reason,
        entry.detail,
        entry.changed_at,
        document,
        entry.row,
        card,
        words,
    )
