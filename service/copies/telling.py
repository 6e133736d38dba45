"""Record the copies that webhooks send: each attempt is a copy sent, and each answer 2xx a copy received."""

from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from service.copies.keeping import KEPT, End, Holder, Sent, keep, keep_ends
from service.database import Session
from service.published.models import Kind

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def note_attempt(
    session: Session, webhook_id: UUID, url: str, message: bytes, sent_at: datetime, taken_at: datetime | None
) -> None:
    """Keep what came of sending a message, in the transaction that notes the attempt. One that was not taken
    may have arrived.
    """
    entry = orjson.loads(message)["data"]
    if entry.get("kind") not in KEPT:
        return
    sent = Sent(
        Kind(entry["kind"]),
        UUID(entry["id"]),
        webhook_id,
        entry["version"],
        entry["op"] == "remove",
        entry["seq"],
        sent_at,
    )
    # An attempt that fails tells nothing of how far the receiver has come: what is known of that stays.
    came = (0, _NEVER) if taken_at is None else (sent.seq, taken_at)
    holder = Holder(webhook_id, None, origin_of(url), *came)
    keep(session, [holder], [sent])


def note_end(session: Session, webhook_id: UUID, taken_at: datetime | None) -> None:
    """Keep that a receiver has taken the message that its contract has ended."""
    if taken_at is not None:
        keep_ends(session, {webhook_id: End(taken_at, taken_at)})


def origin_of(url: str) -> str:
    """Scheme and host: in the rest of a receiver's address there may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
