"""Many small writes in one transaction: what arrives while one commit waits for the disk goes together into
the next.

Each write still gets its own answer, after the commit that holds it. What a transaction costs by itself is
shared by all that is in it, so this is the difference between hundreds and thousands of decisions a second; a
lone write waits for nobody.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from starlette.concurrency import run_in_threadpool

from service.database import Database, Session
from service.errors import ServiceError

MOST_TOGETHER = 100
Item = TypeVar("Item")
Answer = TypeVar("Answer")
Write = Callable[[Session], Any]
Do = Callable[[Session, Sequence[Item]], Sequence[Answer | ServiceError]]


def each(session: Session, writes: Sequence[Write]) -> list[Any]:
    """Do writes one after the other: an answer or a refusal for each."""
    return [_attempt(write, session) for write in writes]


def waves(items: Iterable[Item], names: Callable[[Item], Collection[Hashable]]) -> Iterator[list[Item]]:
    """Items in their order, parted where one has a name of another before it, and so must see what became of
    that.
    """
    wave: list[Item] = []
    taken: set[Hashable] = set()
    for item in items:
        if not taken.isdisjoint(names(item)):
            yield wave
            wave, taken = [], set()
        wave.append(item)
        taken.update(names(item))
    if wave:
        yield wave


class _Batch(Generic[Item, Answer]):
    """What goes into one transaction; `done` gives an answer or a refusal for each, once it is committed."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.done: asyncio.Task[Sequence[Answer | ServiceError | DBAPIError]] | None = None


class GroupCommit(Generic[Item, Answer]):
    """The writes of one kind that wait for the next transaction. Used from the event loop only.

    `do` makes the writes of a batch, in their order: `each` by itself, or several with one statement. One
    that it refuses must have changed nothing.
    """

    def __init__(self, database: Database, do: Do[Item, Answer]) -> None:
        self._database = database
        self._do = do
        self._one_at_a_time = asyncio.Lock()
        self._open: _Batch[Item, Answer] | None = None

    async def run(self, item: Item) -> Answer:
        """Write one and return its answer once it is committed. Raises what refused it."""
        batch = self._open or self._begin()
        place = len(batch.items)
        batch.items.append(item)
        if len(batch.items) == MOST_TOGETHER:
            self._open = None
        assert batch.done is not None
        try:
            # Shielded: when one who asked goes away, the others' writes are made all the same.
            answer = (await asyncio.shield(batch.done))[place]
        except asyncio.CancelledError:
            # So is this one's: whoever asked must not go on, and ask for it again, before it is there.
            await asyncio.wait([batch.done])
            raise
        if isinstance(answer, ServiceError | DBAPIError):
            raise answer
        return answer

    def _begin(self) -> _Batch[Item, Answer]:
        self._open = batch = _Batch[Item, Answer]()
        batch.done = asyncio.create_task(self._commit(batch))
        return batch

    async def _commit(self, batch: _Batch[Item, Answer]) -> Sequence[Answer | ServiceError | DBAPIError]:
        async with self._one_at_a_time, self._database.turn():
            if self._open is batch:
                self._open = None
            return await run_in_threadpool(self._together, batch.items)

    def _together(self, items: Sequence[Item]) -> Sequence[Answer | ServiceError | DBAPIError]:
        try:
            with self._database.writing() as session:
                return self._do(session, items)
        except DBAPIError as fault:
            if len(items) == 1:
                return [fault]
            if not _may_be_one_writes_fault(fault):
                raise
        # One of them took the others' transaction with it: each for itself.
        return [answer for item in items for answer in self._together([item])]


def _may_be_one_writes_fault(fault: DBAPIError) -> bool:
    """Whether the others may still be made: not when the database is gone. PostgreSQL refuses one write in
    many ways; they have a code.
    """
    has_code = getattr(fault.orig, "sqlstate", None) is not None
    return isinstance(fault, IntegrityError | DataError) or (has_code and not fault.connection_invalidated)


def _attempt(write: Write, session: Session) -> Any:
    try:
        return write(session)
    except ServiceError as refusal:
        return refusal
