"""Send due messages to several webhooks at a time, beside a serving process or in a process of its own."""

import asyncio
import signal
import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import anyio
import structlog
from anyio import CancelScope, CapacityLimiter, to_thread
from anyio.abc import TaskGroup
from prometheus_client import CollectorRegistry
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from service.background import Background, Beat
from service.database import Database
from service.errors import ServiceError
from service.outbound.post import Answered, post
from service.rows import RowReader
from service.settings import Settings
from service.tables import now
from service.webhooks import delivery, signing
from service.webhooks.delivery import LEASE, Clock, Message
from service.webhooks.models import Attempt, DeliveryStatus, WebhookDelivery, WebhookEvent

LOOKS_EVERY = 0.5
FORGETS_EVERY = 3_600.0
FORGETS_AT_ONCE = 1_000
MOST_IN_A_ROW = 200
PROLONGS_EVERY = LEASE.total_seconds() / 4
LATE_AFTER = 0.25
"""Seconds after which a receiver counts as slow."""
SLOW_HANDS = 4
"""Slow receivers that may be sent to at once, for each quick one."""
_PENDING = "SELECT 1 FROM webhook_delivery WHERE status = 'pending' LIMIT 1"
log = structlog.get_logger()


def send(settings: Settings, message: Message) -> tuple[Attempt, str | None]:
    """Send a message once; what came of it, and for how long the receiver asks to be left alone."""
    at, started = now(), time.monotonic()
    headers = signing.headers(message.message_id, at, message.body, message.secrets)
    answered: Answered | None = None
    fault = None
    try:
        answered = post(settings, message.url, headers, message.body)
    except ServiceError as error:
        fault = error.detail
    ms = round((time.monotonic() - started) * 1_000)
    return delivery.attempt_of(
        at, ms, headers, answered, fault
    ), answered.retry_after if answered is not None else None


@dataclass(slots=True)
class Hands:
    """The number of webhooks that may still be sent to at once."""

    free: int


