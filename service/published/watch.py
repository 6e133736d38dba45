"""Whether anything public has changed: at once on SQLite, within a second on PostgreSQL however many processes write."""

import asyncio
import time
from typing import Protocol

import psycopg
import structlog

from service.database import Database
from service.published.reader import SqliteReader

TRUSTED_FOR = 1.0
"""Seconds for which PostgreSQL's last word is believed; after that, every answer asks it first until it is heard again."""
POLL = 0.4
log = structlog.get_logger()


class Watch(Protocol):
    """Tells the wire cache when to look for changes."""

    def changed(self, seq: int) -> bool:
        """Whether something may have changed since this number. Asked before every cached answer, so it must be cheap."""

    async def run(self) -> None:
        """Listen until cancelled."""


class SqliteWatch:
    """`PRAGMA data_version`: costs two microseconds and misses nothing, whoever writes."""

    def __init__(self, reader: SqliteReader) -> None:
        self._reader = reader
        self._version = -1

    def changed(self, seq: int) -> bool:
        """Whether anybody has committed since this was last asked."""
        version = self._reader.data_version()
        if version == self._version:
            return False
        self._version = version
        return True

    async def run(self) -> None:
        """Nothing to listen to."""


class PostgresWatch:
    """LISTEN for the number that each publishing transaction notifies, with polling behind it; own commits count at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest = -1
        self._heard_at = 0.0

    def changed(self, seq: int) -> bool:
        """Whether a number above this one is known, or nothing has been heard for too long."""
        known = max(self._latest, self._database.known_sequence)
        return known > seq or time.monotonic() - self._heard_at > TRUSTED_FOR

    async def run(self) -> None:
        """Listen; connect again when the connection is lost."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as fault:
                log.warning("published watch lost its connection", fault=type(fault).__name__)
                await asyncio.sleep(POLL)

    async def _listen(self) -> None:
        url = self._database.settings.database_url
        async with await psycopg.AsyncConnection.connect(url, autocommit=True, application_name="copydesk watch") as connection:
            await connection.execute("LISTEN copydesk_published")
            while True:
                asked_at = time.monotonic()
                row = await (await connection.execute("SELECT seq FROM published_sequence")).fetchone()
                assert row is not None
                self._latest, self._heard_at = max(self._latest, row[0]), asked_at
                async for notice in connection.notifies(timeout=POLL, stop_after=1):
                    self._latest = max(self._latest, int(notice.payload))
