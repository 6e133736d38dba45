"""Many small writes in one transaction: what arrives while one commit waits for the disk goes together into
the next.

Each write still gets its own answer, after the commit that holds it. What a transaction costs by itself is
shared by all that is in it, so this is the difference between hundreds and thousands of decisions a second; a
lone write waits for nobody.

A fault that one write may have caused is found by trying each alone. A fault of the store's own, such as a
lock, a full disk or a server that is away, fails the whole batch at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from threading import get_ident
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool

from service.database import Database, Session
from service.errors import ServiceError, Unavailable
from service.faults import may_be_one_writes

MOST_TOGETHER = 100
MOST_BATCHES = 20
"""Batches that may wait for their turn. Writes that would begin another are refused at once."""
STALLS_AFTER = 0.75
"""Seconds that one batch may take until no more writes may wait than go into the next. Once the database has
left one statement of it unanswered for so long, no more may wait than of other requests.
"""
LOOKS_EVERY = 0.25
"""Seconds between two looks at a batch that takes long."""
Item = TypeVar("Item")
Answer = TypeVar("Answer")
Write = Callable[[Session], Any]
Refusal = ServiceError | SQLAlchemyError
Do = Callable[[Session, Sequence[Item]], Sequence[Answer | ServiceError]]


def each(session: Session, writes: Sequence[Write]) -> list[Any]:
    """Do writes one after the other: an answer or a refusal for each."""
    return [_attempt(write, session) for write in writes]


def waves(items: Iterable[Item], names: Callable[[Item], Collection[Hashable]]) -> Iterator[list[Item]]:
    """Split items into groups, in their order. An item that shares a name with one before it begins a new
    group, because it must see what became of that one.
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
    """The requests that share one transaction; `answers` get an answer or a refusal for each, once it is
    committed.
    """

    def __init__(self, until: float) -> None:
        self.items: list[Item] = []
        self.answers: list[asyncio.Future[Answer | Refusal]] = []
        self.until = until
        self.done: asyncio.Task[None] | None = None
        self.thread: int | None = None
        """The thread that writes it."""
        self.look: asyncio.TimerHandle | None = None
        """The next look at it while it is at work."""

    def add(self, item: Item) -> asyncio.Future[Answer | Refusal]:
        """Take one more write, and return where its answer will be."""
        answer: asyncio.Future[Answer | Refusal] = asyncio.get_running_loop().create_future()
        self.items.append(item)
        self.answers.append(answer)
        return answer

    def answer(self, answers: Sequence[Answer | Refusal]) -> None:
        """Answer everybody who has stayed."""
        for future, answer in zip(self.answers, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    def end(self, done: asyncio.Task[None]) -> None:
        """Give everybody who has no answer yet the fault that ended the batch."""
        fault = None if done.cancelled() else done.exception()
        for future in self.answers:
            if future.done():
                continue
            if fault is None:
                future.cancel()
            else:
                future.set_exception(fault)

    def shed(self, most: int) -> None:
        """Refuse the writes after the first `most`."""
        for future in self.answers[most:]:
            if not future.done():
                future.set_result(_too_many())
        del self.items[most:], self.answers[most:]


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
        self._batches: list[_Batch[Item, Answer]] = []
        self._may_wait: int | None = None
        """The number of writes that may wait for the batch at work; None while that does not take long."""

    async def run(self, item: Item) -> Answer:
        """Write one and return its answer once it is committed. Raises what refused it, and Unavailable when
        too many wait.
        """
        if self._may_wait is not None and self._count_waiting() >= self._may_wait:
            raise _too_many()
        batch = self._open or self._begin()
        waiting = batch.add(item)
        if len(batch.items) == MOST_TOGETHER:
            self._open = None
        try:
            answer = await waiting
        except asyncio.CancelledError:
            # The write is made all the same. The caller must not go on, and ask for it again, before it is
            # committed.
            assert batch.done is not None
            await asyncio.wait([batch.done])
            raise
        if isinstance(answer, ServiceError | SQLAlchemyError):
            raise answer
        return answer

    def _begin(self) -> _Batch[Item, Answer]:
        if len(self._batches) == MOST_BATCHES:
            raise _too_many()
        until = time.monotonic() + self._database.settings.request_deadline
        self._open = batch = _Batch[Item, Answer](until)
        self._batches.append(batch)
        batch.done = asyncio.create_task(self._commit(batch))
        batch.done.add_done_callback(batch.end)
        return batch

    def _count_waiting(self) -> int:
        """Return how many writes wait for the batch that is at work."""
        return sum(len(batch.items) for batch in self._batches[1:])

    async def _commit(self, batch: _Batch[Item, Answer]) -> None:
        try:
            async with self._alone(batch), self._turn(batch):
                if self._open is batch:
                    self._open = None
                if batch.items:
                    batch.answer(await run_in_threadpool(self._together, batch))
        except PoolTimeout as fault:
            if self._open is batch:
                self._open = None
            batch.answer([fault] * len(batch.items))
        finally:
            self._batches.remove(batch)

    def _watch(self, batch: _Batch[Item, Answer], after: float) -> None:
        # Not a task, because most batches are done before anybody looks.
        batch.look = asyncio.get_running_loop().call_later(after, self._look, batch)

    def _look(self, at_work: _Batch[Item, Answer]) -> None:
        """Refuse those of the waiting whose answer would come too late, for as long as a batch is at work."""
        self._may_wait = left = self._most_behind(at_work)
        for batch in self._batches[1:]:
            batch.shed(left)
            left -= len(batch.items)
        self._watch(at_work, LOOKS_EVERY)

    def _most_behind(self, batch: _Batch[Item, Answer]) -> int:
        """Return how many may wait for a batch that takes long."""
        most = self._database.admission.most_waiting
        silence = 0.0 if batch.thread is None else self._database.deadlines.silence(batch.thread)
        return most if silence > STALLS_AFTER else max(most, MOST_TOGETHER)

    @asynccontextmanager
    async def _alone(self, batch: _Batch[Item, Answer]) -> AsyncIterator[None]:
        """Wait for the batches before this one. Let fewer wait behind it while it takes long."""
        try:
            async with asyncio.timeout(batch.until - time.monotonic()):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise _late() from None
        self._watch(batch, STALLS_AFTER)
        try:
            yield
        finally:
            if batch.look is not None:
                batch.look.cancel()
            self._may_wait = None
            self._one_at_a_time.release()

    @asynccontextmanager
    async def _turn(self, batch: _Batch[Item, Answer]) -> AsyncIterator[None]:
        """Wait until one more may write, and on SQLite for the turn to write."""
        async with self._database.admission.writer(batch.until - time.monotonic()), self._database.turn():
            yield

    def _together(self, batch: _Batch[Item, Answer]) -> Sequence[Answer | Refusal]:
        batch.thread = get_ident()
        try:
            return self._database.transact(partial(self._do_all, batch.items))
        except SQLAlchemyError as fault:
            if len(batch.items) == 1 or not may_be_one_writes(fault):
                return [fault] * len(batch.items)
        return list(self._one_by_one(batch))

    def _one_by_one(self, batch: _Batch[Item, Answer]) -> Iterator[Answer | Refusal]:
        """Write each by itself, because one of them has made the shared transaction fail."""
        stores_fault: SQLAlchemyError | None = None
        for item in batch.items:
            if stores_fault is None and time.monotonic() > batch.until:
                stores_fault = _late()
            if stores_fault is not None:
                yield stores_fault
                continue
            try:
                (answer,) = self._database.transact(partial(self._do_all, [item]))
                yield answer
            except SQLAlchemyError as fault:
                stores_fault = None if may_be_one_writes(fault) else fault
                yield fault

    def _do_all(self, items: Sequence[Item], session: Session) -> Sequence[Answer | ServiceError]:
        return self._do(session, items)


def _too_many() -> Unavailable:
    return Unavailable("Too many writes wait for the database.", headers={"Retry-After": "1"})


def _late() -> PoolTimeout:
    return PoolTimeout("the writes before this one took too long")


def _attempt(write: Write, session: Session) -> Any:
    try:
        return write(session)
    except ServiceError as refusal:
        return refusal
