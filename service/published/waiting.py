"""Wake each follower that waits when its change is committed. One task per process looks for changes.

The task rests while nobody waits. Drafts take numbers too, but do not wake followers of public content.
"""

import asyncio
import enum

from service.published import feed
from service.published.reader import DatabaseReader
from service.published.watch import Watch

LOOKS_FOR = 1.0


class View(enum.StrEnum):
    """The changes that a follower sees: those of readers, the same with all that a mirror keeps of them, or
    all that the staff see.
    """

    PUBLIC = "public"
    STAFF = "staff"
    MIRROR = "mirror"


class Waiting:
    """The place where followers wait. When the process must end, `closed` is set, and all of them stop
    waiting.
    """

    def __init__(self, reader: DatabaseReader, watch: Watch) -> None:
        self.closed = False
        self.count = 0
        self._reader = reader
        self._watch = watch
        self._latest = dict.fromkeys(View, -1)
        self._bells = {view: asyncio.Event() for view in View}
        self._somebody = asyncio.Event()

    async def beyond(self, view: View, seq: int, seconds: float) -> bool:
        """Wait until there is a number above this one; False when these seconds are over first, or the
        service ends.
        """
        self.count += 1
        self._somebody.set()
        try:
            async with asyncio.timeout(seconds):
                while self._latest[view] <= seq and not self.closed:
                    await self._bells[view].wait()
        except TimeoutError:
            return False
        finally:
            self.count -= 1
        return not self.closed

    async def step(self) -> float:
        """Look for changes, for a while, if somebody waits; return the seconds to wait."""
        try:
            async with asyncio.timeout(LOOKS_FOR):
                await self._somebody.wait()
        except TimeoutError:
            return 0.0
        if await self._watch.moved(within=LOOKS_FOR):
            await self._look()
        if not self.count:
            self._somebody.clear()
        return 0.0

    async def _look(self) -> None:
        head = await feed.head(self._reader)
        for view in View:
            seq = head.seq if view is View.STAFF else head.public
            if seq > self._latest[view]:
                self._latest[view] = seq
                self._ring(view)

    def _ring(self, view: View) -> None:
        bell, self._bells[view] = self._bells[view], asyncio.Event()
        bell.set()

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        for view in View:
            self._ring(view)
