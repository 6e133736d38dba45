"""Make the body of a message: as it was written, unless what it gives may not be shown any longer.

A message may wait for days, or be sent again after months. A resource that is not public any more is sent as
its removal, and an article without the pictures that may no longer be shown.
"""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from service.database import Session
from service.images.models import Image
from service.images.rights import hidden
from service.published.models import Kind, Published, Reason
from service.published.withdrawn import Gone, without
from service.tables import latest

EntryJson = dict[str, Any]
Why = tuple[Reason, str | None]
"""The reason of a removal, and what was said about it."""


def body_to_send(session: Session, written: bytes) -> bytes:
    """Return the body of a message. If its resource, or the picture of its caption, may no longer be shown,
    the body is a removal.
    """
    message = orjson.loads(written)
    entry = message["data"]
    if entry.get("op") != "put":
        return written
    shown = set(_pictures(entry))
    gone = _gone(session, shown) if shown else {}
    why = None if not gone or entry["kind"] == Kind.ARTICLE else next(iter(gone.values()))
    why = why or _removal(session, entry)
    if why is not None:
        reason, detail = why
        entry |= {"op": "remove", "reason": str(reason), "detail": detail, "data": None}
        message["type"] = f"{entry['kind']}.remove"
    elif gone:
        reasons = {str(id_): _reason_text(*why) for id_, why in gone.items()}
        entry["data"] = orjson.loads(without(orjson.dumps(entry["data"]), Gone(reasons=reasons)))
    else:
        return written
    return orjson.dumps(message)


def _removal(session: Session, entry: EntryJson) -> Why | None:
    """Return why a resource is not public any more; None for one that is. A tombstone that is no longer kept
    counts as deleted.
    """
    columns = select(Published.reason, Published.detail, Published.expires_at)
    found = session.exec(
        columns.where(Published.kind == Kind(entry["kind"]), Published.id == UUID(entry["id"]))
    ).one_or_none()
    if found is None:
        return Reason.DELETED, None
    reason, detail, expires_at = found
    if reason is None and expires_at is not None and expires_at <= latest():
        return Reason.EXPIRED, None
    return None if reason is None else (Reason(reason), detail)


def _gone(session: Session, shown: Collection[UUID]) -> dict[UUID, Why]:
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
