"""Events go into the log in batches, off the write path: recording a decision is one insert, and waits for no
other.

The order of the log is that in which events are sealed. Those that were recorded together by several
processes may commit out of order, so sealing looks back some seconds for events that it has not seen, and now
and then over all of them.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy
from sqlalchemy import func
from sqlmodel import col, select

from service.consent import entries, merkle
from service.consent.log import ConsentLeaf, ConsentTreeHead, frontier, latest_head, signed_head
from service.consent.models import ConsentEvent, EventRead
from service.consent.readers import COLUMNS, told
from service.consent.signing import Signer
from service.database import Database, Session

BATCH = 500
"""Sealing these takes a store's one writer on SQLite for some 20 ms."""
LOOKS_BACK = {True: timedelta(seconds=1), False: timedelta(seconds=15)}
"""Longer than a transaction that records may last: on SQLite one follows the other, on PostgreSQL a lock is
waited for for 10 s.
"""
FIRST = UUID(int=0)
"""Before every event."""


def seal(database: Database, signer: Signer) -> int:
    """Seal every event that the log does not hold, however old. Returns how many there were."""
    sealed, after = 0, FIRST
    while True:
        batch = seal_batch(database, signer, after=after)
        if not batch:
            return sealed
        # The oldest come first, so the next batch has nothing before this one's end that was there when this
        # pass began.
        sealed, after = sealed + len(batch), batch[-1]


def seal_batch(database: Database, signer: Signer, *, after: UUID | None = None) -> list[UUID]:
    """Seal some events that were recorded after one of them, or lately. Returns their ids, in order of the
    log.
    """
    with database.writing() as session:
        _take_turn(session)
        head = latest_head(session)
        events = _unsealed(session, _lately(session) if after is None else after)
        if events:
            _append(session, signer, events, head)
        elif head is None:
            session.add(signed_head(signer, 0, merkle.EMPTY_ROOT))
    return [event.event_id for event in events]


def is_waiting(database: Database) -> bool:
    """Whether anything was recorded lately that is not sealed. Asked before a turn to write is taken for
    nothing.
    """
    with database.reading() as session:
        return latest_head(session) is None or bool(_unsealed(session, _lately(session), 1))


def _take_turn(session: Session) -> None:
    """Let one process at a time seal. SQLite has one writer anyway."""
    if not session.database.is_sqlite:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("consent log"))))


def _lately(session: Session) -> UUID:
    """The smallest id of an event that may have been committed since the last one was sealed."""
    last = session.exec(
        select(ConsentLeaf.event_id).order_by(col(ConsentLeaf.leaf_index).desc()).limit(1)
    ).first()
    if last is None:
        return FIRST
    # A UUIDv7 begins with the milliseconds since 1970 (RFC 9562, 5.7).
    milliseconds = (last.int >> 80) - int(LOOKS_BACK[session.database.is_sqlite].total_seconds() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)


def _unsealed(session: Session, after: UUID, limit: int = BATCH) -> list[EventRead]:
    sealed = sqlalchemy.exists().where(col(ConsentLeaf.event_id) == col(ConsentEvent.event_id))
    chosen = sqlalchemy.select(*COLUMNS).where(col(ConsentEvent.event_id) > after, ~sealed)
    return [told(row) for row in session.execute(chosen.order_by(col(ConsentEvent.event_id)).limit(limit))]


def _append(session: Session, signer: Signer, events: list[EventRead], head: ConsentTreeHead | None) -> None:
    tree = frontier(session, 0 if head is None else head.tree_size)
    rows = [
        {
            "leaf_index": tree.size,
            "event_id": event.event_id,
            "hashes": b"".join(tree.append(entries.hash_of(entries.entry_of(event, entries.CURRENT)))),
        }
        for event in events
    ]
    session.connection().execute(sqlalchemy.insert(ConsentLeaf), rows)
    session.add(signed_head(signer, tree.size, tree.root, after=head))
