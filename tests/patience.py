"""Wait for an event instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 120.0
"""Seconds until a test gives up. A busy machine may need many; only a test that fails waits for all of them.
"""
Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], missing: str = "never happened") -> Found:
    """Look again and again until something is found, and return it."""
    ends_at = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < ends_at, missing
        time.sleep(0.01)
    return found
