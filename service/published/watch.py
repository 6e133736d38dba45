"""Return whether anything public has changed: at once on SQLite, within a second on PostgreSQL however many
processes write.
"""

import asyncio
import time
from typing import Protocol

import psycopg
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.database import Database
from service.published.reader import SqliteReader

TRUSTED_FOR = 1.0
"""Seconds for which PostgreSQL's last word is believed; after that, every answer asks it first until it is
heard again.
"""
POLL = 0.4
TICK = 0.02


class Watch(Protocol):
    """Tells the wire cache when to look for changes."""

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

    def __init__(self, reader: SqliteReader, database: Database) -> None:
        self._reader = reader
        self._database = database
        self._version = -1
        self._trusted_until = 0.0
        self._heard = -1

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

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest = -1
        self._heard_at = 0.0
        self._moved = asyncio.Event()
        self._connection: psycopg.AsyncConnection[tuple[int]] | None = None

    def changed(self, seq: int) -> bool:
        """Return whether another number than this one is known, or nothing has been heard for too long."""
        known = max(self._latest, self._database.known_sequence)
        return known != seq or time.monotonic() - self._heard_at > TRUSTED_FOR

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
        self._latest = seq
        self._moved.set()

    async def step(self) -> float:
        """Ask for the number, then listen for a while. A connection that fails is dropped, and made anew next
        time.
        """
        try:
            async with asyncio.timeout(self._database.settings.patience):
                connection = await self._connected()
                asked_at = time.monotonic()
                row = await (await connection.execute("SELECT seq FROM published_sequence")).fetchone()
            if row is not None:  # It is gone while a dump is being restored over the store.
                self._heard_at = asked_at
                self._hear(row[0])
            # What a notice says is not read, because anybody may send one: the number is asked for again.
            async for _ in connection.notifies(timeout=POLL, stop_after=1):
                pass
        except TimeoutError:
            await self.close()
            raise PoolTimeout("the database does not say what was published") from None
        except BaseException:
            await self.close()
            raise
        return 0.0

    async def _connected(self) -> psycopg.AsyncConnection[tuple[int]]:
        if self._connection is None:
            settings = self._database.settings
            self._connection = await psycopg.AsyncConnection.connect(
                settings.database_url,
                autocommit=True,
                application_name="copydesk watch",
                connect_timeout=max(2, round(settings.patience)),
            )
            await self._connection.execute("LISTEN copydesk_published")
        return self._connection

    async def close(self) -> None:
        """Close the connection, which is made anew when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
