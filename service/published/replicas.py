"""Read what readers get from replicas that have reached the number heard, and from the primary otherwise.

Each row comes with the replica's own number, from one snapshot. No answer is therefore older than what this
process has heard of the primary, which is a second at the most, however far behind a replica is.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Protocol, TypeVar

import structlog
from anyio import CapacityLimiter, WouldBlock, to_thread
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, text

from service.database import Database, Session
from service.deadlines import Deadlines
from service.engines import hold_to_deadline, postgres_engine
from service.faults import DATABASE_FAULTS, Fault, fault_of
from service.published.answers import Row
from service.published.models import Kind
from service.published.reader import SEQ, Changes, DatabaseReader, PostgresReader, Record, Values
from service.settings import Settings

LOOKS_EVERY = 0.25
"""Seconds between two questions to a replica for its number."""
WELL_WITHIN = 0.3
"""Seconds in which a replica tells its number, or is left alone."""
DEADLINE = 4.0
"""Seconds that one request's session may take on a replica before the primary is asked instead; one row may
take a quarter of them.
"""
RESTS = 0.05
"""Seconds for which a replica that is behind is not asked."""
Found = TypeVar("Found")
log = structlog.get_logger()


class NumberHeard(Protocol):
    """The number that this process has heard of the primary."""

    @property
    def needed(self) -> int | None:
        """Return the number that an answer must have reached; None when nothing was heard for too long."""

    @property
    def set_backs(self) -> int:
        """Return how often the numbers have gone back."""


class Replica:
    """One replica, and whether it is asked: it is left alone while it does not answer within moments."""

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines) -> None:
        own = settings.model_copy(update={"database_url": url, "request_deadline": DEADLINE})
        known = conninfo_to_dict(url)
        self.name = f"{known.get('host', 'localhost')}:{known.get('port', 5432)}"
        self.reader = PostgresReader(own, deadlines)
        self.is_well = False
        self.reached = -1
        self.is_doubtful = False
        """True from when the numbers go back until the replica has been seen to have gone back too."""
        self._rests_until = 0.0
        self._looking: asyncio.Task[list[Record]] | None = None
        self.engine = postgres_engine(own, serves=True)
        hold_to_deadline(self.engine, deadlines, DEADLINE)
        self._asking = self.engine.execution_options(copydesk_read_only=True, isolation_level="AUTOCOMMIT")
        self._slots = CapacityLimiter(settings.database_pool_size)

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return self.reader.connections + int(self.engine.pool.checkedout() + self.engine.pool.checkedin())  # type: ignore[attr-defined]

    @property
    def may_be_asked(self) -> bool:
        """Return whether the replica answers, and was not behind a moment ago."""
        return self.is_well and not self.is_doubtful and time.monotonic() >= self._rests_until

    def has(self, seq: int, needed: int) -> bool:
        """Note the number that the replica has told, and tell whether that is enough."""
        self.reached = seq
        if seq >= needed:
            return True
        self._rests_until = time.monotonic() + RESTS
        return False

    def lose(self, cause: str) -> None:
        """Ask it for nothing until it tells its number again."""
        if self.is_well:
            log.warning("a replica is left alone until it answers", replica=self.name, cause=cause)
        self.is_well = False

    async def look(self, needed: int) -> None:
        """Ask for its number, and wait for a moment. A question that hangs is left behind, and the next look
        waits for it. After a set-back a replica is trusted again once it is no farther than `needed`.
        """
        if self._looking is None:
            self._looking = asyncio.create_task(self.reader.rows(SEQ))
        done, _ = await asyncio.wait([self._looking], timeout=WELL_WITHIN)
        if not done:
            self.lose("no answer")
            return
        looked, self._looking = self._looking, None
        fault = looked.exception()
        if isinstance(fault, DATABASE_FAULTS):
            self.lose(fault_of(fault).value)
        elif fault is not None:
            raise fault
        else:
            # The number is gone while a dump is being restored over the store.
            self.reached = max((number for (number,) in looked.result()), default=-1)
            if self.reached <= needed:
                self.is_doubtful = False
            if not self.is_well:
                log.info("a replica answers", replica=self.name)
            self.is_well = True

    async def open_session(self, database: Database, needed: int) -> Session | None:
        """Open a session that has reached a number; None when there is none at once."""
        session = Session(database, self._asking, read_only=True)
        try:
            self._slots.acquire_on_behalf_of_nowait(session)
        except WouldBlock:
            return None
        try:
            seq = await to_thread.run_sync(_number, session, limiter=database.endings)
            if self.has(seq, needed):
                return session
        except DATABASE_FAULTS as fault:
            self.lose(fault_of(fault).value)
        except BaseException:
            await self.end_session(database, session)
            raise
        await self.end_session(database, session)
        return None

    async def end_session(self, database: Database, session: Session) -> None:
        """End a session, however it went."""
        try:
            with suppress(*DATABASE_FAULTS):
                await to_thread.run_sync(session.close, limiter=database.endings)
        finally:
            self._slots.release_on_behalf_of(session)

    async def close(self) -> None:
        """Give every connection back."""
        if self._looking is not None:
            self._looking.cancel()
        await self.reader.close()
        self.engine.dispose()


def _number(session: Session) -> int:
    number = session.execute(text(SEQ)).scalar()
    return -1 if number is None else int(number)


class Replicas:
    """All replicas of one process, asked in turn."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._all = [Replica(url, settings, database.deadlines) for url in settings.database_read_url]
        self._heard: NumberHeard | None = None
        self._set_backs = 0
        self._turn = 0
        self.reads = 0
        """Rows and sessions that came from a replica."""
        self.behind = 0
        """Questions to a replica that had not reached the number heard, had no connection free, or did not
        answer. One read may ask several replicas."""

    @property
    def engines(self) -> list[Engine]:
        """Return the engines of all replicas."""
        return [replica.engine for replica in self._all]

    def follow(self, heard: NumberHeard) -> None:
        """Hold replicas to the numbers that are heard."""
        self._heard = heard

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def connections(self) -> int:
        """Return how many connections to replicas are open."""
        return sum(replica.connections for replica in self._all)

    @property
    def away(self) -> int:
        """Return how many replicas do not answer."""
        return sum(not replica.is_well for replica in self._all)

    @property
    def needed(self) -> int | None:
        """Return the number that an answer must have reached; None when the primary is to be asked."""
        return None if self._heard is None else self._heard.needed

    def in_turn(self) -> Iterator[Replica]:
        """Yield the replicas that may be asked, another one first each time."""
        if self._heard is not None and self._heard.set_backs != self._set_backs:
            self._set_backs = self._heard.set_backs
            for replica in self._all:
                replica.is_doubtful = True
        self._turn += 1
        for place in range(len(self._all)):
            replica = self._all[(self._turn + place) % len(self._all)]
            if replica.may_be_asked:
                yield replica

    def latest(self) -> int | None:
        """Return the highest number that a replica has told within moments."""
        return max((replica.reached for replica in self._all if replica.is_well), default=None)

    async def find(self, kind: Kind, key: str) -> tuple[Row | None] | None:
        """Return what a replica holds of one resource; None when the primary is to be asked."""
        needed = self.needed
        for replica in self.in_turn() if needed is not None else ():
            try:
                seq, row = await replica.reader.find_at(kind, key)
            except DATABASE_FAULTS as fault:
                replica.lose(fault_of(fault).value)
            else:
                assert needed is not None
                if replica.has(seq, needed):
                    self.reads += 1
                    return (row,)
            self.behind += 1
        return None

    async def ask(
        self, least: int, question: Callable[[DatabaseReader], Awaitable[Found]]
    ) -> tuple[Found] | None:
        """Return a replica's answer to any question, if one has reached a number: for when the primary is
        away.
        """
        for replica in self.in_turn():
            with suppress(*DATABASE_FAULTS):
                if replica.has(await replica.reader.seq(), least):
                    return (await question(replica.reader),)
        return None

    async def open_session(self, needed: int) -> tuple[Replica, Session] | None:
        """Open a session on a replica that has reached a number; None when there is none."""
        for replica in self.in_turn():
            session = await replica.open_session(self._database, needed)
            if session is not None:
                self.reads += 1
                return replica, session
            self.behind += 1
        return None

    async def open(self) -> None:
        """Start to connect. A replica that is away is waited for beside the requests."""
        for replica in self._all:
            await replica.reader.open(waits=False)
        await self.step()

    async def step(self) -> float:
        """Look at every replica, and return the seconds to wait."""
        needed = self.needed
        await asyncio.gather(*(replica.look(-1 if needed is None else needed) for replica in self._all))
        return LOOKS_EVERY

    async def close(self) -> None:
        """Give every connection back."""
        for replica in self._all:
            await replica.close()


