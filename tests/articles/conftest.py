"""The tests of one module share a store on each database: each makes articles of its own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.serving import EDITOR, Store
from tests.sharing import store

__all__ = ["store"]


@pytest.fixture
def desk(store: Store) -> Iterator[httpx.Client]:
    """An editor who reads the working articles."""

    def read_working_articles(request: httpx.Request) -> None:
        request.url = request.url.copy_set_param("view", "staff")

    with store.client(*EDITOR) as client:
        client.event_hooks["request"].append(read_working_articles)
        yield client
