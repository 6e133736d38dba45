"""Keep the time by PostgreSQL's clock, which the processes of several machines have in common.

A machine whose clock is an hour ahead would otherwise publish an embargoed article an hour too early.
"""

from datetime import timedelta

import structlog
from anyio import to_thread
from sqlalchemy import DateTime
from sqlmodel import func, select

from service import tables
from service.database import Database

LOOKS_EVERY = 30.0
AGREES_WITHIN = timedelta(seconds=0.5)
"""Smaller differences come from the round trip, and between clocks that are kept in step."""
log = structlog.get_logger()


async def keep(database: Database) -> float:
    """Compare the clocks; return the seconds until the next time."""
    await to_thread.run_sync(compare, database)
    return LOOKS_EVERY


def compare(database: Database) -> None:
    """Subtract from `tables.now()` what this machine's clock is ahead of PostgreSQL's. SQLite has this
    machine's clock.
    """
    if database.is_sqlite:
        return
    with database.reading() as session:
        session.connection()  # Or the time that it takes to connect would count.
        began = tables.machine_time()
        theirs = session.exec(select(func.clock_timestamp(type_=DateTime(timezone=True)))).one()
        took = tables.machine_time() - began
    ahead = began + took / 2 - theirs
    if took > AGREES_WITHIN or abs(ahead - tables.CLOCK.ahead) < AGREES_WITHIN:
        return
    tables.CLOCK.ahead = ahead if abs(ahead) > AGREES_WITHIN else timedelta()
    # What this clock has shown was wrong; the store knows how far the right one has come (`images/clock.py`).
    tables.CLOCK.latest = tables.now()
    log.warning(
        "this machine's clock is corrected by the database's",
        seconds_ahead=tables.CLOCK.ahead.total_seconds(),
    )
