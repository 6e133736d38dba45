"""Hash what is public under ranges of numbers, as a partner hashes its copy.

The hash of up to a thousand numbers is that of a line for each live row. A larger range is cut into pieces
behind every number that a thousand divides, and its hash is that of the hashes of its pieces.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import null, select
from sqlmodel import col

from service.database import Session
from service.http.conditional import etag_of
from service.published.feed import KINDS
from service.published.models import Kind, Published, Reason, all_but
from service.published.withdrawn import Gone, without

SPAN = 1_000
"""Numbers of a span. The migration of `published_span` has triggers that know it."""
Line = tuple[int, str, UUID, int, str]
"""A number, and the kind, id, version and ETag of what it stands for; or of what has gone, the reason."""


class Hashed(NamedTuple):
    """The hash of a range of numbers, and how many live rows it has."""

    entries: int
    digest: str


def _sha256(texts: Iterable[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def hash_lines(lines: Sequence[Line]) -> Hashed:
    """Hash lines in the order of their numbers."""
    return Hashed(len(lines), _sha256("{} {} {} {} {}\n".format(*line) for line in lines))


NOTHING = hash_lines(())


def hash_pieces(pieces: Iterable[Hashed]) -> Hashed:
    """Hash a range by the hashes of its pieces, in their order."""
    known = list(pieces)
    if len(known) == 1:
        return known[0]
    return Hashed(sum(each.entries for each in known), _sha256(f"{each.digest}\n" for each in known))


def pieces_of(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut a range into its pieces: one of a range that is not larger than a span."""
    if last - first < SPAN:
        yield first, last
        return
    while first <= last:
        end = min(last, first + SPAN - 1 - (first - 1) % SPAN)
        yield first, end
        first = end + 1


def within(lines: Sequence[Line], first: int, last: int) -> Sequence[Line]:
    """Return those of some lines, in the order of their numbers, that lie in a range."""
    low = bisect_left(lines, first, key=lambda line: line[0])
    return lines[low : bisect_right(lines, last, key=lambda line: line[0])]


def hash_range(lines: Sequence[Line], first: int, last: int) -> Hashed:
    """Hash a range, of which these lines hold all."""
    return hash_pieces(hash_lines(within(lines, *piece)) for piece in pieces_of(first, last))


def read_lines(session: Session, first: int, last: int, *, gone: bool = False) -> Sequence[Line]:
    """Read a line for each live row of a range, as the session's contract gives them; of what has gone too,
    if that is asked for.
    """
    return [line for line, _ in _read(session, first, last, gone=gone)]


def hash_both(session: Session, first: int, last: int) -> tuple[Hashed, Hashed]:
    """Hash the live rows of a range, and all of its rows, with what has gone."""
    rows = _read(session, first, last, gone=True)
    return hash_lines([line for line, is_live in rows if is_live]), hash_lines([line for line, _ in rows])


def _read(session: Session, first: int, last: int, *, gone: bool) -> Sequence[tuple[Line, bool]]:
    """Read lines of a range, each with whether its row is live."""
    hidden = Gone(contract=session.contract)
    document = col(Published.document) if hidden.hides else null()
    columns: Sequence[Any] = (
        Published.seq,
        Published.kind,
        Published.id,
        Published.version,
        Published.etag,
        Published.reason,
        Published.detail,
        document,
    )
    rows = select(*columns).where(
        col(Published.seq) >= first,
        col(Published.seq) <= last,
        col(Published.kind).not_in(all_but(KINDS)),
    )
    if not gone:
        rows = rows.where(col(Published.reason).is_(None))
    found = session.execute(rows.order_by(col(Published.seq))).all()
    lines = []
    for seq, kind, id_, version, etag, reason, detail, document in found:
        if kind is Kind.ARTICLE and document is not None:
            etag = etag_of(without(document, hidden), version)  # noqa: PLW2901
        lines.append((line_of(seq, kind, id_, version, etag, reason, detail), reason is None))
    return lines


def line_of(
    seq: int, kind: Kind, id_: UUID, version: int, etag: str, reason: Reason | None, detail: str | None
) -> Line:
    """Return the line of a row: of what has gone, with the reason in the place of the ETag."""
    said = etag.strip('"') if reason is None else f"{reason} {detail or ''}".rstrip(" ")
    return seq, str(kind), id_, version, said
