"""Follow public changes, and have the caches in front drop the answers: at once, and once more a little
later.

The second time is for answers that were under way. A cache may keep an answer that was made before a change
and arrives after the call, and another process may answer as before for a second until it hears of the
change.
"""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import anyio
import structlog
from anyio import CapacityLimiter, to_thread

from service.background import Beat
from service.database import Database
from service.errors import ServiceError
from service.faults import DATABASE_FAULTS
from service.published import epochs, feed, keys, moves
from service.published.feed import Head
from service.published.reader import DatabaseReader
from service.published.waiting import View, Waiting
from service.purging import calls, places
from service.purging.calls import DEADLINE, PurgeRefused
from service.purging.models import PurgePlace
from service.purging.places import LEASE, Where
from service.tables import now

LOOKS_EVERY = 1.0
ROWS_AT_ONCE = 500
MOST_BEHIND = 5_000
"""Changes to catch up with; behind more, everything is dropped instead."""
MARKS_EVERY = 0.25
"""Seconds between two places of which the second time is remembered apart."""
_ROWS = (
    "SELECT kind, id, seq, moves FROM published"
    f" WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT {ROWS_AT_ONCE}"
)
_BEHIND = f"SELECT count(*) FROM (SELECT 1 FROM published WHERE seq > %s LIMIT {MOST_BEHIND + 1}) AS behind"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that is to be purged for again at a time of the monotonic clock; everything, if it `is_all`."""

    due: float
    seq: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class Work:
    """The keys to drop, where the caches are then, and how many marks are done with."""

    keys: Sequence[str]
    where: Where
    marks: int


class Purger:
    """Purges until cancelled, if no other process does. `calls` and `failures` count."""

    def __init__(self, database: Database, reader: DatabaseReader, waiting: Waiting) -> None:
        self.calls = self.failures = 0
        self._database = database
        self._settings = database.settings
        self._reader = reader
        self._waiting = waiting
        self._lease = uuid4()
        self._marks: deque[Mark] = deque()
        # A thread of its own: a slow cache must not take those that answer requests.
        self._caller = CapacityLimiter(1)

    async def run(self, beat: Beat) -> None:
        """Purge, wait for the next change, and begin again."""
        while True:
            beat(LOOKS_EVERY)
            await self._step(beat)

    async def _step(self, beat: Beat) -> None:
        # The place before the head: another process may move it meanwhile, and a place beyond the head is of
        # a lost history.
        place = await to_thread.run_sync(places.read, self._database)
        head = await feed.head(self._reader)
        if place is None:
            async with self._database.turn():
                await to_thread.run_sync(places.begin, self._database, head)
            return
        at = now()
        if place.is_held(self._lease, at) or (place.retry_at is not None and place.retry_at > at):
            await anyio.sleep(LOOKS_EVERY)
            return
        self._mark(place)
        if await self._is_due(place, head):
            await self._purge(beat)
        else:
            await self._wait(head)

    async def _wait(self, head: Head) -> None:
        """Wait for the next public change, or until something is to be dropped for the second time."""
        left = self._marks[0].due - time.monotonic() if self._marks else LOOKS_EVERY
        await self._waiting.beyond(View.PUBLIC, head.public, min(max(left, 0.0), LOOKS_EVERY))
        if self._waiting.closed:
            await anyio.sleep(LOOKS_EVERY)

    def _mark(self, place: PurgePlace) -> None:
        """Schedule the second purge for this place. Drop marks that another process has settled, or that lie
        after a reset.
        """
        while self._marks and self._marks[0].seq <= place.settled_seq and not place.is_all_again:
            self._marks.popleft()
        while self._marks and self._marks[-1].seq > place.seq:
            self._marks.pop()
        last = self._marks[-1] if self._marks else Mark(0.0, place.settled_seq, is_all=False)
        if place.seq <= max(last.seq, place.settled_seq) and place.is_all_again <= last.is_all:
            return
        due = time.monotonic() + self._settings.purge_again
        if self._marks and due - last.due < MARKS_EVERY and last.is_all == place.is_all_again:
            self._marks[-1] = replace(last, seq=place.seq)
        else:
            self._marks.append(Mark(due, place.seq, place.is_all_again))

    def _due_marks(self) -> list[Mark]:
        at = time.monotonic()
        return [mark for mark in self._marks if mark.due <= at]

    async def _is_due(self, place: PurgePlace, head: Head) -> bool:
        return (
            place.is_all_due
            or head.public > place.seq
            or bool(self._due_marks())
            or await self._is_lost(place, head)
        )

    async def _is_lost(self, place: PurgePlace, head: Head) -> bool:
        """Return whether the store was set back behind the place, or is another one."""
        if head.epoch.hex() == place.epoch:
            return head.seq < place.seq
        end = await epochs.end_of(self._reader, bytes.fromhex(place.epoch))
        return end is None or end < place.seq

    async def _purge(self, beat: Beat) -> None:
        try:
            await self._purge_alone(beat)
        except BaseException:
            # Others need not wait until the lease of a process that ends has run out.
            with anyio.CancelScope(shield=True), suppress(*DATABASE_FAULTS):
                async with self._database.turn():
                    await to_thread.run_sync(places.give_back, self._database, self._lease)
            raise

    async def _purge_alone(self, beat: Beat) -> None:
        async with self._database.turn():
            place = await to_thread.run_sync(places.hold, self._database, self._lease)
        if place is None:
            return
        work = await self._work(place, await feed.head(self._reader))
        try:
            await self._call(beat, work)
        except (ServiceError, PurgeRefused) as fault:
            self.failures += 1
            log.warning("the cache in front was not purged", fault=str(fault), tries=place.tries + 1)
            async with self._database.turn():
                await to_thread.run_sync(places.put_off, self._database, self._lease, fault)
            return
        for _ in range(work.marks):
            self._marks.popleft()
        async with self._database.turn():
            await to_thread.run_sync(places.record, self._database, self._lease, place, work.where)

    async def _call(self, beat: Beat, work: Work) -> None:
        fault: ServiceError | PurgeRefused | None = None
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._prolong)
            try:
                for call in calls.calls(self._settings, work.keys, work.where.seq):
                    beat(DEADLINE)
                    await to_thread.run_sync(calls.make, self._settings, call, limiter=self._caller)
                    self.calls += 1
            except (ServiceError, PurgeRefused) as refused:
                fault = refused  # Out of the group it would come in a group of its own.
            beside.cancel_scope.cancel()
        if fault is not None:
            raise fault

    async def _prolong(self) -> None:
        """Keep the lease while calls are made, however long the caches take."""
        while True:
            await anyio.sleep(LEASE.total_seconds() / 3)
            # Without the lease another process makes the same calls, which does no harm.
            with suppress(*DATABASE_FAULTS):
                async with self._database.turn():
                    await to_thread.run_sync(places.hold, self._database, self._lease)

    async def _work(self, place: PurgePlace, head: Head) -> Work:
        """Return the keys to drop now: those of new changes, and those whose second purge is due."""
        found: set[str] = set()
        where = Where(place.seq, place.settled_seq, place.is_all_again, head.epoch.hex())
        due = self._due_marks()
        if where.is_all_again and any(mark.is_all for mark in due):
            found.add(keys.EVERYTHING)
            where = replace(where, settled_seq=min(due[-1].seq, where.seq), is_all_again=False)
        elif due and not where.is_all_again:
            found, settled = await self._keys_of_changes(where.settled_seq, min(due[-1].seq, where.seq))
            where = replace(where, settled_seq=settled)
        done = sum(mark.seq <= where.settled_seq or where.is_all_again for mark in due)
        if place.is_all_due or await self._is_lost(place, head) or await self._is_far(place, head):
            found.add(keys.EVERYTHING)
            settled = min(where.settled_seq, head.seq)
            where = replace(where, seq=head.seq, settled_seq=settled, is_all_again=True)
        else:
            new, reached = await self._keys_of_changes(where.seq, head.seq)
            found |= new
            where = replace(where, seq=reached)
        if not self._settings.purge_again:
            where = replace(where, settled_seq=where.seq, is_all_again=False)
        return Work([keys.EVERYTHING] if keys.EVERYTHING in found else sorted(found), where, done)

    async def _is_far(self, place: PurgePlace, head: Head) -> bool:
        """Return whether there is too much to catch up with, or a removal after the place is forgotten."""
        if place.seq < head.pruned:
            return True
        found = await self._reader.rows(_BEHIND, (place.seq,))
        behind: int = found[0][0]
        return behind > MOST_BEHIND

    async def _keys_of_changes(self, since: int, until: int) -> tuple[set[str], int]:
        """Return the keys of the changes between two numbers, and the number up to which they are of: of many
        changes those of the first.
        """
        if until <= since:
            return set(), since
        rows = await self._reader.rows(_ROWS, (since, until))
        found = {
            key
            for kind, id_, seq, written in rows
            for key in keys.of_change(kind, UUID(str(id_)), moves.since(written, seq, since))
        }
        return found, rows[-1][2] if len(rows) == ROWS_AT_ONCE else until
