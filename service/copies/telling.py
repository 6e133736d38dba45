"""Webhooks: each attempt to tell of an article is a copy sent, and one that is answered 2xx a copy received."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from service.copies.keeping import Holder, Sent, keep
from service.database import Session
from service.published.models import Kind


def note_attempt(
    session: Session, webhook_id: UUID, url: str, message: bytes, sent_at: datetime, taken_at: datetime | None
) -> None:
    """Keep what came of sending a message, in the transaction that notes the attempt. One that was not taken
    may have arrived.
    """
    entry = orjson.loads(message)["data"]
    if entry.get("kind") != Kind.ARTICLE:
        return
    sent = Sent(
        UUID(entry["id"]), webhook_id, entry["version"], entry["op"] == "remove", entry["seq"], sent_at
    )
    holder = Holder(
        webhook_id, None, origin_of(url), sent.seq if taken_at is not None else 0, taken_at or sent_at
    )
    keep(session, [holder], [sent])


def origin_of(url: str) -> str:
    """Scheme and host: in the rest of a receiver's address there may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
