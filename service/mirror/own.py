"""Hash the rows that a mirror has, span by span, from their documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from sqlalchemy import Select, func, select
from sqlmodel import col

from service.database import Database, Session
from service.engines import hold_still
from service.http.conditional import etag_of
from service.mirror.derived import Suspects
from service.published.feed import KINDS
from service.published.models import Published, all_but
from service.sync.digests import FEW
from service.sync.hashes import (
    NOTHING,
    SPAN,
    Hashed,
    Line,
    hash_lines,
    hash_pieces,
    hash_range,
    line_of,
    pieces_of,
    within,
)

AT_ONCE = 1_000
"""Rows that are read and hashed before others have their turn."""
Hashing = Callable[[int, int], str]
"""Tells the digest of a part of a range, by the first and last number."""
COLUMNS: Sequence[Any] = (
    Published.seq,
    Published.kind,
    Published.id,
    Published.version,
    Published.document,
    Published.reason,
    Published.detail,
)


@dataclass(slots=True)
class OwnHashes:
    """The hashes of the rows under a range of numbers, as they were read. A row that changes leaves its span:
    the span has fewer rows then than were hashed, and is read again when its hash is asked for.
    """

    database: Database
    suspects: Suspects | None = None
    """Collects rows that are found otherwise than their documents say."""
    rows: int = 0
    _spans: dict[int, Hashed] = field(default_factory=dict)

    async def read(self, first: int, last: int) -> None:
        """Read and hash the rows of a range that begins with a span."""
        waiting = list[Line]()
        while True:
            some = await to_thread.run_sync(self._read, first, last, self.suspects)
            self.rows += len(some)
            waiting += some
            if len(some) < AT_ONCE:
                self._keep(waiting)
                return
            first = some[-1][0] + 1
            # The last span may have more rows.
            done = SPAN * ((first - 1) // SPAN)
            self._keep(within(waiting, 1, done))
            waiting = list(within(waiting, done + 1, last))

    def _keep(self, lines: Sequence[Line]) -> None:
        """Keep the hash of each span of which these lines are all."""
        begin = 0
        while begin < len(lines):
            number = (lines[begin][0] - 1) // SPAN
            of_span = within(lines, SPAN * number + 1, SPAN * (number + 1))
            self._spans[number] = hash_lines(of_span)
            begin += len(of_span)

    async def hashing(self, first: int, last: int) -> Hashing:
        """Return what tells the digests of a range and its parts, as the rows are now."""
        if last - first < FEW:
            lines = await self._lines(first, last)
            return lambda begin, end: hash_range(lines, begin, end).digest
        for number in await to_thread.run_sync(self._changed, first, last):
            self._spans.pop(number, None)
            self._keep(await self._lines(SPAN * number + 1, SPAN * (number + 1)))
        cut = last % SPAN
        lines = await self._lines(last - cut + 1, last) if cut else []

        def of_piece(begin: int, end: int) -> Hashed:
            if begin % SPAN == 1 and end - begin == SPAN - 1:
                return self._spans.get(begin // SPAN, NOTHING)
            return hash_lines(within(lines, begin, end))

        return lambda begin, end: hash_pieces(of_piece(*piece) for piece in pieces_of(begin, end)).digest

    async def _lines(self, first: int, last: int) -> list[Line]:
        found = list[Line]()
        while True:
            some = await to_thread.run_sync(self._read, first, last, None)
            found += some
            if len(some) < AT_ONCE:
                return found
            first = some[-1][0] + 1

    def _read(self, first: int, last: int, suspects: Suspects | None) -> list[Line]:
        """Return the lines of the next rows, made from their documents."""
        columns = COLUMNS if suspects is None else (*COLUMNS, *suspects.COLUMNS)
        rows: Select[*tuple[Any, ...]] = select(*map(col, columns))
        rows = rows.where(*_of_range(first, last)).order_by(col(Published.seq)).limit(AT_ONCE)
        with self.database.reading() as session:
            hold_still(session)
            found = session.execute(rows).all()
            if suspects is not None:
                suspects.look(session, found)
        return [
            line_of(seq, kind, id_, version, etag_of(document, version), reason, detail)
            for seq, kind, id_, version, document, reason, detail, *_ in found
        ]

    def _changed(self, first: int, last: int) -> list[int]:
        """Return the spans of a range that have more or fewer rows than were hashed."""
        with self.database.reading() as session:
            counted = _counts(session, first, last)
        numbers = range((first - 1) // SPAN, last // SPAN)
        return [each for each in numbers if counted.get(each, 0) != self._spans.get(each, NOTHING).entries]


def _of_range(first: int, last: int) -> Sequence[Any]:
    return col(Published.seq).between(first, last), col(Published.kind).not_in(all_but(KINDS))


def _counts(session: Session, first: int, last: int) -> dict[int, int]:
    number = ((col(Published.seq) - 1) // SPAN).label("number")
    rows = select(number, func.count()).where(*_of_range(first, last)).group_by(number)
    return {row[0]: row[1] for row in session.execute(rows)}
