"""Make what is sent of a message: as it was written, without pictures that were withdrawn since.

A message may wait for days, or be sent again after months. Whatever it said of a picture, none is sent that is withdrawn.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, select

from service.database import Session
from service.images.models import Image
from service.published.models import Kind, Reason
from service.published.withdrawn import by_id, without

Entry = dict[str, Any]


def body_to_send(session: Session, written: bytes) -> bytes:
    """Return the body of a message. What was told of a withdrawn picture itself becomes its removal."""
    message = orjson.loads(written)
    entry = message["data"]
    shown = set(_pictures(entry))
    if not shown:
        return written
    rows = select(Image.id, Image.withdrawn_for).where(
        col(Image.id).in_(shown), col(Image.withdrawn_at).is_not(None)
    )
    withdrawn = by_id(session.exec(rows))
    if not withdrawn:
        return written
    if entry["kind"] == Kind.ARTICLE:
        entry["data"] = orjson.loads(without(orjson.dumps(entry["data"]), withdrawn))
    else:
        (reason,) = withdrawn.values()
        entry |= {"op": "remove", "reason": str(Reason.WITHDRAWN), "detail": reason, "data": None}
        message["type"] = f"{entry['kind']}.remove"
    return orjson.dumps(message)


def _pictures(entry: Entry) -> Iterator[UUID]:
    """Yield the pictures that an entry shows, or tells of."""
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
