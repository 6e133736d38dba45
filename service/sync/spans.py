"""Keep the hashes of spans of a thousand numbers, so that those of a million cost a request no more rows
than those of a few thousand.

Triggers of the database drop the hash of a span when a row of it changes, whoever writes. A span is hashed
again once somebody asks for it: a store whose partners do not ask pays nothing.
"""

import asyncio
from collections.abc import Sequence

from anyio import to_thread
from sqlalchemy import select
from sqlmodel import col

from service.database import Database, Session, upsert
from service.errors import Unavailable
from service.published.models import PublishedSequence, PublishedSpan
from service.published.render import lock_counter
from service.sync.hashes import NOTHING, SPAN, Hashed, hash_both, hash_lines, pieces_of, read_lines

MOST_READ = 10_000
"""Numbers whose rows one request reads: each row takes the processor's time."""
AT_ONCE = 100
LOOKS_EVERY, PAUSE = 0.5, 0.002


class NotHashedYet(Unavailable):
    """Too many numbers of the range have no hash yet, because nobody has asked for them since they changed.
    They are being hashed: ask again after `Retry-After`. A range of 10,000 numbers is answered at once.
    """

    title = "The numbers are being hashed"

    def __init__(self) -> None:
        super().__init__("The numbers of this range are being hashed.", headers={"Retry-After": "1"})


class Spans:
    """Hashes the spans that have no hash, once somebody has asked for one of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_asked = False

    def hashes(
        self, session: Session, first: int, last: int, seq: int, *, gone: bool = False
    ) -> list[tuple[int, int, Hashed]]:
        """Return the pieces of a range with their hashes, in a store that stands at the number `seq`. None is
        kept of what a contract gives.

        Raises NotHashedYet when too many rows would have to be read.
        """
        is_kept = session.contract is None
        known = _kept(session, first, min(last, seq), gone=gone) if is_kept else {}
        pieces = list(pieces_of(first, last))
        unknown = [(begin, end) for begin, end in pieces if begin <= seq and begin not in known]
        if is_kept and any(end - begin == SPAN - 1 and end <= seq for begin, end in unknown):
            self._is_asked = True
        if sum(end - begin + 1 for begin, end in unknown) > MOST_READ:
            raise NotHashedYet
        known |= {begin: hash_lines(read_lines(session, begin, end, gone=gone)) for begin, end in unknown}
        return [(begin, end, known.get(begin, NOTHING)) for begin, end in pieces]

    async def step(self) -> float:
        """Hash some spans, if somebody has asked; return the seconds to wait."""
        if not self._is_asked:
            return LOOKS_EVERY
        self._is_asked = False
        missing = await to_thread.run_sync(self._missing)
        for number in missing[:AT_ONCE]:
            async with self._database.turn():
                await to_thread.run_sync(self._hash, number)
            await asyncio.sleep(PAUSE)
        if missing[AT_ONCE:]:
            self._is_asked = True
            return 0.0
        return LOOKS_EVERY

    def _missing(self) -> Sequence[int]:
        with self._database.reading() as session:
            seq = session.execute(select(col(PublishedSequence.seq))).scalar_one()
            whole = select(col(PublishedSpan.number)).where(col(PublishedSpan.all_digest).is_not(None))
            known = set(session.execute(whole).scalars())
        return [number for number in range(seq // SPAN) if number not in known]

    def _hash(self, number: int) -> None:
        """Hash a span that is complete, under the counter's lock: no row of it changes meanwhile."""
        first, last = SPAN * number + 1, SPAN * (number + 1)
        with self._database.writing() as session:
            if lock_counter(session) < last:
                return
            before = session.get(PublishedSpan, number)
            if before is not None and before.all_digest is not None:
                return
            live, all_rows = hash_both(session, first, last)
            row = {"number": number, "entries": live.entries, "digest": live.digest}
            row |= {"all_entries": all_rows.entries, "all_digest": all_rows.digest}
            session.execute(upsert(session, PublishedSpan), [row])


def _kept(session: Session, first: int, last: int, *, gone: bool) -> dict[int, Hashed]:
    """Return the kept hashes of spans that lie in a range wholly, by their first numbers."""
    entries, digest = (
        (PublishedSpan.all_entries, PublishedSpan.all_digest)
        if gone
        else (PublishedSpan.entries, PublishedSpan.digest)
    )
    rows = select(col(PublishedSpan.number), col(entries), col(digest)).where(
        col(PublishedSpan.number) >= -(-(first - 1) // SPAN),
        col(PublishedSpan.number) < last // SPAN,
        col(digest).is_not(None),
    )
    return {SPAN * number + 1: Hashed(count, said) for number, count, said in session.execute(rows)}
