"""Seal events into the log in batches, off the write path and in the order of their commits.

Recording a decision is one insert, and waits for no other. A trigger of the database puts each event into a
queue (`consent_unsealed`) in the transaction that records it; sealing takes what is there. No clock has a
part in it: ids begin with a time, but clocks go back, and those of two machines differ.
"""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy
from sqlalchemy import BigInteger, Integer, delete, func
from sqlmodel import Field, col, select

from service.consent.events import COLUMNS, read_event
from service.consent.log import entries, merkle
from service.consent.log.tree import ConsentLeaf, ConsentTreeHead, frontier, latest_head, signed_head
from service.consent.models import ConsentEvent, EventRead
from service.consent.signing import Signer
from service.database import Database, Session
from service.rows import RowReader
from service.tables import Table

BATCH = 500
"""Sealing these takes a store's one writer on SQLite for some 20 ms."""
LOOKED_OVER = 5000
"""Events that are looked over in one transaction."""
FIRST = UUID(int=0)
"""Before every event."""
_WAITING = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM consent_unsealed) OR NOT EXISTS (SELECT 1 FROM consent_tree_head)"
)


class ConsentUnsealed(Table, table=True):
    """An event that awaits the log. One without an event says that all events must be looked over: they were
    recorded before there was a queue.
    """

    __tablename__ = "consent_unsealed"

    place: int | None = Field(
        default=None, primary_key=True, sa_type=BigInteger().with_variant(Integer(), "sqlite")
    )
    event_id: UUID | None = None


def seal(database: Database, signer: Signer) -> int:
    """Look all events over, and seal those that the log does not hold. Return how many there were."""
    after: UUID | None = FIRST
    while after is not None:
        after = look_over(database, after)
    before = _size(database)
    while seal_batch(database, signer) == BATCH:
        pass
    return _size(database) - before


def seal_batch(database: Database, signer: Signer) -> int:
    """Take up to 500 events from the queue into the log, and return how many were taken."""
    with database.writing() as session:
        _take_turn(session)
        head = latest_head(session)
        places, events = _take(session)
        if events:
            _append(session, signer, events, head)
        elif head is None:
            session.add(signed_head(signer, 0, merkle.EMPTY_ROOT))
    return len(places)


def look_over(database: Database, after: UUID) -> UUID | None:
    """Queue those of the next 5,000 events by id that the log does not hold. Return the last of them, or None
    after the last of all.
    """
    with database.writing() as session:
        _take_turn(session)
        chosen = (
            select(ConsentEvent.event_id, ConsentLeaf.leaf_index)
            .outerjoin(ConsentLeaf, col(ConsentLeaf.event_id) == col(ConsentEvent.event_id))
            .where(col(ConsentEvent.event_id) > after)
        )
        looked_at = session.exec(chosen.order_by(col(ConsentEvent.event_id)).limit(LOOKED_OVER)).all()
        # Some may be queued already: `_take` takes an event once.
        missing = [{"event_id": event_id} for event_id, leaf_index in looked_at if leaf_index is None]
        if missing:
            session.connection().execute(sqlalchemy.insert(ConsentUnsealed), missing)
        if looked_at:
            return looked_at[-1][0]
        session.execute(delete(ConsentUnsealed).where(col(ConsentUnsealed.event_id).is_(None)))
    return None


def must_look_over(database: Database) -> bool:
    """Return whether there may be events that no queue has held."""
    with database.reading() as session:
        first = session.exec(select(ConsentUnsealed).order_by(col(ConsentUnsealed.place)).limit(1)).first()
    return first is not None and first.event_id is None


async def is_waiting(reader: RowReader) -> bool:
    """Return whether there is anything to seal. Asked before a turn to write is taken for nothing."""
    return bool(await reader.rows(_WAITING))


def _take_turn(session: Session) -> None:
    """Let one process at a time seal. SQLite has one writer anyway."""
    if not session.database.is_sqlite:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("consent log"))))


def _take(session: Session) -> tuple[Sequence[int], list[EventRead]]:
    """Take the first of the queue: their places, and the events that are to be sealed.

    An event is passed over when retention has removed it, when it is queued twice, and when a process of the
    release before, which knows no queue, has sealed it.
    """
    chosen = (
        sqlalchemy.select(col(ConsentUnsealed.place), col(ConsentLeaf.leaf_index), *COLUMNS)
        .select_from(ConsentUnsealed)
        .outerjoin(ConsentEvent, col(ConsentEvent.event_id) == col(ConsentUnsealed.event_id))
        .outerjoin(ConsentLeaf, col(ConsentLeaf.event_id) == col(ConsentUnsealed.event_id))
        .where(col(ConsentUnsealed.event_id).is_not(None))
    )
    rows = session.execute(chosen.order_by(col(ConsentUnsealed.place)).limit(BATCH)).all()
    places = [row[0] for row in rows]
    if places:
        # By their places: what is committed meanwhile may stand before the last of them.
        session.execute(delete(ConsentUnsealed).where(col(ConsentUnsealed.place).in_(places)))
    new = (read_event(row[2:]) for row in rows if row[1] is None and row[2] is not None)
    return places, list({event.event_id: event for event in new}.values())


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


def _size(database: Database) -> int:
    with database.reading() as session:
        head = latest_head(session)
        return 0 if head is None else head.tree_size
