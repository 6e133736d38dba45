"""What has to be done for the consent ledger while it serves, and waits for nobody's request: events are sealed into the log."""

import asyncio
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from service.consent.sealing import BATCH, FIRST, is_waiting, seal_batch
from service.consent.signing import Signer
from service.database import Database

SEALS_EVERY = 1.0
log = structlog.get_logger()


async def run(database: Database) -> None:
    """Seal until cancelled; at first whatever a process that died had left."""
    signer = Signer(database.settings.signing_key)
    after: UUID | None = FIRST
    while True:
        try:
            if after is not None or await run_in_threadpool(is_waiting, database):
                await seal_waiting(database, signer, after)
            after = None
        except SQLAlchemyError as fault:
            log.warning("the consent log could not be sealed", fault=type(fault).__name__)
        await asyncio.sleep(SEALS_EVERY)


async def seal_waiting(database: Database, signer: Signer, after: UUID | None = None) -> None:
    """Seal what was recorded lately, or after an event, batch by batch, and let those who record decisions go in between."""
    while True:
        async with database.turn():
            batch = await run_in_threadpool(seal_batch, database, signer, after=after)
        if len(batch) < BATCH:
            return
        after = None if after is None else batch[-1]
