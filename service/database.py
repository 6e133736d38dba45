"""Begin, commit and end the one transaction of each request. No other module does."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Protocol, TypeVar, cast
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy import CursorResult, Engine, Result, TextClause, UpdateBase, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.pool import QueuePool
from sqlmodel import Session as SQLModelSession
from starlette.concurrency import run_in_threadpool

from service import prepared
from service.admission import Admission
from service.ages import earliest, keep_until
from service.contracts import Contract
from service.deadlines import Deadlines
from service.engines import (
    SENT,
    SQLITE_CONNECTIONS,
    enter_pipeline,
    hold_still,
    hold_to_deadline,
    postgres_engine,
    sqlite_engine,
)
from service.faults import DATABASE_FAULTS, Fault, fault_of, refusal
from service.services import service
from service.settings import Settings
from service.tables import Table

Outcome = TypeVar("Outcome")
READ_FROM = "copydesk.read_from"
"""In a request's scope: the session of a replica that its answer may be read from, if there is one."""
HOLDS_REQUESTS = 0.5
"""Seconds for which requests wait, at the most, for a transaction that goes first."""


@dataclass(slots=True)
class Gathered:
    """The resources that a transaction has changed so far, and the last number that it has taken.

    `touched` may look different to the public, by kind; `written` are the articles that this
    transaction has locked and written; `noted` are changed working resources, in their order. `ended` are
    pictures whose licence has ended, which articles say by themselves. `terms` are those that the published
    rows of articles had before, `new_terms` those that they are given, which may not be written yet.
    `pictures_written` counts how often pictures or captions were noted. `alters_others` is true when answers
    change with resources that take no number of this transaction. `alters_pictures` is true when pictures, or
    captions of them, change.
    """

    touched: dict[str, set[UUID]] = field(default_factory=dict)
    written: dict[UUID, Table] = field(default_factory=dict)
    noted: dict[tuple[str, UUID], None] = field(default_factory=dict)
    ended: set[UUID] = field(default_factory=set)
    terms: dict[UUID, frozenset[tuple[str, str]]] = field(default_factory=dict)
    new_terms: dict[UUID, frozenset[tuple[str, str]]] = field(default_factory=dict)
    pictures_written: int = 0
    alters_others: bool = False
    alters_pictures: bool = False
    sequence: int = 0
    is_set_back: bool = False


class Publisher(Protocol):
    """Publishes the changes that a transaction has gathered, as its last step."""

    def publish(self, session: "Session") -> None:
        """Publish them."""


