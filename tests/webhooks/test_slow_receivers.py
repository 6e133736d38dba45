"""Receivers that hang hold nobody up: neither other receivers, nor requests."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from service.tables import now
from service.webhooks import delivery, trials, worker
from service.webhooks.models import Webhook
from tests.articles.newsroom import problem, published
from tests.databases import KINDS
from tests.patience import wait_until
from tests.serving import EDITOR, Store, serving
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver, receiver

HANGING = 20


class Hanging(Receiver):
    """Answers nobody until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.asked = threading.Semaphore(0)

    def receive(self, headers: dict[str, str], body: bytes) -> None:
        """Take a message, but not now."""
        self.asked.release()
        assert self.goes_on.wait(60)


@contextmanager
def hanging() -> Iterator[Hanging]:
    """A receiver that hangs until the block ends."""
    with receiver(Hanging) as server:
        try:
            yield server
        finally:
            server.goes_on.set()


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store that waits a minute for a receiver, and prolongs leases all the time."""
    settings = {"outbound_allow_loopback": True, "outbound_deadline": 60, "webhook_concurrency": 8}
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(worker, "PROLONGS_EVERY", 0.05)
        with serving(request.param, folder, sqlite_template, **settings) as running_store:
            yield running_store


def test_receivers_that_hang_do_not_slow_the_others(store: Store, keeper: httpx.Client) -> None:
    with ExitStack() as stack:
        editor = stack.enter_context(store.client(*EDITOR))
        good = [stack.enter_context(receiver()) for _ in range(2)]
        told = [stack.enter_context(webhook(keeper, each)) for each in good]
        hung = stack.enter_context(hanging())
        hooks = [stack.enter_context(webhook(keeper, hung)) for _ in range(HANGING)]
        articles = [published(editor)["id"] for _ in range(5)]
        for _ in range(HANGING):
            assert hung.asked.acquire(timeout=60)
        articles += [published(editor)["id"] for _ in range(5)]
        for hook in told:
            wait_until(lambda hook=hook: len(deliveries(keeper, hook, "&status=delivered")) == len(articles))
        assert [[message["data"]["id"] for message in each.taken] for each in good] == [articles] * 2
        # None of the others had an answer meanwhile: there was no hand that became free in the usual way.
        assert [len(deliveries(keeper, hook, "&status=pending")) for hook in hooks] == [
            len(articles)
        ] * HANGING
        hung.goes_on.set()


def test_a_lease_is_prolonged_while_its_receiver_hangs(
    store: Store, keeper: httpx.Client, partner: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.client(*EDITOR) as editor, hanging() as hung, webhook(keeper, hung):
        published(editor)
        assert hung.asked.acquire(timeout=60)
        before = leased_until(store)
        wait_until(lambda: leased_until(store) > before)
        if not store.settings.is_sqlite:
            # A machine whose clock is ahead takes no lease away: all go by the clock of the database.
            monkeypatch.setattr(delivery, "now", lambda: now() + timedelta(hours=1))
        assert not delivery.is_due(store.database, delivery.store_time)
        hung.goes_on.set()


def leased_until(store: Store) -> datetime:
    with store.database.reading() as session:
        return session.exec(select(Webhook.leased_until).where(col(Webhook.lease).is_not(None))).one()


def test_tests_of_receivers_that_hang_hold_up_no_request(
    store: Store, keeper: httpx.Client, client: httpx.Client
) -> None:
    with hanging() as hung, webhook(keeper, hung) as hook, ThreadPoolExecutor(trials.AT_ONCE) as pool:
        address = f"/v1/webhooks/{hook['id']}/test"
        tests = [pool.submit(keeper.post, address) for _ in range(trials.AT_ONCE)]
        for _ in tests:
            assert hung.asked.acquire(timeout=60)
        problem(keeper.post(address), 503, "unavailable")
        assert client.get("/v1/articles").status_code == 200
        hung.goes_on.set()
        assert {test.result(60).json()["status"] for test in tests} == {"delivered"}
