"""Write the messages for webhooks in the transaction of the change, so that there is never one without the
other.

Without webhooks this costs one look at an empty table, in transactions that publish something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlmodel import col

from service.contracts import Contract, Facts
from service.database import Session, insert
from service.http.callers import Token, still_good
from service.published import feed, keys
from service.published.feed import LEFT_SCOPE
from service.published.models import Kind
from service.published.outcomes import Change, Scope
from service.published.withdrawn import Gone, without
from service.tables import latest, new_id, now, write_time
from service.webhooks.models import Webhook, WebhookDelivery, WebhookEvent

Row = dict[str, object]
TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class _Ear:
    """A webhook, and the changes that it subscribes to."""

    id: UUID
    kinds: frozenset[str]
    sections: frozenset[str]
    languages: frozenset[str]
    contract: Contract | None

    def holds(self, place: Scope | None) -> bool:
        """Return whether the webhook subscribes to a section and language."""
        if place is None:
            return False
        section, language = place
        return (not self.sections or section in self.sections) and (
            not self.languages or language in self.languages
        )

    def reason_told(self, change: Change) -> tuple[bool, str | None]:
        """Return whether the webhook gets this change, and the reason of a removal, or None for a put."""
        if change.kind not in self.kinds:
            return False, None
        if self.holds(change.place) and self.gives(change, change.facts):
            return True, change.reason
        return self.holds(change.before) and self.gives(change, change.former), LEFT_SCOPE

    def gives(self, change: Change, facts: Facts | None) -> bool:
        """Return whether the contract gives a resource with these facts."""
        if self.contract is None:
            return True
        return facts is not None and self.contract.admits(change.kind, facts)

    def shown(self, change: Change) -> bytes:
        """Return the document of a change, without the pictures that the contract leaves out."""
        if self.contract is None or change.kind is not Kind.ARTICLE or change.reason is not None:
            return change.document
        return without(change.document, Gone(contract=self.contract))


_COLUMNS: Sequence[Any] = (
    Webhook.id,
    Webhook.kinds,
    Webhook.sections,
    Webhook.languages,
    Webhook.token_id,
    Token.revoked_at,
    Token.expires_at,
    Token.contract,
)
_ENABLED = (
    select(*_COLUMNS)
    .outerjoin_from(Webhook, Token, col(Token.id) == col(Webhook.token_id))
    .where(col(Webhook.enabled))
)


def put_out(session: Session, changes: Sequence[Change]) -> None:
    """Insert one message per change and form, and one delivery per webhook that gets it."""
    ears = _ears(session)
    if not ears:
        return
    events: dict[tuple[int, str | None, bytes], Row] = {}
    deliveries: list[Row] = []
    for change in changes:
        for ear in ears:
            told, reason = ear.reason_told(change)
            if told:
                key = change.seq, reason, ear.shown(change)
                event = events.get(key) or events.setdefault(key, _event(change, reason, key[2]))
                deliveries.append(delivery(ear.id, event))
    if deliveries:
        session.write(insert(session, WebhookEvent), list(events.values()))
        session.write(insert(session, WebhookDelivery), deliveries)


def _ears(session: Session) -> list[_Ear]:
    """Return the webhooks that get changes: those of the house, and of valid tokens whose contract has not
    ended.
    """
    at, found = latest(), []
    for id_, kinds, sections, languages, token_id, revoked_at, expires_at, contract in session.execute(
        _ENABLED
    ):
        is_over = not still_good(revoked_at, expires_at)
        if token_id is not None and (contract is None or is_over or contract.has_ended(at)):
            continue
        found.append(_Ear(id_, frozenset(kinds), frozenset(sections), frozenset(languages), contract))
    return found


def _event(change: Change, reason: str | None, document: bytes) -> Row:
    data = feed.entry(
        change.seq,
        change.kind,
        change.id,
        change.version,
        change.changed_at,
        document,
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
    """Return the row that has a message sent to a webhook."""
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
    """Return a payload as the specification advises: what has happened, when, and the entry that the change
    feed has.
    """
    return b'{"type":%b,"timestamp":%b,"data":%b}' % (orjson.dumps(type_), orjson.dumps(write_time(at)), data)
