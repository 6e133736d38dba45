"""A store that may send to loopback, which the tests of a module share, and receivers there."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import KINDS
from tests.serving import Store, serving
from tests.webhooks.receiver import Receiver, receiver


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A running store that may send to loopback. A module that sends by itself says `SENDERS = 0`."""
    settings = {
        "outbound_allow_loopback": True,
        "outbound_deadline": 3,
        "webhook_concurrency": getattr(request.module, "SENDERS", 8),
    }
    with serving(
        request.param, tmp_path_factory.mktemp("store"), sqlite_template, **settings
    ) as running_store:
        yield running_store


@pytest.fixture
def keeper(store: Store) -> Iterator[httpx.Client]:
    """Who keeps webhooks."""
    with store.client("webhooks:write", name="keeper") as client:
        yield client


@pytest.fixture
def partner() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as server:
        yield server