class Worker:
    """Sends until cancelled. `clock` says what time it is for leases and the schedule.

    A receiver that takes long is moved aside, so that its hand is free for another; one that is known to be
    slow begins there. Slow receivers therefore never have the hands that quick ones wait for.

    With a reader the worker asks one short question before it opens sessions: whether a message is pending.
    """

    def __init__(
        self,
        database: Database,
        at_once: int,
        clock: Clock = delivery.store_time,
        reader: RowReader | None = None,
    ) -> None:
        self.database = database
        self._reader = reader
        self.clock = clock
        # Threads of their own: slow receivers must not take those that answer requests.
        self._senders = CapacityLimiter((1 + SLOW_HANDS) * at_once)
        self._quick, self._slow = Hands(at_once), Hands(SLOW_HANDS * at_once)
        self._late: set[UUID] = set()
        self._leases: set[UUID] = set()

    async def run(self, beat: Beat) -> None:
        """Look for what is due until cancelled; forget old deliveries now and then."""
        forgets_at = time.monotonic()
        async with anyio.create_task_group() as group:
            group.start_soon(self._prolong)
            while True:
                await self.look(group)
                if time.monotonic() >= forgets_at:
                    forgets_at = time.monotonic() + (0 if await self._forget() else FORGETS_EVERY)
                beat(LOOKS_EVERY)
                await anyio.sleep(LOOKS_EVERY)

    async def look(self, group: TaskGroup) -> None:
        """Begin to send to what is due."""
        if self._reader is not None and not await self._reader.rows(_PENDING):
            return
        slow = delivery.is_slow(self._late)
        for hands, among in ((self._quick, ~slow), (self._slow, slow)):
            due = partial(delivery.is_due, self.database, self.clock, among)
            if not hands.free or not await to_thread.run_sync(due):
                continue
            async with self.database.turn():
                lease = partial(delivery.lease, self.database, self.clock, hands.free, among)
                messages = await to_thread.run_sync(lease)
            for message in messages:
                hands.free -= 1
                group.start_soon(self._serve, message, hands)

    async def _prolong(self) -> None:
        while True:
            await anyio.sleep(PROLONGS_EVERY)
            if leases := frozenset(self._leases):
                async with self.database.turn():
                    await to_thread.run_sync(delivery.prolong, self.database, self.clock, leases)

    async def _serve(self, first: Message, hands: Hands) -> None:
        """Send one webhook's messages for as long as there are any, and it is not somebody else's turn."""
        message: Message | None = first
        self._leases.add(first.lease)
        try:
            for _ in range(MOST_IN_A_ROW):
                if message is None:
                    break
                await anyio.lowlevel.checkpoint()
                # What was sent is written down, even when the service ends meanwhile: it must not be sent
                # again.
                with CancelScope(shield=True):
                    attempt, retry_after, hands = await self._send(message, hands)
                    message = await self._record(message, attempt, retry_after)
                if first.webhook_id in self._late:
                    break
        except SQLAlchemyError as fault:
            log.warning("a webhook's delivery could not be written down", fault=type(fault).__name__)
        finally:
            hands.free += 1
            if message is not None:
                with CancelScope(shield=True):
                    await self._release(message)
            self._leases.discard(first.lease)

    async def _send(self, message: Message, hands: Hands) -> tuple[Attempt, str | None, Hands]:
        """Send a message; return what came of it, and the hands to which the one that sent it belongs by
        then.
        """
        held = [hands]

        def put_aside() -> None:
            self._late.add(message.webhook_id)
            if held[0] is self._quick and self._slow.free:
                self._quick.free, self._slow.free, held[0] = (
                    self._quick.free + 1,
                    self._slow.free - 1,
                    self._slow,
                )

        self._late.discard(message.webhook_id)
        late = asyncio.get_running_loop().call_later(LATE_AFTER, put_aside)
        attempt, retry_after = await to_thread.run_sync(
            send, self.database.settings, message, limiter=self._senders
        )
        late.cancel()
        return attempt, retry_after, held[0]

    async def _record(self, message: Message, attempt: Attempt, retry_after: str | None) -> Message | None:
        async with self.database.turn():
            return await to_thread.run_sync(
                delivery.record, self.database, message, attempt, retry_after, self.clock
            )

    async def _release(self, message: Message) -> None:
        try:
            async with self.database.turn():
                await to_thread.run_sync(delivery.release, self.database, message)
        except SQLAlchemyError as fault:
            log.warning("a webhook's lease could not be given back", fault=type(fault).__name__)

    async def _forget(self) -> bool:
        async with self.database.turn():
            return await to_thread.run_sync(forget, self.database)


def forget(database: Database) -> bool:
    """Delete some deliveries that were finished longer ago than the setting says; whether there
    may be more.
    """
    before = now() - timedelta(days=database.settings.webhook_log_days)
    with database.writing() as session:
        old = select(WebhookDelivery.id, WebhookDelivery.event_id).where(
            col(WebhookDelivery.finished_at) < before, WebhookDelivery.status != DeliveryStatus.PENDING
        )
        found = session.exec(old.limit(FORGETS_AT_ONCE)).all()
        if found:
            session.execute(
                delete(WebhookDelivery).where(col(WebhookDelivery.id).in_([id_ for id_, _ in found]))
            )
            told = select(WebhookDelivery.event_id)
            events = [event_id for _, event_id in found]
            session.execute(
                delete(WebhookEvent).where(
                    col(WebhookEvent.id).in_(events), col(WebhookEvent.id).not_in(told)
                )
            )
    return len(found) == FORGETS_AT_ONCE


async def work(database: Database, at_once: int) -> None:
    """Send until the process must end."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as told:
        async with anyio.create_task_group() as group:
            background = Background(CollectorRegistry())
            background.add("webhooks", Worker(database, at_once).run)
            group.start_soon(background.run)
            async for _ in told:
                group.cancel_scope.cancel()
                return
