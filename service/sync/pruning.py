"""Delete removals that are older than a cursor may be. Tombstones of withdrawals stay for ever.

The same transaction raises `pruned_seq`, so that a cursor before it is refused.
"""

from datetime import timedelta

import structlog
from sqlalchemy import delete, func, update
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from service.database import Database
from service.published.models import (
    Epoch,
    Published,
    PublishedFormer,
    PublishedPast,
    PublishedSequence,
    Reason,
)
from service.tables import now

EVERY = 3_600.0
AT_ONCE = 500
log = structlog.get_logger()


def prune(database: Database) -> int:
    """Forget some tombstones that are older than the setting says; how many."""
    before = now() - timedelta(days=database.settings.tombstone_days)
    old = (
        select(Published.seq)
        .where(
            col(Published.reason).is_not(None),
            col(Published.reason) != Reason.WITHDRAWN,
            Published.changed_at < before,
        )
        .order_by(col(Published.changed_at))
        .limit(AT_ONCE)
    )
    with database.writing() as session:
        numbers = session.exec(old).all()
        if not numbers:
            return 0
        # This locks the counter: nobody brings one of them back to life meanwhile under the same number.
        session.execute(
            update(PublishedSequence)
            .values(pruned_seq=max(numbers))
            .where(col(PublishedSequence.pruned_seq) < max(numbers))
        )
        pruned = session.exec(select(PublishedSequence.pruned_seq)).one()
        session.execute(delete(Published).where(col(Published.seq).in_(numbers)))
        session.execute(delete(PublishedPast).where(col(PublishedPast.until_seq) <= pruned))
        session.execute(delete(PublishedFormer).where(col(PublishedFormer.until_seq) <= pruned))
        # Cursors of these epochs are older than the removals that are kept.
        last_before = select(func.max(Epoch.number)).where(Epoch.from_seq <= pruned).scalar_subquery()
        session.execute(delete(Epoch).where(col(Epoch.number) < last_before))
    return len(numbers)


async def prune_some(database: Database) -> float:
    """Prune, and return the seconds to wait: none while there is more."""
    async with database.turn():
        pruned = await run_in_threadpool(prune, database)
    return EVERY if pruned < AT_ONCE else 0.0
