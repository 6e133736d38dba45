"""A day of webhooks, minute by minute: receivers go away and come back, workers are killed, and every
receiver has everything in the end, in order.
"""

import random
from contextlib import ExitStack
from datetime import datetime, timedelta

import anyio
import httpx
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from service.database import Database
from service.tables import now
from service.webhooks import delivery
from service.webhooks.worker import Worker
from tests.articles.newsroom import published
from tests.reporting import Figure
from tests.serving import Store
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver, receiver

MINUTES = range(24 * 60)
RECEIVERS = 6
SENDERS = 0


class Day:
    """The hours of the day, and what happens in them by chance."""

    def __init__(self, database: Database, portal: BlockingPortal) -> None:
        self.database = database
        self.portal = portal
        self.time = now()
        self.chance = random.Random(24)
        self.kills = self.outages = 0

    def clock(self, _session: object = None) -> datetime:
        """Return the time of the day."""
        return self.time

    def pass_a_minute(self, partners: list[Receiver]) -> None:
        """Let receivers go away and come back; send what is due by workers of which some are killed."""
        for partner in partners:
            if partner.answer[0] == 204 and self.chance.random() < 0.02:
                partner.answer = (self.chance.choice((500, 503, 302, 429)), {}, b"")
                self.outages += 1
            elif partner.answer[0] != 204 and self.chance.random() < 0.2:
                partner.answer = (204, {}, b"")
        if self.chance.random() < 0.1:
            # A worker has leased something, perhaps sent it, and was killed before it could write that down.
            self.kills += len(delivery.lease(self.database, self.clock, 2))
        self.send()

    def send(self) -> None:
        """Send what is due by now."""

        async def work() -> None:
            worker = Worker(self.database, 4, self.clock)
            while delivery.is_due(self.database, self.clock):
                async with anyio.create_task_group() as group:
                    await worker.look(group)

        self.portal.call(work)


@pytest.mark.long
def test_everything_arrives_in_order_whatever_happens_in_a_day(
    store: Store, editor: httpx.Client, keeper: httpx.Client, record_property: Figure
) -> None:
    told = []
    with ExitStack() as stack:
        day = Day(store.database, stack.enter_context(start_blocking_portal()))
        partners = [stack.enter_context(receiver()) for _ in range(RECEIVERS)]
        hooks = [stack.enter_context(webhook(keeper, partner)) for partner in partners]
        for minute in MINUTES:
            if day.chance.random() < 0.5:
                told.append(published(editor, headline=f"Minute {minute}")["id"])
            day.pass_a_minute(partners)
            day.time += timedelta(minutes=1)
        for partner, hook in zip(partners, hooks, strict=True):
            partner.answer = (204, {}, b"")
            assert keeper.post(f"/v1/webhooks/{hook['id']}/resume").json()["enabled"]
        day.time += delivery.LEASE + timedelta(seconds=1)
        day.send()
        for partner, hook in zip(partners, hooks, strict=True):
            assert [message["data"]["id"] for message in partner.taken] == told
            assert deliveries(keeper, hook, "&status=pending") == []
    record_property("messages, outages, kills", f"{len(told) * RECEIVERS}, {day.outages}, {day.kills}")
