"""Learn when anything public has changed: at once on SQLite, within a second on PostgreSQL, whichever process
writes.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import psycopg
import structlog
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database import Database
from service.faults import DATABASE_FAULTS, fault_of
from service.published.reader import SqliteReader

TRUSTED_FOR = 1.0
"""Seconds for which PostgreSQL's last word is believed; after that, every answer asks it first until it is
heard again.
"""
POLL = 0.4
LOOKS_AGAIN = 0.25
"""Seconds until a primary that is away is asked again."""
TICK = 0.02
ECHO_WITHIN = 2.0
"""Seconds in which a notice of one's own must come back."""
log = structlog.get_logger()


class Watch(Protocol):
    """Tells the wire cache when to look for changes.

    `polls` is true when changes are found only by asking again and again. `is_away` is true when the primary
    does not answer, and replicas give the number instead. `set_backs` counts how often the numbers were heard
    to go back, and `connections` the open ones.
    """

    polls: bool
    is_away: bool
    set_backs: int

    @property
    def connections(self) -> int: ...

    def changed(self, seq: int) -> bool:
        """Return whether something may have changed since this number. Asked before every cached answer, so
        it must be cheap.
        """

    async def moved(self, within: float) -> bool:
        """Wait until something may have been committed since this was last asked; False when these seconds
        are over first.
        """

    async def step(self) -> float:
        """Listen for a while; return the seconds to wait before listening again."""

    async def close(self) -> None:
        """Stop listening."""


class SqliteWatch:
    """`PRAGMA data_version`, fifty times a second at the most: it misses nothing, whoever writes; own commits
    count at once.
    """

    polls = is_away = False
    """`PRAGMA data_version` misses nothing, and the file is here."""
    set_backs = 0
    """SQLite is served by one process, which sets the numbers back itself."""

    def __init__(self, reader: SqliteReader, database: Database) -> None:
        self._reader = reader
        self._database = database
        self._version = -1
        self._trusted_until = 0.0
        self._heard = -1

    @property
    def connections(self) -> int:
        """Return none: they are the reader's."""
        return 0

    def changed(self, seq: int) -> bool:
        """Return whether this process has published since this number, or anybody has committed since this
        was last looked at.
        """
        if self._database.known_sequence > seq:
            return True
        now = time.monotonic()
        if now < self._trusted_until:
            return False
        self._trusted_until = now + TICK
        version = self._reader.data_version()
        if version == self._version:
            return False
        self._version = version
        return True

    async def moved(self, within: float) -> bool:
        """Look fifty times a second, for as long as this is asked: SQLite tells nobody, and looking takes two
        microseconds.
        """
        ends = time.monotonic() + within
        while True:
            version = self._reader.data_version()
            if version != self._heard:
                self._heard = version
                return True
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(TICK)

    async def step(self) -> float:
        """Do nothing: SQLite tells nobody."""
        return POLL

    async def close(self) -> None:
        """Do nothing: the reader's connection is not closed here."""


