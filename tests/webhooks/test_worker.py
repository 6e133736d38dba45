"""Nothing is lost and nothing overtakes: receivers that are down for days, workers that share, workers that
die.
"""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta
from uuid import uuid4

import anyio
import httpx
import pytest
from sqlmodel import select

from service.database import Database
from service.rooms import open_database
from service.tables import now
from service.webhooks import delivery, lifecycle
from service.webhooks.models import Webhook
from service.webhooks.worker import Worker, forget
from tests.articles.newsroom import problem, published
from tests.serving import SECRET, Store, another
from tests.webhooks.keeping import deliveries, edit, read, webhook
from tests.webhooks.receiver import Receiver, receiver

SENDERS = 0


class Clock:
    """What time it is for the schedule."""

    def __init__(self) -> None:
        self.time = now()

    def __call__(self, _session: object = None) -> datetime:
        return self.time

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


def work(database: Database, clock: Clock, at_once: int = 4) -> None:
    """Send what is due, until nothing more is."""

    async def run() -> None:
        worker = Worker(database, at_once, clock)
        while delivery.is_due(database, clock):
            async with anyio.create_task_group() as group:
                await worker.look(group)

    anyio.run(run)


@pytest.mark.slow
def test_a_receiver_that_was_down_for_a_day_gets_everything_in_order(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    clock = Clock()
    with webhook(keeper, partner) as hook:
        partner.answer = (503, {}, b"down")
        told = []
        for _ in range(24):
            told += [published(editor)["id"], published(editor)["id"]]
            work(store.database, clock)
            clock.later(hours=1)
        assert partner.taken == []
        assert (
            partner.refused == 9
        )  # each hour at first, then after 3 and after 6: nothing behind the first is tried
        partner.answer = (204, {}, b"")
        while not partner.taken:
            clock.later(hours=1)
            work(store.database, clock)
        assert [message["data"]["id"] for message in partner.taken] == told
        assert len(set(partner.ids)) == len(told) == 48
        seqs = [message["data"]["seq"] for message in partner.taken]
        assert seqs == sorted(seqs)
        first = deliveries(keeper, hook)[-1]
        assert [attempt["status"] for attempt in first["attempts"]] == [503] * 9 + [204]
        assert deliveries(keeper, hook, "&status=pending") == []


@pytest.mark.slow
def test_who_is_down_for_more_than_75_hours_is_disabled_and_loses_nothing(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    clock = Clock()
    began = clock()
    with webhook(keeper, partner) as hook:
        partner.answer = (500, {}, b"")
        told = [published(editor)["id"] for _ in range(3)]
        while read(keeper, hook)["enabled"]:
            work(store.database, clock)
            clock.later(minutes=1 if clock() - began < timedelta(hours=1) else 60)
        assert partner.refused == 13
        assert timedelta(hours=75) < clock() - began < timedelta(hours=90)
        assert read(keeper, hook)["disabled_reason"].startswith(
            "failing: 13 attempts over 75 hours; it answered 500"
        )
        partner.answer = (204, {}, b"")
        work(store.database, clock)
        assert partner.taken == []
        edit(keeper, hook, enabled=True)
        work(store.database, clock)
        assert [message["data"]["id"] for message in partner.taken] == told


def test_an_outage_of_seconds_costs_seconds(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    clock = Clock()
    began = clock()
    with webhook(keeper, partner):
        article = published(editor)
        while not partner.taken:
            partner.answer = (503 if clock() - began < timedelta(seconds=8) else 204, {}, b"")
            work(store.database, clock)
            clock.later(seconds=1)
        assert [told["data"]["id"] for told in partner.taken] == [article["id"]]
        assert clock() - began <= timedelta(seconds=27)


def test_a_keeper_can_have_it_go_on_at_once(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    clock = Clock()
    with webhook(keeper, partner) as hook:
        told = []
        for status in (503, 410):
            partner.answer = (status, {"Retry-After": "3600"}, b"")
            told.append(published(editor)["id"])
            work(store.database, clock)
            partner.answer = (204, {}, b"")
            work(store.database, clock)
            assert len(partner.taken) == len(told) - 1
            resumed = keeper.post(f"/v1/webhooks/{hook['id']}/resume")
            assert resumed.status_code == 200
            assert (resumed.json()["enabled"], resumed.json()["retry_at"]) == (True, None)
            work(store.database, clock)
            assert [message["data"]["id"] for message in partner.taken] == told
        problem(keeper.post(f"/v1/webhooks/{uuid4()}/resume"), 404)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("120", 120, 130),
        ("1", 2, 3),
        ("999999999999", 86_399, 86_401),
        ("Fri, 99 Foo", 2, 3),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 2, 3),
        ("date", 595, 605),
    ],
)
def test_retry_after_can_only_make_the_wait_longer(
    store: Store,
    editor: httpx.Client,
    keeper: httpx.Client,
    partner: Receiver,
    said: str,
    least: int,
    most: int,
) -> None:
    clock = Clock()
    when = clock() + timedelta(minutes=10)
    partner.answer = (
        429,
        {"Retry-After": when.strftime("%a, %d %b %Y %H:%M:%S GMT") if said == "date" else said},
        b"",
    )
    with webhook(keeper, partner) as hook:
        published(editor)
        work(store.database, clock)
        waits = datetime.fromisoformat(read(keeper, hook)["retry_at"]) - clock()
        assert least <= waits.total_seconds() <= most


@pytest.mark.slow
def test_workers_share_and_nothing_is_sent_twice(
    store: Store, editor: httpx.Client, keeper: httpx.Client
) -> None:
    with ExitStack() as stack:
        partners = [stack.enter_context(receiver()) for _ in range(5)]
        for each in partners:
            stack.enter_context(webhook(keeper, each))
        told = [published(editor)["id"] for _ in range(12)]
        clock, start = Clock(), threading.Barrier(3)
        databases = [open_database(store.settings) for _ in range(3)]

        def one(database: Database) -> None:
            start.wait()
            work(database, clock, at_once=2)

        with ThreadPoolExecutor(3) as workers:
            for done in [workers.submit(one, database) for database in databases]:
                done.result(60)
        for database in databases:
            database.close()
        for each in partners:
            assert [message["data"]["id"] for message in each.taken] == told


def test_a_lease_of_a_worker_that_died_is_taken_over(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    clock = Clock()
    with webhook(keeper, partner):
        article = published(editor)
        [message] = delivery.lease(store.database, clock, 5)
        work(store.database, clock)
        assert partner.taken == []
        delivery.release(store.database, message)
        [message] = delivery.lease(store.database, clock, 5)
        clock.later(seconds=21)
        work(store.database, clock)
        assert [told["data"]["id"] for told in partner.taken] == [article["id"]]
        attempt = delivery.attempt_of(clock(), 1, {}, None, "late")
        assert delivery.record(store.database, message, attempt, None, clock) is None


def test_a_secret_of_another_key_disables_with_the_reason(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        published(editor)
        with another(
            store, secret_key="another secret key, and long enough too", webhook_concurrency=0
        ) as changed:
            work(changed.database, Clock())
            with changed.client("webhooks:write") as there:
                refused = there.post(f"/v1/webhooks/{hook['id']}/test")
                assert (refused.status_code, refused.json()["type"]) == (409, "/problems/secret-lost")
        assert "COPYDESK_SECRET_KEY" in read(keeper, hook)["disabled_reason"]


def test_a_secret_outlives_a_change_of_the_key(store: Store, keeper: httpx.Client, partner: Receiver) -> None:
    present = {"secret_key": "the next secret key, and long enough too", "outbound_allow_loopback": True}
    with webhook(keeper, partner) as hook:
        address = f"/v1/webhooks/{hook['id']}/test"
        with another(store, **present, secret_key_previous=SECRET) as changed:
            with changed.client("webhooks:write") as there:
                assert there.post(address).json()["status"] == "delivered"
            with changed.database.writing() as session:
                assert lifecycle.encrypt_again(session) == (1, 0)
        with another(store, **present) as changed, changed.client("webhooks:write") as there:
            assert there.post(address).json()["status"] == "delivered"


def test_a_test_goes_past_what_is_pending_and_is_never_sent_again(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        published(editor)
        assert keeper.post(f"/v1/webhooks/{hook['id']}/test").json()["status"] == "delivered"
        work(store.database, Clock())
        again = keeper.post(f"/v1/webhooks/{hook['id']}/redeliver", json={"since": "2020-01-01T00:00:00Z"})
        assert again.json() == {"count": 1}
        work(store.database, Clock())
        assert [message["type"] for message in partner.taken] == [
            "webhook.test",
            "article.put",
            "article.put",
        ]


def test_finished_deliveries_are_forgotten_in_time(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        published(editor)
        clock = Clock()
        clock.later(days=-31)
        work(store.database, clock)
        published(editor)
        assert forget(store.database) is False
        assert [left["status"] for left in deliveries(keeper, hook)] == ["pending"]


def test_no_two_workers_hold_one_webhook(store: Store, editor: httpx.Client, keeper: httpx.Client) -> None:
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(webhook(keeper, stack.enter_context(receiver())))
        published(editor)
        clock = Clock()
        first = delivery.lease(store.database, clock, 2)
        second = delivery.lease(store.database, clock, 5)
        assert len(first) == len(second) == 2
        assert len({message.webhook_id for message in [*first, *second]}) == 4
        for message in random.sample([*first, *second], 4):
            delivery.release(store.database, message)
        with store.database.reading() as session:
            assert [row.lease for row in session.exec(select(Webhook))] == [None] * 4
