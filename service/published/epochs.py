"""Number the histories of a store, so that a cursor of a history that the store has lost is told from its
own.

A store that was set back, by a backup of its database or by a standby that lacks commits, gives its numbers
again to other changes. Therefore an epoch begins with every process that serves, with every database that is
promoted, and whenever the numbers have gone back; and a cursor names the epoch in which it was given. The
store knows up to which number each of its epochs went. A lost history has gone farther in its last epoch, or
has epochs that are not known.
"""

import secrets
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, cast, func, null, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import ReturningUpdate
from sqlmodel import col, select

from service import prepared
from service.database import Database, Session, insert
from service.published.ahead import Counter
from service.published.models import Epoch, PublishedSequence
from service.published.reader import DatabaseReader
from service.tables import now

MARK = 8
"""Random bytes by which a cursor names an epoch."""
_TIMELINE = func.substr(func.pg_walfile_name(func.pg_current_wal_insert_lsn()), 1, 8)
"""Of PostgreSQL: a number that changes when a standby becomes the primary."""
_TAKE = (
    update(PublishedSequence)
    .values(seq=PublishedSequence.seq + bindparam("count", type_=BigInteger))
    .returning(col(PublishedSequence.seq), col(PublishedSequence.timeline))
)
_TAKE_ON_TIMELINE = _TAKE.returning(_TIMELINE)
_TAKE_ALONE = _TAKE.returning(null())
_TELL = func.pg_notify("copydesk_published", cast(col(PublishedSequence.seq), String))
"""Tell other processes of the number once it is committed, in the statement that takes it."""
_SET = update(PublishedSequence).values(seq=bindparam("number", type_=BigInteger)).returning(_TELL)
_ENDS = (
    "SELECT (SELECT min(n.from_seq) FROM published_epoch n WHERE n.number > e.number)"
    " FROM published_epoch e WHERE e.mark = %s"
)
_FIRST = "SELECT min(from_seq) FROM published_epoch"


def begin_for_process(database: Database) -> None:
    """Begin an epoch because a process begins to serve: the store may have been set back since
    the last one.
    """
    database.has_timeline = not database.is_sqlite and _has_timeline(database)
    with database.writing() as session:
        last, _, timeline = _count_on(session, 0)
        _begin(session, last, timeline)


def take(session: Session, count: int) -> tuple[int, bool]:
    """Take the next numbers; return the last of them, and whether there may be webhooks. The counter is
    locked until the transaction ends.

    Begins an epoch when another database has become the primary, or when numbers that this process knows are
    gone.
    """
    counter = session.kept.pop(Counter, None)
    if isinstance(counter, Counter):
        last, known_timeline, timeline = counter.last + count, counter.known_timeline, counter.timeline
        session.write(_SET, [{"number": last}])
    else:
        last, known_timeline, timeline = _count_on(session, count, tells=not session.database.is_sqlite)
    is_set_back = last - count < session.database.known_sequence
    if is_set_back or (timeline is not None and timeline != known_timeline):
        _begin(session, last - count, timeline)
        session.gathered.is_set_back = is_set_back
    return last, not isinstance(counter, Counter) or counter.is_heard


async def end_of(reader: DatabaseReader, mark: bytes) -> int | None:
    """Return the last number of an epoch that is over; None for an epoch that this store does not know."""
    found = await reader.rows(_ENDS, (mark.hex(),))
    return found[0][0] if found else None


async def first(reader: DatabaseReader) -> int:
    """Return the number at which the first epoch began: what was given before belongs to none."""
    found = await reader.rows(_FIRST)
    number: int = found[0][0]
    return number


def _count_on(session: Session, count: int, *, tells: bool = False) -> tuple[int, str | None, str | None]:
    counting = _counting(on_timeline=session.database.has_timeline, tells=tells)
    found: Sequence[Any] = prepared.execute(session.connection(), counting, [{"count": count}], {}).one()
    return found[0], found[1], found[2]


@cache
def _counting(*, on_timeline: bool, tells: bool) -> ReturningUpdate[Any]:
    statement = _TAKE_ON_TIMELINE if on_timeline else _TAKE_ALONE
    return statement.returning(_TELL) if tells else statement


def _begin(session: Session, from_seq: int, timeline: str | None) -> None:
    session.execute(
        insert(session, Epoch), [{"mark": secrets.token_hex(MARK), "from_seq": from_seq, "begun_at": now()}]
    )
    if timeline is not None:
        session.execute(update(PublishedSequence).values(timeline=timeline))


def _has_timeline(database: Database) -> bool:
    """Tell whether the database has PostgreSQL's own functions for it; those that only speak its language
    lack them.
    """
    try:
        with database.reading() as session:
            session.execute(select(_TIMELINE))
    except DBAPIError:
        return False
    return True
