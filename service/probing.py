"""Check within a second whether the database, the media store and the other needs of the service are there.

A probe uses no connection, thread or lock that requests wait for: it has a connection of its own to the
database, and a thread of its own for the media store. A probe that hangs is left behind, and the next one
waits for it.
"""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import psycopg
from anyio import CapacityLimiter, to_thread
from psycopg_pool import PoolTimeout

from service.faults import DATABASE_FAULTS
from service.images.storage import MediaStore, MediaUnavailable
from service.published.reader import DatabaseReader
from service.schema import compare
from service.settings import Settings

DEADLINE = 0.7
"""Seconds that a probe is waited for."""
GOOD_FOR = 1.0
"""Seconds for which an answer is given again."""
BUSY_FOR = 5.0
"""Seconds without any answer to a reader, after which busy connections count as lost ones."""
_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a probe: "ok", or the fault, and whether the service can work with it."""

    said: str
    is_good: bool


class Probe:
    """A check that is made at most once a second, and by one caller at a time."""

    def __init__(self, ask: Callable[[], Awaitable[Found]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[Found] | None = None
        self._found = Found("not asked yet", is_good=False)
        self._asked_at = float("-inf")

    async def find(self) -> Found:
        """Return what was found within the last second, or ask."""
        if time.monotonic() - self._asked_at < GOOD_FOR:
            return self._found
        if self._asking is None:
            self._asking = asyncio.create_task(self._asked())
        asking = self._asking  # Whoever waits for the same answer may go on first.
        done, _ = await asyncio.wait([asking], timeout=DEADLINE)
        return asking.result() if done else Found("unreachable: no answer within a second", is_good=False)

    async def _asked(self) -> Found:
        try:
            self._found = await self._ask()
            self._asked_at = time.monotonic()
        finally:
            self._asking = None
        return self._found

    def close(self) -> None:
        """Abandon a probe that hangs."""
        if self._asking is not None:
            self._asking.cancel()


class Health:
    """The probes of one process."""

    def __init__(self, settings: Settings, reader: DatabaseReader, store: MediaStore) -> None:
        self._settings = settings
        self._reader = reader
        self._store = store
        self._connection: psycopg.AsyncConnection[tuple[str]] | None = None
        # A store that hangs keeps this thread, and no other.
        self._thread = CapacityLimiter(1)
        self.database = Probe(self._ask_database)
        self.readers = Probe(self._ask_reader)
        self.media = Probe(self._ask_media)

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return 0 if self._connection is None else 1

    async def _ask_database(self) -> Found:
        """Ask for the schema, on a connection that nobody else uses."""
        try:
            schema, _ = compare(await self._revision())
        except DATABASE_FAULTS as fault:
            await self._drop()
            return Found(f"unreachable: {type(fault).__name__}", is_good=False)
        return Found(str(schema), is_good=schema.can_serve)

    async def _revision(self) -> str | None:
        if self._settings.is_sqlite:
            return self._revision_of_file()
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._settings.database_url,
                autocommit=True,
                application_name="copydesk health",
                prepare_threshold=None if self._settings.is_pooled else 5,
                connect_timeout=2,
            )
        try:
            row = await (await self._connection.execute(_REVISION)).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
        return None if row is None else row[0]

    def _revision_of_file(self) -> str | None:
        # Read only, so that a file that is gone is not made anew.
        address = f"{self._settings.sqlite_path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=0)
        try:
            row = connection.execute(_REVISION).fetchone()
        finally:
            connection.close()
        return None if row is None else row[0]

    async def _ask_reader(self) -> Found:
        """Ask through the connections that readers use. That all of them are busy for a while is no fault."""
        try:
            await self._reader.seq()
        except PoolTimeout:
            if time.monotonic() - self._reader.answered_at < BUSY_FOR:
                return Found("busy", is_good=True)
            return Found("unreachable: no connection comes free", is_good=False)
        except DATABASE_FAULTS as fault:
            return Found(f"unreachable: {type(fault).__name__}", is_good=False)
        return Found("ok", is_good=True)

    async def _ask_media(self) -> Found:
        try:
            await to_thread.run_sync(self._store.probe, limiter=self._thread)
        except MediaUnavailable as fault:
            return Found(f"unavailable: {fault.detail}", is_good=False)
        return Found("ok", is_good=True)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def close(self) -> None:
        """Abandon every probe, and close the connection."""
        for probe in (self.database, self.readers, self.media):
            probe.close()
        await self._drop()
