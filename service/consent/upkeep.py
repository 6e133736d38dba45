"""What has to be done for the consent ledger while it serves, and waits for nobody's request.

Events are sealed into the log every second; decisions that ran out are noted, and what is past its period
goes, every hour.
"""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from service.consent import retention, sealing
from service.consent.signing import Signer
from service.database import Database
from service.tables import now

SEALS_EVERY = 1.0
TIDIES_EVERY = timedelta(hours=1)
LOOKS_BACK = timedelta(days=7)
"""How long a decision that ran out may have waited to be noted: `copydesk consent retain` looks at all of
them.
"""
log = structlog.get_logger()


async def run(database: Database) -> None:
    """Work until cancelled."""
    signer = Signer(database.settings.signing_key)
    tidies_at = now()
    while True:
        try:
            if await run_in_threadpool(sealing.is_waiting, database):
                await seal_waiting(database, signer)
            if now() >= tidies_at:
                tidies_at = now() + TIDIES_EVERY
                await _tidy(database)
        except SQLAlchemyError as fault:
            log.warning("the consent log could not be kept up", fault=type(fault).__name__)
        await asyncio.sleep(SEALS_EVERY)


async def _tidy(database: Database) -> None:
    at = now()
    for work in (
        partial(retention.note_expired, database, at, at - LOOKS_BACK),
        partial(retention.retain, database, at),
    ):
        done = retention.AT_ONCE
        while done == retention.AT_ONCE:
            async with database.turn():
                done = await run_in_threadpool(work)


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
