"""Begin and end the licences of pictures on time, once each, however many workers run or how long all were
down.

From the end on no document shows the picture, because documents hold that time. The job then tells editors
and followers, and has the articles rendered again.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, update
from sqlmodel import col, select

from service import tables
from service.ages import earliest
from service.database import Database, Session
from service.images import lifecycle
from service.images.models import Image
from service.published.models import PublishedSequence
from service.rows import RowReader
from service.tables import latest, stored_time

LOOKS_EVERY = 0.5
AT_ONCE = 25
"""Pictures of one transaction, which makes other writers wait for some 100 ms. Ten times as many would pass
the deadline on a machine that is ten times too busy, and begin again without an end.
"""
_TIMES = (
    "SELECT (SELECT reached_at FROM published_sequence),"
    " (SELECT min(opens_at) FROM image WHERE opens_at IS NOT NULL),"
    " (SELECT min(usable_until) FROM image WHERE usable_until IS NOT NULL AND expired_at IS NULL)"
)
"""The job asks this twice a second. On SQLite it asks in the event loop, because a session in a thread costs
many times as much.
"""


def remember_time(database: Database) -> None:
    """Go on from the latest time up to which rights were ended, even if the clock has been set back since."""
    with database.reading() as session:
        _remember(session.exec(select(PublishedSequence.reached_at)).one())


def _remember(reached: datetime | None) -> None:
    if reached is not None:
        tables.CLOCK.latest = max(tables.CLOCK.latest, reached)


def is_due(next_one: datetime | None) -> bool:
    """Return whether a licence has begun or ended and its picture does not say so."""
    return next_one is not None and next_one <= latest()


def pass_time(database: Database) -> int:
    """Let the licences of some pictures begin or end. Workers share the work: each skips rows that another
    one has locked.
    """
    with database.writing() as session:
        due = select(Image).where(_due()).order_by(col(Image.id)).limit(AT_ONCE)
        images = session.exec(due.with_for_update(skip_locked=True)).all()
        if images:
            _reach(session)
            lifecycle.pass_time(session, images)
    return len(images)


async def pass_time_for_all(database: Database) -> None:
    """Let every licence begin or end that is due, some at a time."""
    await database.work_off(pass_time, AT_ONCE)


async def keep_time(database: Database, reader: RowReader) -> float:
    """Let licences begin and end; return the seconds until there may be more."""
    (times,) = await reader.rows(_TIMES)
    reached, begins, ends = (None if time is None else stored_time(time) for time in times)
    _remember(reached)
    if is_due(earliest(begins, ends)):
        await pass_time_for_all(database)
    return LOOKS_EVERY


def _due() -> ColumnElement[bool]:
    at = latest()
    ended = (col(Image.usable_until) <= at) & col(Image.expired_at).is_(None)
    return or_(col(Image.opens_at) <= at, ended)


def _reach(session: Session) -> None:
    session.execute(update(PublishedSequence).values(reached_at=latest()))
