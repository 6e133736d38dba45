"""Make the body of a message: as it was written, without pictures that have been withdrawn since.

A message may wait for days, or be sent again after months. A picture that may no longer be shown is never
sent.
"""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from service.database import Session
from service.images.models import Image
from service.images.rights import hidden
from service.published.models import Kind, Reason
from service.published.withdrawn import Gone, without
from service.tables import latest

EntryJson = dict[str, Any]


def body_to_send(session: Session, written: bytes) -> bytes:
    """Return the body of a message. If its picture may no longer be shown, the body is the removal of that
    picture.
    """
    message = orjson.loads(written)
    entry = message["data"]
    shown = set(_pictures(entry))
    gone = _gone(session, shown) if shown else {}
    if not gone:
        return written
    if entry["kind"] == Kind.ARTICLE:
        reasons = {str(id_): _reason_text(*why) for id_, why in gone.items()}
        entry["data"] = orjson.loads(without(orjson.dumps(entry["data"]), Gone(reasons=reasons)))
    else:
        ((reason, detail),) = gone.values()
        entry |= {"op": "remove", "reason": str(reason), "detail": detail, "data": None}
        message["type"] = f"{entry['kind']}.remove"
    return orjson.dumps(message)


def _gone(session: Session, shown: Collection[UUID]) -> dict[UUID, tuple[Reason, str | None]]:
    """Return why pictures are not to be shown, of those that are not."""
    at, gone = latest(), {}
    for image in session.exec(select(Image).where(col(Image.id).in_(shown))):
        why = hidden(image)
        if why is None and image.usable_until is not None and image.usable_until <= at:
            why = Reason.EXPIRED, None
        if why is not None:
            gone[image.id] = why
    return gone


def _reason_text(reason: Reason, detail: str | None) -> str:
    if reason is Reason.UNPUBLISHED:
        return ""
    return str(reason) if detail is None else detail


def _pictures(entry: EntryJson) -> Iterator[UUID]:
    """Yield the pictures that an entry contains, as its resource or in its article."""
    told = entry.get("data")
    if not isinstance(told, dict):
        return
    match entry.get("kind"):
        case Kind.IMAGE:
            yield UUID(told["id"])
        case Kind.CAPTION:
            yield UUID(told["image_id"])
        case Kind.ARTICLE:
            if told.get("lead_image") is not None:
                yield UUID(told["lead_image"]["id"])
            yield from (UUID(block["image_id"]) for block in told["body"] if block["type"] == "image")
