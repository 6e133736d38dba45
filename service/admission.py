"""Admit requests to the connections of a database, so that writers never have all of them.

A writer may hold its connection for long, because it waits for rows or for the counter that another writer
has locked. A request that only reads waits for no lock, so some connections are kept for those.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter, WouldBlock
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import Unavailable

KEPT_FOR_JOBS = 2
KEPT_FOR_READERS = 4
"""One connection in this many is kept for requests that only read."""
WAITING_PER_SLOT = 16
"""Requests that may wait for each connection. More are refused at once, because their answer would come too
late.
"""


class Admission:
    """The connections that requests may have. Used from the event loop only.

    Batches of writes have connections beside those of requests, and count as writers all the same.
    """

    def __init__(self, connections: int, patience: float) -> None:
        self._at_once = max(1, connections - KEPT_FOR_JOBS)
        kept = self._at_once // KEPT_FOR_READERS
        self._patience = patience
        self._slots = CapacityLimiter(self._at_once)
        self._writers = CapacityLimiter(self._at_once - kept if kept else connections)

    @property
    def waiting(self) -> int:
        """Return how many wait for a connection."""
        return _waiting(self._slots) + _waiting(self._writers)

    @property
    def most_waiting(self) -> int:
        """Return how many requests may wait for a connection."""
        return WAITING_PER_SLOT * self._at_once

    @asynccontextmanager
    async def slot(self, *, writes: bool) -> AsyncIterator[None]:
        """Let a request have a connection, and refuse it at once when too many wait for one already.

        Raises Unavailable, and TimeoutError of SQLAlchemy when no connection comes free.
        """
        # Waiting writers are no reason to refuse a request that only reads.
        if _waiting(self._writers if writes else self._slots) >= self.most_waiting:
            raise Unavailable("Too many requests wait for the database.", headers={"Retry-After": "1"})
        if writes:
            async with self.writer(self._patience), _held(self._slots, self._patience):
                yield
        else:
            async with _held(self._slots, self._patience):
                yield

    @asynccontextmanager
    async def writer(self, within: float) -> AsyncIterator[None]:
        """Wait, for so many seconds, until one more may write. Raises TimeoutError of SQLAlchemy."""
        async with _held(self._writers, within):
            yield

    def stop(self) -> None:
        """Let no more requests have a connection until `go_on`."""
        self._slots.total_tokens = 0

    def go_on(self) -> None:
        """Let requests have connections again."""
        self._slots.total_tokens = self._at_once


def _waiting(limiter: CapacityLimiter) -> int:
    return limiter.statistics().tasks_waiting


@asynccontextmanager
async def _held(limiter: CapacityLimiter, within: float) -> AsyncIterator[None]:
    borrower = object()
    try:
        # Without an await: during one, more writes would join a batch that is about to begin.
        limiter.acquire_on_behalf_of_nowait(borrower)
    except WouldBlock:
        await _wait(limiter, borrower, within)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(borrower)


async def _wait(limiter: CapacityLimiter, borrower: object, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            await limiter.acquire_on_behalf_of(borrower)
    except TimeoutError:
        raise PoolTimeout("other requests took too long") from None
