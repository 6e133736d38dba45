"""Delete removals that are older than a cursor may be. Tombstones of withdrawals stay for ever.

`pruned_seq` is raised first, so that a cursor before it is refused. The tombstones go later, when every page
that was begun before has been read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

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
from service.published.render import lock_counter
from service.tables import now

EVERY = 3_600.0
AT_ONCE = 500


@dataclass(slots=True)
class Pruning:
    """The pruning of one process, and the numbers of the tombstones that it will forget next."""

    database: Database
    _announced: Sequence[int] = field(default=())

    async def step(self) -> float:
        """Announce what will be forgotten, or forget it; return the seconds to wait."""
        numbers, self._announced = self._announced, ()
        async with self.database.turn():
            if numbers:
                await run_in_threadpool(forget, self.database, numbers)
                return 0.0
            self._announced = await run_in_threadpool(announce, self.database)
        # No page takes longer to be read than a request may.
        return 2 * self.database.settings.request_deadline if self._announced else EVERY


def announce(database: Database) -> Sequence[int]:
    """Refuse cursors that are older than some tombstones that are older than the setting says; return the
    numbers of these.
    """
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
        if numbers:
            session.execute(
                update(PublishedSequence)
                .values(pruned_seq=max(numbers))
                .where(col(PublishedSequence.pruned_seq) < max(numbers))
            )
    return numbers


def forget(database: Database, numbers: Sequence[int]) -> None:
    """Delete the tombstones that were announced and still have these numbers, and what else is as old."""
    with database.writing() as session:
        # A publisher that gives one of them another number or reason has read it: it must find it still.
        lock_counter(session)
        pruned = session.exec(select(PublishedSequence.pruned_seq)).one()
        session.execute(delete(Published).where(col(Published.seq).in_(numbers)))
        session.execute(delete(PublishedPast).where(col(PublishedPast.until_seq) <= pruned))
        session.execute(delete(PublishedFormer).where(col(PublishedFormer.until_seq) <= pruned))
        # Cursors of these epochs are older than the removals that are kept.
        last_before = select(func.max(Epoch.number)).where(Epoch.from_seq <= pruned).scalar_subquery()
        session.execute(delete(Epoch).where(col(Epoch.number) < last_before))
