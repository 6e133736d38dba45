"""Count the entries that wait in the queues that all processes share. The database counts them when somebody
asks.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime

from anyio import to_thread
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func
from sqlmodel import col, select

from service.consent.log.sealing import ConsentUnsealed
from service.database import Database, Session
from service.faults import DATABASE_FAULTS
from service.purging import standing
from service.purging.standing import Standing
from service.tables import now
from service.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery

COUNTED_EVERY = 5.0
DEADLINE = 1.0
"""Seconds that a scrape waits for the database. Without its answer the figures are left out."""
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Queued:
    """Counts of waiting entries: messages for webhooks with the age of the oldest in seconds, and decisions
    that await the log.
    """

    messages: int
    oldest_message: float
    unsealed: int
    purging: Standing | None


class Queues:
    """The shared queues, counted at most every five seconds by one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counting: asyncio.Task[Queued | None] | None = None
        self._found: Queued | None = None
        self._counted_at = float("-inf")

    async def exposition(self) -> bytes:
        """Write the figures as metrics. Without the database there is only `copydesk_database_up`."""
        found = await self._find()
        registry = CollectorRegistry()

        def tell(name: str, text: str, figure: float) -> None:
            Gauge(name, text, registry=registry).set(figure)

        tell("copydesk_database_up", "Whether the database has answered this scrape", found is not None)
        if found is not None:
            tell("copydesk_webhook_pending", "Messages that wait for webhooks", found.messages)
            tell("copydesk_webhook_oldest_seconds", "Age of the oldest of them", found.oldest_message)
            tell("copydesk_consent_unsealed", "Decisions that await sealing into the log", found.unsealed)
        if found is not None and found.purging is not None:
            tell("copydesk_purge_seq", "Change up to which the cache in front is purged", found.purging.seq)
            tell("copydesk_purge_behind", "Changes that it is still to be purged of", found.purging.behind)
            tell("copydesk_purge_lag_seconds", "Age of the oldest of them", found.purging.lag)
            tell("copydesk_purge_tries", "Failures in a row to purge it", found.purging.tries)
        return generate_latest(registry)

    async def _find(self) -> Queued | None:
        if time.monotonic() - self._counted_at < COUNTED_EVERY:
            return self._found
        if self._counting is None:
            self._counting = asyncio.create_task(self._count())
        done, _ = await asyncio.wait([self._counting], timeout=DEADLINE)
        if not done:
            return None
        self._found, self._counting = self._counting.result(), None
        self._counted_at = time.monotonic() if self._found else self._counted_at
        return self._found

    async def _count(self) -> Queued | None:
        try:
            return await to_thread.run_sync(self._ask)
        except DATABASE_FAULTS:
            return None

    def _ask(self) -> Queued:
        with self._database.reading() as session:
            oldest = _oldest(session)
            unsealed = select(ConsentUnsealed.place).limit(MOST_COUNTED).subquery()
            return Queued(
                messages=_pending(session),
                oldest_message=0.0 if oldest is None else (now() - oldest).total_seconds(),
                unsealed=session.exec(select(func.count()).select_from(unsealed)).one(),
                purging=None if self._database.settings.purge_kind == "off" else standing.find(session),
            )


def _pending(session: Session) -> int:
    """Count the messages that wait for webhooks which are enabled."""
    waiting = (
        select(WebhookDelivery.seq)
        .join(Webhook)
        .where(WebhookDelivery.status == DeliveryStatus.PENDING, col(Webhook.disabled_at).is_(None))
        .limit(MOST_COUNTED)
    )
    return session.exec(select(func.count()).select_from(waiting.subquery())).one()


def _oldest(session: Session) -> datetime | None:
    """Return since when the message waits that is the next of its webhook and has waited longest."""
    first = (
        select(WebhookDelivery.created_at)
        .where(
            WebhookDelivery.webhook_id == Webhook.id,
            WebhookDelivery.status == DeliveryStatus.PENDING,
        )
        .order_by(col(WebhookDelivery.seq), col(WebhookDelivery.id))
        .limit(1)
        .scalar_subquery()
    )
    times = session.exec(select(first).where(col(Webhook.disabled_at).is_(None))).all()
    return min((at for at in times if at is not None), default=None)
