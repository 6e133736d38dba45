"""Run the jobs of the consent ledger.

Events are sealed into the log every second; decisions that ran out are noted, and what is past its period
goes, every hour. SQLite's own log is emptied every minute, of what was erased while somebody was reading.
"""

from datetime import timedelta
from functools import partial
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from service.consent.audit import retention
from service.consent.decisions import erasing
from service.consent.log import sealing
from service.consent.signing import Signer
from service.database import Database
from service.rows import RowReader
from service.tables import now

SEALS_EVERY = 1.0
TIDIES_EVERY = 3600.0
EMPTIES_EVERY = 60.0
"""Seconds, and no times of a clock, which may go back."""
LOOKS_BACK = timedelta(days=7)
"""The longest time that a decision which ran out may have waited to be noted: `copydesk consent retain` looks
at all of them.
"""


async def seal(database: Database, reader: RowReader, signer: Signer) -> float:
    """Seal what was recorded; return the seconds to wait."""
    if await sealing.is_waiting(reader):
        await seal_waiting(database, signer)
    return SEALS_EVERY


async def tidy(database: Database) -> float:
    """Note decisions that ran out, and remove what is past its period; return the seconds to wait."""
    at = now()
    for work in (
        partial(retention.note_expired, database, at, at - LOOKS_BACK),
        partial(retention.retain, database, at),
    ):
        done = retention.AT_ONCE
        while done == retention.AT_ONCE:
            async with database.turn():
                done = await run_in_threadpool(work)
    return TIDIES_EVERY


async def empty_log(database: Database) -> float:
    """Leave nothing erased in SQLite's write-ahead log; return the seconds to wait."""
    async with database.turn():
        await run_in_threadpool(erasing.empty_log, database)
    return EMPTIES_EVERY


async def seal_waiting(database: Database, signer: Signer) -> None:
    """Seal what is queued, batch by batch, and let those who record decisions go in between."""
    if await run_in_threadpool(sealing.must_look_over, database):
        await _look_over(database)
    taken = sealing.BATCH
    while taken == sealing.BATCH:
        async with database.turn():
            taken = await run_in_threadpool(sealing.seal_batch, database, signer)


async def _look_over(database: Database) -> None:
    after: UUID | None = sealing.FIRST
    while after is not None:
        async with database.turn():
            after = await run_in_threadpool(sealing.look_over, database, after)
