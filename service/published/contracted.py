"""The change feed under a contract: what the contract gives, in the order of its last change, and what has
left it.

A row that the contract does not give now is a removal for a follower that may have it from before.
`published_former` holds what each resource was, and until which number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlmodel import col

from service.contracts import Contract
from service.database import Database, Session
from service.published import entitled, feed
from service.published.feed import Batch, FollowerPlace, Head, Wanted
from service.published.models import Published, PublishedFormer, all_but
from service.published.withdrawn import WAITING, Gone, pictures
from service.tables import latest

MOST_READ = 2_000
"""Rows that are looked at for a batch, which may be empty though there is more."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A contract, and what a follower narrows it to."""

    contract: Contract
    asked: Contract

    def now(self) -> ColumnElement[bool]:
        """Return the condition that a live row is given."""
        return and_(entitled.gives(self.contract), *entitled.column_conditions(self.asked, Published))

    def before(self, base: int) -> ColumnElement[bool]:
        """Return the condition that a row was given by what it was after a number."""
        was = [
            col(PublishedFormer.kind) == col(Published.kind),
            col(PublishedFormer.id) == col(Published.id),
            col(PublishedFormer.until_seq) > base,
            entitled.gave(self.contract),
            *entitled.column_conditions(self.asked, PublishedFormer),
        ]
        return exists().where(*was).correlate(Published)


def batch(
    database: Database, contract: Contract, wanted: Wanted, place: FollowerPlace, head: Head, limit: int
) -> Batch:
    """Return the next entries after a place, up to a head that was asked for before."""
    if contract.has_ended(latest()):
        return Batch([], FollowerPlace(head.seq, head.seq, head.epoch), caught_up=True)
    asked = Contract(sections=list(wanted.sections), languages=list(wanted.languages))
    held = _Held(contract, asked)
    with database.reading() as session:
        end = _end(session, place.seq, head.seq)
        rows, gone = _rows(session, _statement(held, wanted, place, end, limit + 1), contract)
    found = [feed.entry_of(row, gone, place.seq, holds=is_held) for *row, is_held in rows]
    if len(found) > limit:
        del found[limit:]
        return Batch(found, replace(place, seq=found[-1].seq, epoch=head.epoch), caught_up=False)
    if end < head.seq:
        return Batch(found, replace(place, seq=end, epoch=head.epoch), caught_up=False)
    return Batch(found, FollowerPlace(end, end, head.epoch), caught_up=True)


def _end(session: Session, start: int, last: int) -> int:
    beyond = select(col(Published.seq)).where(col(Published.seq) > start, col(Published.seq) <= last)
    end = session.execute(beyond.order_by(col(Published.seq)).offset(MOST_READ - 1).limit(1)).scalar()
    return last if end is None else end


def _statement(
    held: _Held, wanted: Wanted, place: FollowerPlace, end: int, limit: int
) -> Select[*tuple[Any, ...]]:
    is_held = and_(col(Published.reason).is_(None), held.now())
    columns: Sequence[Any] = (
        Published.seq,
        Published.kind,
        Published.id,
        Published.version,
        Published.reason,
        Published.detail,
        Published.changed_at,
        Published.document,
        Published.expires_at,
        Published.moves,
        WAITING,
        is_held.label("is_held"),
    )
    within = (
        col(Published.seq) > place.seq,
        col(Published.seq) <= end,
        col(Published.kind).not_in(all_but(wanted.kinds)),
    )
    return (
        select(*columns)
        .where(*within, or_(is_held, held.before(place.base)))
        .order_by(col(Published.seq))
        .limit(limit)
    )


def _rows(
    session: Session, statement: Select[*tuple[Any, ...]], contract: Contract
) -> tuple[Sequence[Any], Gone]:
    rows = session.execute(statement).all()
    if not (rows and rows[0][-2]):
        return rows, Gone(contract=contract)
    gone = replace(pictures(session), contract=contract)
    return session.execute(statement).all(), gone
