"""Begin to serve a store: refuse one that is not this code's, and write down what must be there before the
first request, or as soon as the database takes writes.
"""

import structlog
from anyio import to_thread

from service import timekeeping
from service.articles import clock
from service.consent.notices import defaults
from service.database import Database
from service.faults import DATABASE_FAULTS, Fault, fault_of
from service.images import clock as licences
from service.mirror.place import begin as begin_mirror
from service.mirror.place import refuse_mirror
from service.published import epochs, rendering
from service.schema import require_migrated

DONE = 3_600.0
"""Seconds until a job that has nothing left to do reports again."""
log = structlog.get_logger()


class Start:
    """The start of one process. On a standby, or with replicas while the primary is away, it serves readers
    before it has ended.
    """

    def __init__(self, database: Database) -> None:
        self.has_begun = False
        self.has_ended = False
        self._database = database

    async def begin(self) -> None:
        """Compare schema and clock, and begin what each process begins."""
        try:
            await self._begin()
        except DATABASE_FAULTS as fault:
            self._wait(fault)

    async def end(self) -> None:
        """Bring the store up to date."""
        if not self.has_begun:
            return
        try:
            await self._bring_up_to_date()
        except DATABASE_FAULTS as fault:
            self._wait(fault)

    async def step(self) -> float:
        """Make up for what could not be written, and return the seconds to wait."""
        if not self.has_begun:
            await self._begin()
        if not self.has_ended:
            await self._bring_up_to_date()
            log.info("the database takes writes")
        return DONE

    def _wait(self, fault: Exception) -> None:
        kind = fault_of(fault)
        reads = kind is Fault.READ_ONLY or bool(self._database.settings.database_read_url)
        if not reads or kind not in (Fault.READ_ONLY, Fault.AWAY, Fault.BUSY):
            raise fault
        log.warning("readers alone are served until the database takes writes", fault=kind.value)

    async def _begin(self) -> None:
        database, settings = self._database, self._database.settings
        require_migrated(database)
        await timekeeping.keep(database)
        async with database.turn():
            await to_thread.run_sync(rendering.begin, database)
            if settings.mirror_of is None:
                await to_thread.run_sync(refuse_mirror, database)
                await to_thread.run_sync(epochs.begin_for_process, database)
            else:
                await to_thread.run_sync(begin_mirror, database, settings.mirror_of)
        self.has_begun = True

    async def _bring_up_to_date(self) -> None:
        """See to it that there is a notice to decide on, and that what fell due while nobody ran is
        published.
        """
        database = self._database
        if database.settings.mirror_of is None:
            async with database.turn():
                await to_thread.run_sync(defaults.provide, database)
            await to_thread.run_sync(licences.remember_time, database)
            await clock.release_all_due(database)
            await licences.pass_time_for_all(database)
        self.has_ended = True
