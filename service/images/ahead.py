"""Make the sizes of a picture that pages ask for first as soon as the picture is public, before a reader
waits for them.

It follows the published numbers, as any other follower does, and has one picture in the queue at a time:
readers who ask for something else meanwhile wait for one picture at the most.
"""

import asyncio
from uuid import UUID

import structlog
from sqlmodel import func, select
from starlette.concurrency import run_in_threadpool

from service.database import Database
from service.errors import ServiceError
from service.images.prints import Prints, Wanted
from service.images.read import public_negative
from service.images.renditions import Negative
from service.published import store
from service.published.models import Kind, Published

LOOKS_EVERY = 0.5
AT_ONCE = 200
log = structlog.get_logger()


class Ahead:
    """Follows what is published after a number. What fails is made when it is asked for."""

    def __init__(self, database: Database, prints: Prints, seq: int) -> None:
        self._database, self._prints, self._seq = database, prints, seq

    async def step(self) -> float:
        """Make the sizes of what was published meanwhile; return the seconds to wait."""
        self._seq, found = await run_in_threadpool(_changed, self._database, self._seq)
        for image_id in found:
            await _make(self._database, self._prints, image_id)
        return LOOKS_EVERY


async def _make(database: Database, prints: Prints, image_id: UUID) -> None:
    negative = await run_in_threadpool(_public, database, image_id)
    if negative is None:
        return
    try:
        await asyncio.shield(asyncio.wrap_future(prints.make(negative, first_asked_for(negative))))
    except (ServiceError, OSError) as fault:
        log.warning("sizes of a picture were not made ahead", image_id=str(image_id), fault=str(fault))


def first_asked_for(negative: Negative) -> list[Wanted]:
    """Return the whole picture in every width as WebP, and once as JPEG for whoever shows one file only."""
    whole = [size for size in negative.sizes() if size.name.startswith("w")]
    return [(whole[0], "jpg"), *((size, "webp") for size in whole)]


def newest(database: Database) -> int:
    """Return the last number that was published."""
    with database.reading() as session:
        return session.exec(select(func.max(Published.seq))).one() or 0


def _changed(database: Database, seq: int) -> tuple[int, list[UUID]]:
    with database.reading() as session:
        changes = store.changed_since(session, seq, AT_ONCE)
    return max([seq, *(number for _, _, number in changes)]), [
        id_ for kind, id_, _ in changes if kind is Kind.IMAGE
    ]


def _public(database: Database, image_id: UUID) -> Negative | None:
    with database.reading() as session:
        return public_negative(session, image_id)[0]