class ReplicatedReader:
    """Finds single resources on replicas. All else comes from the primary, and from a replica only while the
    primary is away: feeds must not go back when the next question goes to another replica.
    """

    def __init__(self, primary: PostgresReader, replicas: Replicas, watch: "PrimaryWatch") -> None:
        self._primary = primary
        self._replicas = replicas
        self._watch = watch
        self._least = -1

    @property
    def answered_at(self) -> float:
        """Return when the primary answered last."""
        return self._primary.answered_at

    @property
    def connections(self) -> int:
        """Return how many connections to the primary are open."""
        return self._primary.connections

    async def open(self) -> None:
        """Connect to the primary, if it is there, and begin to connect to the replicas."""
        await self._primary.open(waits=False)
        with suppress(*DATABASE_FAULTS):
            await self._primary.seq()
        await self._replicas.open()

    async def close(self) -> None:
        """Close every pool."""
        await self._replicas.close()
        await self._primary.close()

    async def find(self, kind: Kind, key: str) -> Row | None:
        """Read one published resource."""
        found = await self._replicas.find(kind, key)
        if found is not None:
            return found[0]
        return await self._ask(lambda reader: reader.find(kind, key))

    async def seq(self) -> int:
        """Return the number of the last public change."""
        seq = await self._ask(lambda reader: reader.seq())
        self._know(seq)
        return seq

    async def changes(self, since: int) -> tuple[int, Changes]:
        """Return the number of the last public change, and the changes since a number."""
        seq, changes = await self._ask(lambda reader: reader.changes(since))
        self._know(seq)
        return seq, changes

    def _know(self, seq: int) -> None:
        """While the primary is away, ask no replica that is behind a number that was told."""
        if self._watch.is_away:
            self._least = seq

    async def rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement."""
        return await self._ask(lambda reader: reader.rows(statement, values))

    async def brief_rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement."""
        return await self.rows(statement, values)

    async def _ask(self, question: Callable[[DatabaseReader], Awaitable[Found]]) -> Found:
        if not self._watch.is_away:
            try:
                return await question(self._primary)
            except DATABASE_FAULTS as fault:
                if fault_of(fault) not in (Fault.AWAY, Fault.BUSY):
                    raise
                found = await self._from_replica(question)
                if found is None:
                    raise
                return found[0]
        found = await self._from_replica(question)
        return await question(self._primary) if found is None else found[0]

    async def _from_replica(
        self, question: Callable[[DatabaseReader], Awaitable[Found]]
    ) -> tuple[Found] | None:
        return await self._replicas.ask(max(self._watch.known, self._least), question)


class PrimaryWatch(Protocol):
    """The state of the primary, as far as it is heard of."""

    is_away: bool

    @property
    def known(self) -> int:
        """Return the highest number that is known."""
