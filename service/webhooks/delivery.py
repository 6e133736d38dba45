"""Send the messages of each webhook in their order, one after the other, until the receiver takes them.

A worker leases a webhook for as long as it sends to it, and prolongs the lease every few seconds: other
workers pass it by, so that nothing is sent twice while the worker lives. A lease that runs out is taken over.
A message that is not taken is sent again on the schedule that Standard Webhooks publishes, and those behind
it wait: nothing overtakes. After the last attempt, and when the receiver answers 410, the webhook is disabled
with the reason; what is pending stays, and goes out when it is enabled again.
"""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, DateTime, exists, or_, update
from sqlmodel import col, func, select

from service.copies.telling import note_attempt, note_end
from service.database import Database, Session
from service.outbound.post import Answered
from service.settings import Settings
from service.tables import new_id, now
from service.webhooks.contracts import ENDED, may_send
from service.webhooks.models import Attempt, DeliveryStatus, Webhook, WebhookDelivery, WebhookEvent
from service.webhooks.payload import body_to_send
from service.webhooks.secret import SecretUnreadable, decrypt

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        2,
        5,
        15,
        60,
        300,
        1_800,
        2 * 3_600,
        5 * 3_600,
        10 * 3_600,
        14 * 3_600,
        20 * 3_600,
        24 * 3_600,
    )
)
"""The times between attempts: over 75 hours in all. The first ones are short, because a receiver that is
restarted is away for seconds.
"""
LEASE = timedelta(seconds=20)
"""For how long a worker that has died keeps others from its webhooks. One that lives prolongs in a quarter of
it.
"""
LONGEST_WAIT = timedelta(hours=24)
MOST_LOGGED = 30


@dataclass(frozen=True, slots=True)
class Message:
    """The next message that a worker sends while it holds the lease."""

    webhook_id: UUID
    lease: UUID
    delivery_id: UUID
    url: str
    message_id: UUID
    body: bytes
    secrets: Sequence[bytes]


Clock = Callable[[Session], datetime]


