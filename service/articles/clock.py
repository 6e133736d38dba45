"""Publish scheduled articles, lift embargoes and end rights on time, once each, however many workers run or
how long all were down.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from service.ages import earliest
from service.articles import lifecycle
from service.articles.models import Article, Status
from service.database import Database
from service.http.callers import Caller
from service.rows import RowReader
from service.tables import latest, now, stored_time

LOOKS_EVERY = 0.5
AT_ONCE = 250
"""Articles that one transaction publishes. The transactions of requests wait for it."""
CLOCK = Caller(name="schedule")
_ENDING = (
    col(Article.usable_until).is_not(None),
    col(Article.expired_at).is_(None),
    Article.status == Status.PUBLISHED,
    col(Article.deleted_at).is_(None),
)
_TIMES = (
    "SELECT (SELECT min(scheduled_for) FROM article WHERE status = 'scheduled' AND deleted_at IS NULL),"
    " (SELECT min(usable_until) FROM article WHERE usable_until IS NOT NULL AND expired_at IS NULL"
    " AND status = 'published' AND deleted_at IS NULL)"
)
"""The job asks this twice a second. On SQLite it asks in the event loop, because a session in a thread costs
many times as much.
"""


def next_due(times: Sequence[datetime | str | None]) -> datetime | None:
    """Return when the next scheduled article is due, or the next public one is over."""
    return earliest(*(None if time is None else stored_time(time) for time in times))


def release_due(database: Database) -> int:
    """Publish what is due. Workers share the work: each skips rows that another one has locked."""
    with database.writing() as session:
        due = select(Article).where(
            Article.status == Status.SCHEDULED,
            col(Article.scheduled_for) <= now(),
            col(Article.deleted_at).is_(None),
        )
        due = due.order_by(col(Article.scheduled_for)).limit(AT_ONCE)
        articles = session.exec(due.with_for_update(skip_locked=True)).all()
        lifecycle.release(session, CLOCK, articles)
    return len(articles)


def expire_due(database: Database) -> int:
    """End articles that may not be shown any longer. Readers do not see such an article even before, because
    its row holds the time.
    """
    with database.writing() as session:
        ended = select(Article).where(col(Article.usable_until) <= latest(), *_ENDING)
        ended = ended.order_by(col(Article.usable_until)).limit(AT_ONCE)
        articles = session.exec(ended.with_for_update(skip_locked=True)).all()
        lifecycle.expire(session, CLOCK, articles)
    return len(articles)


async def release_all_due(database: Database) -> None:
    """Publish everything that is due, and take from readers what has ended, some at a time."""
    for step in (release_due, expire_due):
        await database.work_off(step, AT_ONCE)


async def publish_on_time(database: Database, reader: RowReader) -> float:
    """Publish what is due, and end what is over; return the seconds until there may be more."""
    (times,) = await reader.rows(_TIMES)
    due = next_due(times)
    if due is not None and due <= latest():
        await release_all_due(database)
    wait = LOOKS_EVERY if due is None else min(LOOKS_EVERY, (due - latest()).total_seconds())
    return max(wait, 0.01)
