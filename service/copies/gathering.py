"""Note which entries each token was sent, and which have arrived, by the cursor of its next request.

Notes stay in memory for up to a second, so that following does not write to the database. A process that is
killed loses the notes of that second.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from uuid import UUID, uuid5

import structlog
from starlette.concurrency import run_in_threadpool

from service.copies.keeping import KEPT, End, Holder, Key, Sent, keep, keep_ends
from service.database import Database
from service.published.feed import ChangeEntry
from service.published.models import Kind
from service.tables import now

WRITES_EVERY = 1.0
AT_ONCE = 1_000
"""Rows in one transaction: others wait for their turn to write meanwhile."""
log = structlog.get_logger()


class Copies:
    """The entries that followers were sent and the places that they have reached, until both are written.
    Used from the event loop only.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holders: dict[UUID, Holder] = {}
        self._moved: set[UUID] = set()
        self._sent: dict[Key, Sent] = {}
        self._ends: dict[UUID, End] = {}
        self._one_at_a_time = asyncio.Lock()

    def came(self, token_id: UUID, address: str, seq: int) -> None:
        """Note that a token asks an address for changes after `seq`, and therefore has everything up to
        there.
        """
        id_ = uuid5(token_id, address)
        known = self._holders.get(id_)
        if (
            known is None or known.acked_seq != seq
        ):  # Who waits for the next change says the same again and again.
            self._holders[id_] = Holder(id_, token_id, address, seq, now())
            self._moved.add(id_)

    def told_end(self, token_id: UUID, address: str) -> None:
        """Note that a token was refused at an address because its contract has ended."""
        end = self._ends.setdefault(uuid5(token_id, address), End())
        end.told_at = end.told_at or now()

    def came_back(self, token_id: UUID, address: str) -> None:
        """Note that a token came with a cursor that it was given after its contract had ended."""
        self._ends.setdefault(uuid5(token_id, address), End()).back_at = now()

    def sent(self, token_id: UUID, address: str, entries: Iterable[ChangeEntry]) -> None:
        """Note that a token was sent these entries at an address."""
        holder_id, at = uuid5(token_id, address), now()
        for entry in entries:
            kind = Kind(entry.kind)
            if kind in KEPT:
                sent = Sent(kind, entry.id, holder_id, entry.version, entry.gone, entry.seq, at)
                self._sent.setdefault(sent.key, sent)

    async def write(self) -> None:
        """Write all notes to the database. Raises SQLAlchemyError, and keeps what is not yet written."""
        async with self._one_at_a_time:
            while self._sent or self._moved:
                sent = list(islice(self._sent.values(), AT_ONCE))
                holders = [self._holders[id_] for id_ in self._moved | {each.holder_id for each in sent}]
                async with self._database.turn():
                    await run_in_threadpool(self._keep, holders, sent)
                for each in sent:
                    del self._sent[each.key]
                self._moved -= {holder.id for holder in holders if self._holders[holder.id] is holder}
            while self._ends:
                ends = {id_: replace(end) for id_, end in islice(self._ends.items(), AT_ONCE)}
                async with self._database.turn():
                    await run_in_threadpool(self._keep_ends, ends)
                self._ends = {id_: end for id_, end in self._ends.items() if ends.get(id_) != end}

    def _keep(self, holders: Collection[Holder], sent: Collection[Sent]) -> None:
        with self._database.writing() as session:
            keep(session, holders, sent)

    def _keep_ends(self, ends: Mapping[UUID, End]) -> None:
        with self._database.writing() as session:
            keep_ends(session, ends)

    async def step(self) -> float:
        """Write, and return the seconds to wait."""
        await self.write()
        return WRITES_EVERY
