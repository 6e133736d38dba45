"""The tests of a module share a store on each database; each purges for a cache of its own."""

from collections.abc import Iterator

import pytest

from tests.purging.front import Caller, called
from tests.sharing import store

__all__ = ["cache", "store"]


@pytest.fixture
def cache() -> Iterator[Caller]:
    """A cache that is called."""
    with called() as caller:
        yield caller
