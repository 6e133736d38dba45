"""Wait for an event instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

from tests.effort import LONG

PATIENCE = 3_600.0 if LONG else 120.0
"""Seconds until a test gives up. A busy machine may need many; only a test that fails waits for all of them.
"""
Found = TypeVar("Found")


def wait_until(look: Callable[[], Found], missing: str = "never happened") -> Found:
    """Look again and again until something is found, and return it."""
    ends_at, pause = time.monotonic() + PATIENCE, 0.005
    while not (found := look()):
        assert time.monotonic() < ends_at, missing
        time.sleep(pause)
        # What is asked for may cost as much as what is waited for.
        pause = min(0.05, 1.5 * pause)
    return found
