"""Make answers that the event loop makes itself a few at a time, in the order in which they were asked for.

A read of one row takes less time than handing it to a thread. Thousands at once would keep the loop from
everything else until the last is made, and all but a few would wait for a connection in vain.
"""

import asyncio
from collections import deque

EACH_TURN = 16
"""Answers that are begun between two turns of the loop: some milliseconds of work."""


class Pace:
    """The queue of one process. `waiting` requests are in it; `at_once` are made at the same time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._begun = self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_called = False

    @property
    def waiting(self) -> int:
        """Return how many requests wait for their turn."""
        return len(self._waiting)

    async def __aenter__(self) -> None:
        """Wait until all that came before have begun, and there is room for one more."""
        if self._waiting or not self._has_room():
            await self._wait()
        else:
            self._begin()

    async def __aexit__(self, *_: object) -> None:
        """Make room for the next."""
        self._under_way -= 1
        if self._waiting:
            self._call()

    def let_all_go(self) -> None:
        """Let nobody wait any longer, because the database does not answer: each finds out by itself."""
        while self._waiting:
            self._admit()

    def _has_room(self) -> bool:
        return self._begun < EACH_TURN and self._under_way < self._at_once

    def _begin(self) -> None:
        self._begun += 1
        self._under_way += 1
        # Another turn of the loop costs as much as a read, so it is taken once for sixteen reads.
        if self._begun >= EACH_TURN:
            self._call()

    async def _wait(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._call()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._under_way -= 1
                self._call()
            raise

    def _admit(self) -> None:
        place = self._waiting.popleft()
        if not place.done():
            place.set_result(None)
            self._begin()

    def _call(self) -> None:
        """Look again in the next turn of the loop, once."""
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        self._is_called = False
        self._begun = 0
        while self._waiting and self._has_room():
            self._admit()
