"""The tests of one module share a store on each database, served on a real socket: streams have to stream."""

from collections.abc import Iterator

import httpx
import pytest

from tests.patience import PATIENCE
from tests.serving import Store
from tests.sharing import store
from tests.sync.following import listening

__all__ = ["store"]


@pytest.fixture(scope="module")
def origin(store: Store) -> Iterator[str]:
    """Where the store listens."""
    with listening(store.app, store.portal) as address:
        yield address


@pytest.fixture
def follower(origin: str) -> Iterator[httpx.Client]:
    """A follower without a token, over a real connection."""
    with httpx.Client(base_url=origin, timeout=PATIENCE) as client:
        yield client