class PostgresWatch:
    """LISTEN for the number that each publishing transaction notifies, with polling behind it; own commits
    count at once.
    """

    def __init__(self, database: Database, latest_of_replicas: Callable[[], int | None]) -> None:
        self.polls = False
        self.is_away = False
        """True while the primary does not answer, and replicas tell the number instead."""
        self.set_backs = 0
        """The number of times that the numbers have gone back."""
        self._database = database
        self._latest_of_replicas = latest_of_replicas
        self._latest = -1
        self._heard_at = 0.0
        self._moved = asyncio.Event()
        self._connection: psycopg.AsyncConnection[tuple[int]] | None = None

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return 0 if self._connection is None else 1

    @property
    def known(self) -> int:
        """Return the highest number that was heard, or that this process has committed itself."""
        return max(self._latest, self._database.known_sequence)

    @property
    def needed(self) -> int | None:
        """Return the number that an answer must have reached; None when nothing was heard for too long."""
        return self.known if time.monotonic() - self._heard_at <= TRUSTED_FOR else None

    def changed(self, seq: int) -> bool:
        """Return whether another number than this one is known, or nothing has been heard for too long."""
        return self.needed != seq

    async def moved(self, within: float) -> bool:
        """Wait for the listener to hear of a higher number."""
        try:
            await asyncio.wait_for(self._moved.wait(), within)
        except TimeoutError:
            return False
        self._moved.clear()
        return True

    def _hear(self, seq: int) -> None:
        if seq == self._latest:
            return
        if seq < self._latest:  # The database was set back.
            self._database.known_sequence = seq
            self.set_backs += 1
        self._latest = seq
        self._moved.set()

    async def step(self) -> float:
        """Ask for the number, then listen for a while. A connection that fails is dropped, and made anew next
        time; until then replicas tell the number, if there are any.
        """
        try:
            await self._hear_primary()
        except TimeoutError:
            await self.close()
            return self._hear_replicas(PoolTimeout("the database does not say what was published"))
        except DATABASE_FAULTS as fault:
            await self.close()
            return self._hear_replicas(fault)
        except BaseException:
            await self.close()
            raise
        return 0.0

    async def _hear_primary(self) -> None:
        patience = self._database.settings.patience
        if self._latest_of_replicas() is not None:
            patience = min(patience, TRUSTED_FOR)
        # The deadline cuts what does not answer. To cancel it would wait for an answer too.
        async with asyncio.timeout(patience + 1):
            connection = await self._connected()
            asked_at = time.monotonic()
            with self._database.deadlines.within(connection, patience):
                row = await (await connection.execute("SELECT seq FROM published_sequence")).fetchone()
        if row is not None:  # It is gone while a dump is being restored over the store.
            self._heard_at = asked_at
            self._hear(row[0])
        self.is_away = False
        # The text of a notice is not read, because anybody may send one: the number is asked for again.
        async for _ in connection.notifies(timeout=POLL, stop_after=1):
            pass

    def _hear_replicas(self, fault: Exception) -> float:
        """Take the number of the replica that has come farthest, and return the seconds to wait. Raises the
        fault when there is none, or when what is known is not on it.
        """
        seq = self._latest_of_replicas()
        if seq is None or seq < self.known:
            self.is_away = False
            raise fault
        if not self.is_away:
            log.warning("the primary is away: replicas serve readers", fault=fault_of(fault).value)
        self.is_away = True
        self._heard_at = time.monotonic()
        self._hear(seq)
        return LOOKS_AGAIN

    async def _connected(self) -> psycopg.AsyncConnection[tuple[int]]:
        if self._connection is None:
            self._connection = await self._connect(self._database.settings.session_url)
            polls = not await self._listens(self._connection)
            if polls and not self.polls:
                log.warning("no notice comes back: changes are asked for instead", seconds=POLL)
            self.polls = polls
        return self._connection

    async def _connect(self, url: str) -> psycopg.AsyncConnection[tuple[int]]:
        return await psycopg.AsyncConnection.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            application_name="copydesk watch",
            connect_timeout=max(2, round(self._database.settings.patience)),
        )

    async def _listens(self, connection: psycopg.AsyncConnection[tuple[int]]) -> bool:
        """Listen, and tell whether a notice comes back that is sent where this process writes. A pooler may
        have given the connection to others, a standby takes neither, and two addresses may be of two stores.
        """
        within = min(ECHO_WITHIN, self._database.settings.patience / 2)
        try:
            await connection.execute("LISTEN copydesk_published")
            async with (
                asyncio.timeout(within),
                await self._connect(self._database.settings.database_url) as writing,
            ):
                await writing.execute("NOTIFY copydesk_published")
            return [_ async for _ in connection.notifies(timeout=within, stop_after=1)] != []
        except (*DATABASE_FAULTS, TimeoutError):
            if connection.closed:
                raise
            return False

    async def close(self) -> None:
        """Close the connection, which is made anew when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
