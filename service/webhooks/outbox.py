"""Write the messages for webhooks in the transaction of the change: neither is ever there without the other.

Without webhooks this costs one look at an empty table, in transactions that publish something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlmodel import col, select

from service.database import Session, insert
from service.published import feed, keys
from service.published.feed import LEFT_SCOPE
from service.published.numbering import Change, Scope
from service.tables import new_id, now, write_time
from service.webhooks.models import Webhook, WebhookDelivery, WebhookEvent

Row = dict[str, object]
TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class _Ear:
    """A webhook, and what it listens to."""

    id: UUID
    kinds: frozenset[str]
    sections: frozenset[str]
    languages: frozenset[str]

    def holds(self, place: Scope | None) -> bool:
        """Return whether what is there is listened to."""
        if place is None:
            return False
        section, language = place
        return (not self.sections or section in self.sections) and (
            not self.languages or language in self.languages
        )

    def reason_told(self, change: Change) -> tuple[bool, str | None]:
        """Return whether this change is told, and as what: a put for no reason, or a removal."""
        if change.kind not in self.kinds:
            return False, None
        if self.holds(change.place):
            return True, change.reason
        return self.holds(change.before), LEFT_SCOPE


def put_out(session: Session, changes: Sequence[Change]) -> None:
    """Write what each webhook is to be told of these changes."""
    wanted = select(Webhook.id, Webhook.kinds, Webhook.sections, Webhook.languages).where(
        col(Webhook.enabled)
    )
    ears = [_Ear(id_, *map(frozenset, listened)) for id_, *listened in session.exec(wanted)]
    if not ears:
        return
    events: dict[tuple[int, str | None], Row] = {}
    deliveries: list[Row] = []
    for change in changes:
        for ear in ears:
            told, reason = ear.reason_told(change)
            if told:
                event = events.get((change.seq, reason)) or events.setdefault(
                    (change.seq, reason), _event(change, reason)
                )
                deliveries.append(delivery(ear.id, event))
    if deliveries:
        session.execute(insert(session, WebhookEvent), list(events.values()))
        session.execute(insert(session, WebhookDelivery), deliveries)


def _event(change: Change, reason: str | None) -> Row:
    data = feed.entry(
        change.seq,
        change.kind,
        change.id,
        change.version,
        change.changed_at,
        change.document,
        reason=reason,
        detail=change.detail if reason == change.reason else None,
        concerned=keys.of_change(change.kind, change.id, change.moved),
    )
    type_ = f"{change.kind}.{'put' if reason is None else 'remove'}"
    return {
        "id": new_id(),
        "type": type_,
        "seq": change.seq,
        "body": message(type_, change.changed_at, data),
        "created_at": now(),
    }


def delivery(webhook_id: UUID, event: Row) -> Row:
    """Return the row by which a webhook is to be told of a message."""
    return {
        "id": new_id(),
        "webhook_id": webhook_id,
        "event_id": event["id"],
        "seq": event["seq"],
        "status": "pending",
        "attempts": [],
        "created_at": now(),
    }


def message(type_: str, at: datetime, data: bytes) -> bytes:
    """A payload as the specification advises: what has happened, when, and the entry that the change feed
    has.
    """
    return b'{"type":%b,"timestamp":%b,"data":%b}' % (orjson.dumps(type_), orjson.dumps(write_time(at)), data)