def store_time(session: Session) -> datetime:
    """Return the time by the database's clock, which workers on several machines have in common."""
    if session.database.is_sqlite:
        return now()
    return session.exec(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()


def is_slow(late: Collection[UUID]) -> ColumnElement[bool]:
    """Choose the webhooks whose last message failed, and those that a worker knows to answer late."""
    return or_(col(Webhook.tries) > 0, col(Webhook.id).in_(late))


def is_due(database: Database, clock: Clock, *among: ColumnElement[bool]) -> bool:
    """Return whether there is anything to lease. Asked often, so it only reads."""
    with database.reading() as session:
        due = select(Webhook.id).where(*_due(clock(session)), *among)
        return session.exec(due.limit(1)).first() is not None


def _due(at: datetime) -> tuple[ColumnElement[bool], ...]:
    pending = exists().where(
        col(WebhookDelivery.webhook_id) == col(Webhook.id),
        col(WebhookDelivery.status) == DeliveryStatus.PENDING,
    )
    rested = or_(col(Webhook.retry_at).is_(None), col(Webhook.retry_at) <= at)
    return (
        col(Webhook.enabled).is_(True),
        rested,
        or_(col(Webhook.leased_until).is_(None), col(Webhook.leased_until) < at),
        pending,
    )


def lease(database: Database, clock: Clock, most: int, *among: ColumnElement[bool]) -> list[Message]:
    """Take some webhooks that are due; the first message of each. Those that another worker is taking are
    passed by.
    """
    with database.writing() as session:
        at = clock(session)
        # In no order: with more webhooks than hands, none is always the last.
        due = select(Webhook).where(*_due(at), *among).order_by(func.random()).limit(most)
        taken = session.exec(due.with_for_update(skip_locked=True, of=Webhook)).all()
        for webhook in taken:
            webhook.lease = new_id()
        return [message for webhook in taken if (message := _next(session, webhook, at)) is not None]


def prolong(database: Database, clock: Clock, leases: Collection[UUID]) -> None:
    """Go on holding leases."""
    with database.writing() as session:
        held = update(Webhook).where(col(Webhook.lease).in_(leases))
        session.execute(held.values(leased_until=clock(session) + LEASE))


def _next(session: Session, webhook: Webhook, at: datetime) -> Message | None:
    """Return the next message, with the lease prolonged; None with the lease given back when there is nothing
    to send now.
    """
    found = None
    if webhook.enabled and (webhook.retry_at is None or webhook.retry_at <= at):
        pending = select(WebhookDelivery, WebhookEvent).join(WebhookEvent)
        pending = pending.where(
            WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.status == DeliveryStatus.PENDING
        )
        found = session.exec(
            pending.order_by(col(WebhookDelivery.seq), col(WebhookDelivery.id)).limit(1)
        ).first()
    if found is not None and not may_send(session, webhook, found[1].type):
        found = None  # What waits is dropped by the job that tells of the end.
    if found is None or webhook.lease is None:
        webhook.lease = webhook.leased_until = None
        return None
    try:
        secrets = secrets_of(session.database.settings, webhook, at)
    except SecretUnreadable as fault:
        _disable(webhook, at, str(fault))
        webhook.lease = webhook.leased_until = None
        return None
    webhook.leased_until = at + LEASE
    delivery, event = found
    body = body_to_send(session, event.body)
    return Message(webhook.id, webhook.lease, delivery.id, webhook.url, event.id, body, secrets)


def secrets_of(settings: Settings, webhook: Webhook, at: datetime) -> list[bytes]:
    """Return the secrets to sign with: the new one first, and for a while the one before.

    Raises SecretUnreadable.
    """
    encrypted = [webhook.secret]
    if (
        webhook.old_secret is not None
        and webhook.old_secret_until is not None
        and webhook.old_secret_until > at
    ):
        encrypted.append(webhook.old_secret)
    return [decrypt(settings, webhook.id, secret) for secret in encrypted]


def record(
    database: Database, message: Message, attempt: Attempt, retry_after: str | None, clock: Clock
) -> Message | None:
    """Write down what came of an attempt; the next message, if there is one to send now."""
    with database.writing() as session:
        at = clock(session)
        webhook = _held(session, message)
        delivery = session.get(WebhookDelivery, message.delivery_id)
        # It was sent, and is recalled, though nobody asks for the rest any more.
        note_attempt(session, message.webhook_id, message.url, message.body, attempt.at, attempt.taken_at)
        if webhook is None or delivery is None:
            return None
        note(delivery, attempt)
        if orjson.loads(message.body)["type"] == ENDED:
            note_end(session, webhook.id, attempt.taken_at)
        if attempt.taken_at is not None:
            delivery.status, delivery.finished_at = DeliveryStatus.DELIVERED, at
            webhook.tries, webhook.retry_at = 0, None
        elif attempt.status == 410:
            _disable(webhook, at, "gone: the receiver answered 410")
        else:
            _put_off(webhook, attempt, retry_after, at)
        session.flush()  # Or this message would be found as the next one.
        return _next(session, webhook, at) if webhook.lease == message.lease else None


def release(database: Database, message: Message) -> None:
    """Give back the lease and leave the message unsent, because the worker must end."""
    with database.writing() as session:
        webhook = _held(session, message)
        if webhook is not None and webhook.lease == message.lease:
            webhook.lease = webhook.leased_until = None


def _held(session: Session, message: Message) -> Webhook | None:
    statement = select(Webhook).where(Webhook.id == message.webhook_id)
    return session.exec(statement.with_for_update()).one_or_none()


def note(delivery: WebhookDelivery, attempt: Attempt) -> None:
    """Add an attempt to the log."""
    delivery.attempts = [*delivery.attempts, attempt][-MOST_LOGGED:]


def _disable(webhook: Webhook, at: datetime, reason: str) -> None:
    webhook.enabled, webhook.disabled_at, webhook.disabled_reason = False, at, reason
    webhook.version, webhook.updated_at = webhook.version + 1, at


def _put_off(webhook: Webhook, attempt: Attempt, retry_after: str | None, at: datetime) -> None:
    webhook.tries += 1
    if webhook.tries > len(SCHEDULE):
        said = attempt.fault or f"it answered {attempt.status}"
        _disable(
            webhook,
            at,
            f"failing: {webhook.tries} attempts over {sum(SCHEDULE, timedelta()) // timedelta(hours=1)}"
            f" hours; {said}",
        )
        return
    # A little more, by chance: what failed together is not to come back together.
    scheduled = SCHEDULE[webhook.tries - 1] * random.uniform(1, 1.1)  # noqa: S311  # no secret
    webhook.retry_at = at + max(scheduled, min(_asked(retry_after, at), LONGEST_WAIT))


def _asked(retry_after: str | None, at: datetime) -> timedelta:
    """Return how long a receiver asks to be left alone (RFC 9110, 10.2.3): seconds, or a date."""
    if retry_after is None:
        return timedelta()
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), LONGEST_WAIT.total_seconds()))
    try:
        date = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):  # a year of twenty digits
        return timedelta()
    return (date if date.tzinfo is not None else date.replace(tzinfo=UTC)) - at


def attempt_of(
    at: datetime, ms: int, headers: dict[str, str], answered: Answered | None, fault: str | None
) -> Attempt:
    """Return an attempt for the log."""
    status, said = (answered.status, answered.body) if answered is not None else (None, None)
    return Attempt(at=at, ms=ms, request_headers=headers, status=status, answer=said, fault=fault)
