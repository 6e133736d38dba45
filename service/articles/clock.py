"""Scheduled articles and embargoes take effect by themselves, once, however many workers run and however long
all were down.
"""

from datetime import datetime

from sqlmodel import col, func, select
from starlette.concurrency import run_in_threadpool

from service.articles import lifecycle
from service.articles.models import Article, Status
from service.auth import Caller
from service.database import Database
from service.tables import now

LOOKS_EVERY = 0.5
AT_ONCE = 250
"""Articles that one transaction publishes: each waits for its turn among the requests' transactions."""
CLOCK = Caller(name="schedule")


def next_due(database: Database) -> datetime | None:
    """Return when the next scheduled article is due."""
    with database.reading() as session:
        waiting = select(func.min(Article.scheduled_for)).where(
            Article.status == Status.SCHEDULED, col(Article.deleted_at).is_(None)
        )
        return session.exec(waiting).one()


def release_due(database: Database) -> int:
    """Publish what is due. Workers share the work: rows that another one has locked are left to it."""
    with database.writing() as session:
        due = select(Article).where(
            Article.status == Status.SCHEDULED,
            col(Article.scheduled_for) <= now(),
            col(Article.deleted_at).is_(None),
        )
        due = due.order_by(col(Article.scheduled_for)).limit(AT_ONCE)
        articles = session.exec(due if database.is_sqlite else due.with_for_update(skip_locked=True)).all()
        lifecycle.release(session, CLOCK, articles)
    return len(articles)


async def release_all_due(database: Database) -> None:
    """Publish everything that is due, some at a time."""
    while True:
        async with database.first():
            released = await run_in_threadpool(release_due, database)
        if released < AT_ONCE:
            return


async def publish_on_time(database: Database) -> float:
    """Publish what is due; return the seconds until there may be more."""
    due = await run_in_threadpool(next_due, database)
    if due is not None and due <= now():
        await release_all_due(database)
    wait = LOOKS_EVERY if due is None else min(LOOKS_EVERY, (due - now()).total_seconds())
    return max(wait, 0.01)
