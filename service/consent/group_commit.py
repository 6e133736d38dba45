"""Many small writes in one transaction: what arrives while one commit waits for the disk goes together into the next.

Each write still gets its own answer, after the commit that holds it. A commit costs milliseconds and a write microseconds, so this
is the difference between hundreds and thousands of decisions a second; a lone write waits for nobody.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from starlette.concurrency import run_in_threadpool

from service.database import Database, Session
from service.errors import ServiceError

MOST_TOGETHER = 100
DEADLOCK = "40P01"
"""PostgreSQL's code for it: two processes held each what the other one's batch needed."""
Answer = TypeVar("Answer")
Write = Callable[[Session], Answer]


def each(session: Session, writes: Sequence[Write[Any]]) -> list[Any]:
    """Do writes one after the other: an answer or a refusal for each."""
    return [_attempt(write, session) for write in writes]


class _Batch:
    """Writes that go into one transaction; `done` gives an answer or a refusal for each, once it is committed."""

    def __init__(self) -> None:
        self.writes: list[Write[Any]] = []
        self.done: asyncio.Task[Sequence[Any]] | None = None


class GroupCommit:
    """The writes of one kind that wait for the next transaction. Used from the event loop only.

    `do` makes the writes of a batch, in their order: `each` by itself, or several with one statement.
    """

    def __init__(self, database: Database, do: Callable[[Session, Sequence[Write[Any]]], Sequence[Any]] = each) -> None:
        self._database = database
        self._do = do
        self._one_at_a_time = asyncio.Lock()
        self._open: _Batch | None = None

    async def run(self, write: Write[Answer]) -> Answer:
        """Do a write and return its answer once it is committed. A write that refuses must do so before it changes anything."""
        batch = self._open or self._begin()
        place = len(batch.writes)
        batch.writes.append(write)
        if len(batch.writes) == MOST_TOGETHER:
            self._open = None
        assert batch.done is not None
        # Shielded: when one who asked goes away, the others' writes are made all the same.
        answer = (await asyncio.shield(batch.done))[place]
        if isinstance(answer, ServiceError | DBAPIError):
            raise answer
        return answer  # type: ignore[no-any-return]  # a batch holds answers of every type

    def _begin(self) -> _Batch:
        self._open = batch = _Batch()
        batch.done = asyncio.create_task(self._commit(batch))
        return batch

    async def _commit(self, batch: _Batch) -> Sequence[Any]:
        async with self._one_at_a_time, self._database.turn():
            if self._open is batch:
                self._open = None
            return await run_in_threadpool(self._together, batch.writes)

    def _together(self, writes: Sequence[Write[Any]]) -> Sequence[Any]:
        try:
            with self._database.writing() as session:
                return self._do(session, writes)
        except DBAPIError as fault:
            if len(writes) == 1:
                return [fault]
            if not _is_one_writes_fault(fault):
                raise
        # One of them took the others' transaction with it: each for itself.
        return [answer for write in writes for answer in self._together([write])]


def _is_one_writes_fault(fault: DBAPIError) -> bool:
    return isinstance(fault, IntegrityError | DataError) or getattr(fault.orig, "sqlstate", None) == DEADLOCK


def _attempt(write: Write[Answer], session: Session) -> Answer | ServiceError:
    try:
        return write(session)
    except ServiceError as refusal:
        return refusal
