"""Have one answer made once for all who ask for it meanwhile.

The first request of a key makes the answer, in its own task. Others wait, and get that very answer, whether
or not it was kept. A request never waits for an answer whose reading began before a change that was known
when it asked.
"""

import asyncio
from collections.abc import Awaitable, Callable

from service.edge.entries import CacheEntry, Key
from service.errors import Unavailable

MOST_WAITING = 10_000
"""Requests of one process that wait for answers which others make: as many as there are connections."""


class StillBeingMade(Unavailable):
    """Others have asked for the same answer before, and it is not there yet. `Retry-After` says when to ask
    again.
    """

    title = "The answer is still being made"


class Flight:
    """One answer in the making."""

    __slots__ = ("_ended", "entry", "is_for_one", "read_at")

    def __init__(self) -> None:
        self.entry: CacheEntry | None = None
        self.is_for_one = False
        """The answer turned out to be for the client alone that asked first."""
        self.read_at: int | None = None
        """The count of changes that were known when its reading began; None before."""
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Let those who wait go on."""
        self._ended.set()

    async def ended(self, until: float) -> None:
        """Wait for the end, until a time of the event loop. Raises TimeoutError."""
        async with asyncio.timeout_at(until):
            await self._ended.wait()


class Flights:
    """The answers that one process is making. `waiting` counts the requests that wait for one just now,
    `shared` those that got one.
    """

    def __init__(self, patience: float) -> None:
        self.waiting = self.shared = 0
        self._patience = patience
        self._under_way: dict[Key, Flight] = {}

    async def once(
        self, key: Key, changes: Callable[[], int], make: Callable[[Flight], Awaitable[CacheEntry | None]]
    ) -> CacheEntry | None:
        """Return the answer of a key that another request is making, or make it; None when it was sent.

        `changes` counts the changes that are known. Raises StillBeingMade, and whatever `make` raises. When
        the first request ends without an answer, the next in the queue makes it.
        """
        until = asyncio.get_running_loop().time() + self._patience
        while (other := self._joinable(key, changes())) is not None:
            await self._wait(other, until)
            if other.entry is not None and not other.entry.is_over():
                self.shared += 1
                return other.entry
            if other.is_for_one or other.entry is not None:
                return await make(Flight())
        flight = self._under_way[key] = Flight()
        try:
            flight.entry = await make(flight)
            return flight.entry
        finally:
            flight.end()
            if self._under_way.get(key) is flight:
                del self._under_way[key]

    def reads(self, key: Key) -> bool:
        """Return whether the answer of a key is being made, and its reading has begun."""
        flight = self._under_way.get(key)
        return flight is not None and flight.read_at is not None

    def _joinable(self, key: Key, changes: int) -> Flight | None:
        flight = self._under_way.get(key)
        return flight if flight is not None and flight.read_at in (None, changes) else None

    async def _wait(self, flight: Flight, until: float) -> None:
        if self.waiting >= MOST_WAITING:
            raise _still_being_made()
        self.waiting += 1
        try:
            await flight.ended(until)
        except TimeoutError:
            raise _still_being_made() from None
        finally:
            self.waiting -= 1


def _still_being_made() -> StillBeingMade:
    return StillBeingMade("Others wait for the same answer. Ask again later.", headers={"Retry-After": "2"})
