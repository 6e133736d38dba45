"""A receiver of webhooks, for tests of what it is not told."""

from collections.abc import Iterator

import pytest

from tests.webhooks.receiver import Receiver, receiver


@pytest.fixture
def partner() -> Iterator[Receiver]:
    """A receiver."""
    with receiver() as server:
        yield server
