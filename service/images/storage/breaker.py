"""Refuse requests at once for a while after the media store was slow to fail, so that they do
not wait too.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.images.storage.keys import MediaUnavailable

HOLDS = 10.0
"""Seconds for which everybody is refused, until one request is let through to try."""


class Breaker:
    """Guards one media store. A store that fails quickly needs no guard, so each request goes to it."""

    def __init__(self, slow: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slow = slow
        self._refuses_until = 0.0

    def close(self) -> None:
        """Let everybody through: the store has answered."""
        self._refuses_until = 0.0

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Let a request through, or raise MediaUnavailable at once."""
        began = self._clock()
        if began < self._refuses_until:
            raise MediaUnavailable
        if self._refuses_until:
            # This one tries; the others go on being refused until it knows.
            self._refuses_until = began + HOLDS
        try:
            yield
        except MediaUnavailable:
            ended = self._clock()
            self._refuses_until = ended + HOLDS if ended - began >= self._slow else 0.0
            raise
        except FileNotFoundError:
            self.close()
            raise
        # A request that was cancelled has learned nothing, and comes to neither place.
        self.close()
