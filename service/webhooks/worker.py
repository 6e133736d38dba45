"""Sends what is due, several webhooks at a time, beside the requests of a serving process or in a process of
its own.
"""

import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta

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
from service.settings import Settings
from service.tables import now
from service.webhooks import delivery, signing
from service.webhooks.delivery import Message
from service.webhooks.models import Attempt, DeliveryStatus, WebhookDelivery, WebhookEvent

LOOKS_EVERY = 0.5
FORGETS_EVERY = 3_600.0
FORGETS_AT_ONCE = 1_000
MOST_IN_A_ROW = 200
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


class Worker:
    """Sends until cancelled. `clock` says what time it is for the schedule."""

    def __init__(self, database: Database, at_once: int, clock: Callable[[], datetime] = now) -> None:
        self.database = database
        self.clock = clock
        # Threads of their own: slow receivers must not take those that answer requests.
        self._senders = CapacityLimiter(at_once)
        self._free = at_once

    async def run(self, beat: Beat) -> None:
        """Look for what is due until cancelled; forget old deliveries now and then."""
        forgets_at = time.monotonic()
        async with anyio.create_task_group() as group:
            while True:
                await self.look(group)
                if time.monotonic() >= forgets_at:
                    forgets_at = time.monotonic() + (0 if await self._forget() else FORGETS_EVERY)
                beat(LOOKS_EVERY)
                await anyio.sleep(LOOKS_EVERY)

    async def look(self, group: TaskGroup) -> None:
        """Begin to send to what is due."""
        if not self._free or not await to_thread.run_sync(delivery.is_due, self.database, self.clock()):
            return
        async with self.database.turn():
            messages = await to_thread.run_sync(delivery.lease, self.database, self.clock(), self._free)
        for message in messages:
            self._free -= 1
            group.start_soon(self._serve, message)

    async def _serve(self, first: Message) -> None:
        """Send one webhook's messages for as long as there are any, and it is not somebody else's turn."""
        message: Message | None = first
        try:
            for _ in range(MOST_IN_A_ROW):
                if message is None:
                    break
                await anyio.lowlevel.checkpoint()
                # What was sent is written down, even when the service ends meanwhile: it must not be sent
                # again.
                with CancelScope(shield=True):
                    message = await self._step(message)
        except SQLAlchemyError as fault:
            log.warning("a webhook's delivery could not be written down", fault=type(fault).__name__)
        finally:
            self._free += 1
            if message is not None:
                with CancelScope(shield=True):
                    await self._release(message)

    async def _step(self, message: Message) -> Message | None:
        attempt, retry_after = await to_thread.run_sync(
            send, self.database.settings, message, limiter=self._senders
        )
        async with self.database.turn():
            return await to_thread.run_sync(
                delivery.record, self.database, message, attempt, retry_after, self.clock()
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
    """Delete some deliveries that were finished longer ago than the setting says; whether there may be more."""
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
    """Send until the process is told to end."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as told:
        async with anyio.create_task_group() as group:
            background = Background(CollectorRegistry())
            background.add("webhooks", Worker(database, at_once).run)
            group.start_soon(background.run)
            async for _ in told:
                group.cancel_scope.cancel()
                return