class Session(SQLModelSession):
    """A unit of work on one database, with the changes that it has gathered for its commit."""

    def __init__(self, database: "Database", bind: Engine, *, read_only: bool) -> None:
        super().__init__(bind, autoflush=False, expire_on_commit=False)
        self.database = database
        self.is_read_only = read_only
        self.gathered = Gathered()
        self.contract: Contract | None = None
        """The caller's entitlement: of published rows, the session reads nothing else."""
        self.until: datetime | None = None
        """The time from which rows that were read must be read anew, even if nothing changes."""
        self.kept: dict[type, object] = {}
        """Objects that rooms above keep for this transaction, by type."""

    def write(
        self, statement: UpdateBase | TextClause, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        """Write past the ORM: loaded objects stay as they are. After `pipeline` nobody learns the result."""
        if rows:
            return prepared.execute(self.connection(), statement, rows, SENT)
        return self.connection().execute(statement, execution_options=SENT)

    def pipeline(self) -> None:
        """On PostgreSQL, wait for no answer to what is written from now on: one way there and back is for all
        of it and the commit. What is read is still waited for.
        """
        if not self.database.is_sqlite:
            enter_pipeline(self.connection())

    def keep_until(self, time: datetime | None) -> None:
        """Note a time from which on answers made from these rows must not be cached."""
        # Called for each row of a list; few rows have an end.
        if time is not None:
            self.until = earliest(self.until, time)


@event.listens_for(Session, "before_commit")
def _publish(session: Session) -> None:
    session.database.publisher.publish(session)


@event.listens_for(Session, "after_commit")
def _know(session: Session) -> None:
    gathered = session.gathered
    known = 0 if gathered.is_set_back else session.database.known_sequence
    session.database.known_sequence = max(known, gathered.sequence)
    if gathered.alters_pictures:
        session.database.last_of_pictures = gathered.sequence
    _forget(session)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.gathered, session.kept = Gathered(), {}


class Database:
    """The engine, and the two ways to use it: `reading()` and `writing()`.

    Of a service that answers requests, every transaction has a deadline; a command takes the time that it
    needs.
    """

    def __init__(self, settings: Settings, publisher: Publisher, *, serves: bool = False) -> None:
        self.settings = settings
        self.publisher = publisher
        self.is_sqlite = settings.is_sqlite
        self.engine = sqlite_engine(settings) if self.is_sqlite else postgres_engine(settings, serves=serves)
        self.deadlines = Deadlines()
        if serves:
            hold_to_deadline(self.engine, self.deadlines, settings.request_deadline)
        # PostgreSQL shows each statement what is committed when it begins, in a transaction and outside of
        # one. Outside, a question is one way there and back instead of three.
        alone = {} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._asking = self.engine.execution_options(copydesk_read_only=True, **alone)
        self.known_sequence = 0
        """The highest published sequence number that this process has committed itself."""
        self.last_of_pictures = 0
        """The number of the last transaction of this process that changed a picture or a caption."""
        self.has_timeline = False
        """True when the database tells on which of its timelines it is, as PostgreSQL does."""
        self.rendering: int | None = None
        """The rendering that this process makes, by its id in this store; None until somebody has asked."""
        # Commits have threads of their own: the others may all be waiting for a connection that only a commit
        # sets free.
        self.endings = CapacityLimiter(4 if self.is_sqlite else settings.database_pool_size)
        connections = SQLITE_CONNECTIONS if self.is_sqlite else settings.database_pool_size
        self.admission = Admission(connections, settings.patience)
        # SQLite has one writer at a time. Taking turns in the event loop keeps waiting requests out of the
        # thread pool and serves them in order; SQLite's own busy handler would sleep and starve.
        self._turn: asyncio.Lock | None = asyncio.Lock() if self.is_sqlite else None
        # All but `first` wait here, so that only one of them is ever before it.
        self._queue = asyncio.Lock()

    def open(self, *, read_only: bool) -> Session:
        """Open a session; the caller ends it."""
        return Session(self, self._asking if read_only else self.engine, read_only=read_only)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that only reads."""
        with self.open(read_only=True) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Open a session that reads one snapshot: what the store held at one moment."""
        with self.open(read_only=True) as session:
            hold_still(session)
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Begin a transaction. It is committed when the block ends, and rolled back when the block raises."""
        with self.open(read_only=False) as session:
            yield session
            session.commit()

    @contextmanager
    def rehearsing(self) -> Iterator[Session]:
        """Begin a transaction that is always rolled back."""
        with self.open(read_only=False) as session:
            yield session
            session.rollback()

    @property
    def in_use(self) -> int:
        """Return how many connections are out of the pool."""
        return cast("QueuePool", self.engine.pool).checkedout()

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        pool = cast("QueuePool", self.engine.pool)
        return pool.checkedout() + pool.checkedin()

    def transact(self, work: Callable[[Session], Outcome], *, rehearse: bool = False) -> Outcome:
        """Do some work in a transaction of its own, and once more when that lost a deadlock or a race.

        Of a rehearsal nothing stays.
        """
        try:
            return self._once(work, rehearse=rehearse)
        except DBAPIError as error:
            if fault_of(error) is not Fault.OVERTAKEN:
                raise
        return self._once(work, rehearse=rehearse)

    def _once(self, work: Callable[[Session], Outcome], *, rehearse: bool) -> Outcome:
        with self.rehearsing() if rehearse else self.writing() as session:
            return work(session)

    @asynccontextmanager
    async def turn(self, within: float | None = None) -> AsyncIterator[None]:
        """Wait for this process's turn to write, for a transaction's deadline or so many seconds. Raises
        TimeoutError of SQLAlchemy when it does not come.
        """
        if self._turn is None:
            yield
            return
        try:
            async with asyncio.timeout(within or self.settings.request_deadline):
                async with self._queue:
                    await self._turn.acquire()
        except TimeoutError:
            raise PoolTimeout("other writers took too long") from None
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def first(self) -> AsyncIterator[None]:
        """Take the turn to write before everybody who waits for it.

        New requests for the database wait until the block ends, at most for `HOLDS_REQUESTS`, because the
        block may take long.
        """
        async with nullcontext() if self._turn is None else self._turn:
            self.admission.stop()
            held = asyncio.get_running_loop().call_later(HOLDS_REQUESTS, self.admission.go_on)
            try:
                yield
            finally:
                held.cancel()
                self.admission.go_on()

    async def work_off(self, step: Callable[["Database"], int], batch: int) -> None:
        """Repeat a step, each time `first`, until it finds less work than fills a batch."""
        done = batch
        while done >= batch:
            async with self.first():
                done = await run_in_threadpool(step, self)

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()


def contract_of(request: Request) -> Contract | None:
    """Return the contract of the token that a request carries, as the entrance has noted it."""
    contract: Contract | None = getattr(request.state, "contract", None)
    return contract


async def open_session(request: Request) -> AsyncIterator[Session]:
    """Yield the session of one request: read-only for GET, otherwise committed after the answer is made and
    before it is sent.
    """
    given: Session | None = request.scope.get(READ_FROM)
    if given is not None:
        request.state.session = given
        try:
            yield given
        except DATABASE_FAULTS as error:
            raise refusal(error) from error
        keep_until(request.scope, given.until)
        return
    database = service(request, Database)
    read_only = request.method in ("GET", "HEAD")
    async with database.admission.slot(writes=not read_only), nullcontext() if read_only else database.turn():
        session = database.open(read_only=read_only)
        session.contract = contract_of(request)
        request.state.session = session
        ended = False
        try:
            yield session
            ended = True
            keep_until(request.scope, session.until)
            await to_thread.run_sync(_end, session, limiter=database.endings)
        except DATABASE_FAULTS as error:
            raise refusal(error) from error
        finally:
            if not ended:
                await to_thread.run_sync(session.close, limiter=database.endings)


def _end(session: Session) -> None:
    # Both in one call to the thread, because each call costs as much as a short query.
    with session:
        if not session.is_read_only:
            session.commit()


SessionDep = Annotated[Session, Depends(open_session, scope="function")]
"""With the default scope a failed commit would already have answered 201."""


def insert(session: Session, table: type[Table]) -> postgresql.Insert:
    """Return an INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, which are the same on both
    databases.
    """
    return _insert(table, is_sqlite=session.database.is_sqlite)


@cache
def _insert(table: type[Table], *, is_sqlite: bool) -> postgresql.Insert:
    # The table, not its class: SQLAlchemy's bulk insert of objects costs more and counts no rows on
    # PostgreSQL.
    plain = Table.metadata.tables[str(table.__tablename__)]
    # The two classes have the same methods with the same meaning; only PostgreSQL's is named in the type.
    return cast("postgresql.Insert", sqlite.insert(plain)) if is_sqlite else postgresql.insert(plain)


def add_new(session: Session, rows: Sequence[Table]) -> None:
    """Insert new rows of one table with one statement, and have the session know them as if it had loaded
    them.

    To find out what to insert takes SQLAlchemy's unit of work as long as the statement itself.
    """
    table = type(rows[0])
    members = [{name: getattr(row, name) for name in table.model_fields} for row in rows]
    session.write(insert(session, table), members)
    for row in rows:
        make_transient_to_detached(row)
    session.add_all(rows)


def insert_new(session: Session, table: type[Table]) -> postgresql.Insert:
    """Return an INSERT that leaves an existing row as it is."""
    return _insert_new(table, is_sqlite=session.database.is_sqlite)


@cache
def _insert_new(table: type[Table], *, is_sqlite: bool) -> postgresql.Insert:
    return _insert(table, is_sqlite=is_sqlite).on_conflict_do_nothing()


def upsert(session: Session, table: type[Table], *kept: str) -> postgresql.Insert:
    """Return an INSERT that updates an existing row, except its key and the columns named in `kept`.

    The statement is cached, as those of `insert` and `insert_new` are, because building it takes as long as
    SQLite takes to run it.
    """
    return _upsert(table, kept, is_sqlite=session.database.is_sqlite)


@cache
def _upsert(table: type[Table], kept: tuple[str, ...], *, is_sqlite: bool) -> postgresql.Insert:
    statement = _insert(table, is_sqlite=is_sqlite)
    keys = [column.name for column in Table.metadata.tables[str(table.__tablename__)].primary_key]
    fresh = {column.name: column for column in statement.excluded if column.name not in (*keys, *kept)}
    return statement.on_conflict_do_update(index_elements=keys, set_=fresh)


def rows_changed(result: Result[Any]) -> int:
    """Return how many rows a statement changed."""
    assert isinstance(result, CursorResult)
    return result.rowcount


async def get_database(request: Request) -> Database:
    """Return the database of the running service."""
    return service(request, Database)


DatabaseDep = Annotated[Database, Depends(get_database)]
