"""The shortest way from an address to the bytes of its answer: one prepared read, in the event loop, without
the ORM.

On SQLite the read takes microseconds and runs in the loop on a connection of its own; on PostgreSQL it goes
through psycopg's async pool. The reader also knows whether anything public has changed: `PRAGMA data_version`
on a connection that does nothing else (it ignores the asking connection's own writes), or the counter row.
"""

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from service.deadlines import Deadlines
from service.faults import Fault, fault_of
from service.published.answers import Row, id_of, shown
from service.published.masked import masked
from service.published.models import Kind
from service.published.together import Together
from service.published.withdrawn import PICTURES_SQL, WAITING_SQL, Gone, by_id
from service.settings import Settings
from service.tables import stored_time

Changes = list[tuple[str, str, str | None, int, str | None]]
"""Kind, id in hex, reason of the removal, number, and the lists that the resource has moved in
(`moves.write`).
"""
Record = tuple[Any, ...]
"""A row whose columns the statement names; the drivers know nothing of their types."""
Values = Sequence[Any]
"""Values for the places of a statement, as the driver takes them."""
MANY = 1_000
"""More changes than this are not told apart: everything is taken as changed."""
STALLS_AFTER = 0.75
"""Seconds without an answer to anybody, after which nobody waits for a connection any longer."""
BREATH = 0.05
"""Seconds in which a process that had no time reads the answers that have come, before it refuses anybody."""
STEPS, MOST_TIMES = 10_000, 25
"""Steps of SQLite's machine, and how often a read may keep the event loop for so many: a few milliseconds."""
_COLUMNS = (
    "p.id, p.version, p.reason, p.detail, p.etag, p.document, p.slug, p.expires_at, p.good_until,"
    f" {WAITING_SQL}"
)
_OF_SLUG = "FROM published_slug s JOIN published p ON p.kind = 'article' AND p.id = s.article_id WHERE s.slug"
_BY_ID = f"SELECT {_COLUMNS} FROM published p WHERE p.kind = ? AND p.id = ?"
_BY_SLUG = f"SELECT {_COLUMNS} {_OF_SLUG} = ?"
_MANY_BY_ID = f"SELECT p.id AS asked, {_COLUMNS} FROM published p WHERE p.kind = %s AND p.id = ANY(%s)"
_MANY_BY_SLUG = f"SELECT s.slug AS asked, {_COLUMNS} {_OF_SLUG} = ANY(%s)"
SEQ = "SELECT seq FROM published_sequence"
_CHANGES = f"SELECT kind, id, reason, seq, moves FROM published WHERE seq > %s ORDER BY seq LIMIT {MANY + 1}"
_NUMBER_AND_CHANGES = (
    f"SELECT s.seq AS last, p.* FROM published_sequence s LEFT JOIN LATERAL ({_CHANGES}) p ON true"
)


class TakesLong(Exception):
    """A read would keep the event loop for long."""


class _Question(NamedTuple):
    """A question to PostgreSQL about several keys, which are ids or else slugs. `is_numbered` asks for the
    number of the last change, too.
    """

    kind: Kind
    by_id: bool
    is_numbered: bool

    def statement(self, keys: Sequence[str | UUID]) -> tuple[str, Sequence[Any]]:
        """Return the statement and its values."""
        statement = _MANY_BY_ID if self.by_id else _MANY_BY_SLUG
        if self.is_numbered:
            statement = f"SELECT s.seq, q.* FROM published_sequence s LEFT JOIN ({statement}) q ON true"
        return statement, (self.kind.value, list(keys)) if self.by_id else (list(keys),)


def _row(kind: Kind, record: Record, gone: Gone | None) -> Row:
    """Make the row that was found, without pictures that have gone."""
    id_, version, reason, detail, etag, document, slug, expires_at, good_until, _ = record
    return shown(
        Row(
            kind,
            UUID(id_) if isinstance(id_, str) else id_,
            version,
            reason,
            detail,
            etag,
            document,
            slug,
            None if expires_at is None else stored_time(expires_at),
            None if good_until is None else stored_time(good_until),
        ),
        gone,
    )


def _session(settings: Settings) -> dict[str, str | None]:
    """Return the connection options of the reader. Behind a pooler statements are not prepared, because the
    next statement may run on another connection, and no option is sent, because the pooler drops it.
    """
    if settings.is_pooled:
        return {"prepare_threshold": None}
    # No table is scanned (`engines.postgres_engine`), and no plan of a few rows is worth a compiler.
    limits = {
        "statement_timeout": f"{1000 * settings.patience:.0f}ms",
        "enable_seqscan": "off",
        "jit": "off",
    }
    return {"options": " ".join(f"-c {name}={value}" for name, value in limits.items())}


def _mask(key: str, *, is_mirror: bool) -> str | None:
    """Return the name under which a mirror keeps the slug of a removed article."""
    return masked(key) if is_mirror and id_of(key) is None else None


class DatabaseReader(Protocol):
    """The questions of the wire cache to a database. `answered_at` is when the database last answered, in
    monotonic seconds; `connections` are open.
    """

    @property
    def answered_at(self) -> float: ...

    @property
    def connections(self) -> int: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def find(self, kind: Kind, key: str) -> Row | None:
        """Read one published resource by its id, or an article by a slug."""

    async def seq(self) -> int:
        """Return the number of the last public change."""

    async def changes(self, since: int) -> tuple[int, Changes]:
        """Return the number of the last public change, and the changes since a number; at most `MANY` + 1."""

    async def rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement whose places for values are written `%s`, as the
        driver gives them.
        """

    async def brief_rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement. Raises TakesLong."""


class SqliteReader:
    """Reads in the event loop: a row takes less time than handing it to a thread."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.sqlite_path
        self._is_mirror = settings.mirror_of is not None
        self.answered_at = float("-inf")
        self._read: sqlite3.Connection | None = None
        self._watch: sqlite3.Connection | None = None

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return 0 if self._read is None else 2

    async def open(self) -> None:
        """Open both connections."""
        self._read, self._watch = self._connect(), self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA query_only=ON")
        # As much of the file as SQLite maps at the most: what is not mapped is read page by page, of which a
        # document has seven.
        connection.execute("PRAGMA mmap_size=2147418112")
        return connection

    async def close(self) -> None:
        """Close both connections."""
        for connection in (self._read, self._watch):
            if connection is not None:
                connection.close()

    def data_version(self) -> int:
        """Return a number that differs when anybody has committed since it was last asked."""
        assert self._watch is not None
        version: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return version

    async def find(self, kind: Kind, key: str) -> Row | None:
        """Read one published resource."""
        row = self._find(kind, key)
        if row is None and (mask := _mask(key, is_mirror=self._is_mirror)):
            return self._find(kind, mask)
        return row

    def _find(self, kind: Kind, key: str) -> Row | None:
        assert self._read is not None
        id_ = id_of(key)
        statement = (_BY_SLUG, (key,)) if id_ is None else (_BY_ID, (kind.value, id_.hex))
        found, gone = self._read.execute(*statement).fetchall(), None
        if found and found[0][-1]:
            gone = by_id(self._read.execute(PICTURES_SQL).fetchall())
            found = self._read.execute(*statement).fetchall()
        return _row(kind, found[0], gone) if found else None

    async def seq(self) -> int:
        """Return the number of the last public change."""
        assert self._read is not None
        number: int = self._read.execute(SEQ).fetchone()[0]
        return number

    async def changes(self, since: int) -> tuple[int, Changes]:
        """Return the number of the last public change, and the changes since a number."""
        seq = await self.seq()
        return seq, [] if seq == since else await self.rows(_CHANGES, (since,))

    async def rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement."""
        assert self._read is not None
        return self._read.execute(statement.replace("%s", "?"), values).fetchall()

    async def brief_rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement. Raises TakesLong."""
        assert self._read is not None
        times = count()  # SQLite counts on when a statement is carried out again, so that the first is short.
        self._read.set_progress_handler(lambda: next(times) >= MOST_TIMES, STEPS)
        try:
            return await self.rows(statement, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise TakesLong from None
        finally:
            self._read.set_progress_handler(None, 0)


class PostgresReader:
    """Reads through psycopg's async pool, with prepared statements, in PostgreSQL's binary form: a document
    as text is twice as long.
    """

    def __init__(self, settings: Settings, deadlines: Deadlines) -> None:
        self.answered_at = float("-inf")
        self._is_mirror = settings.mirror_of is not None
        self._most = settings.database_pool_size
        self._patience = settings.patience
        self._deadlines = deadlines
        self._prepares = not settings.is_pooled
        self._asking = 0
        self._asked_since = float("-inf")
        self._together = Together(self._find_all)
        self._pool = AsyncConnectionPool(
            settings.database_url,
            min_size=1,
            max_size=self._most,
            open=False,
            reconnect_timeout=1,
            kwargs={
                "autocommit": True,
                "application_name": "copydesk reader",
                "connect_timeout": max(2, round(self._patience)),
                **_session(settings),
            },
        )

    @property
    def connections(self) -> int:
        """Return how many connections are open or being made."""
        return self._pool.get_stats().get("pool_size", 0)

    async def open(self, *, waits: bool = True) -> None:
        """Start the pool, with its first connection made: one that is still being made when the pool closes
        is never closed.
        """
        await self._pool.open(wait=waits, timeout=10)

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()

    async def find(self, kind: Kind, key: str) -> Row | None:
        """Read one published resource."""
        _, row = await self._find(kind, key)
        if row is None and (mask := _mask(key, is_mirror=self._is_mirror)):
            _, row = await self._find(kind, mask)
        return row

    async def find_at(self, kind: Kind, key: str) -> tuple[int, Row | None]:
        """Read one published resource, and the number that was the last when it was read."""
        seq, row = await self._find(kind, key, is_numbered=True)
        if row is None and (mask := _mask(key, is_mirror=self._is_mirror)):
            return await self._find(kind, mask, is_numbered=True)
        return seq, row

    async def _find(self, kind: Kind, key: str, *, is_numbered: bool = False) -> tuple[int, Row | None]:
        id_ = id_of(key)
        question = _Question(kind, id_ is not None, is_numbered)
        return await self._together.find(question, key if id_ is None else id_)

    async def _find_all(
        self, question: _Question, keys: Sequence[str | UUID]
    ) -> Mapping[str | UUID, tuple[int, Row | None]]:
        """Find the rows of some keys, each with the number that was the last when it was read."""
        statement = question.statement(keys)
        found, gone = await self._rows(*statement), None
        if any(record[-1] for record in found):
            gone = by_id(await self.rows(PICTURES_SQL))
            found = await self._rows(*statement)
        seq = -1  # The number is gone while a dump is being restored over the store.
        if question.is_numbered:
            seq = found[0][0] if found else -1
            found = [record[1:] for record in found if record[1] is not None]
        rows = {asked: _row(question.kind, tuple(record), gone) for asked, *record in found}
        return {key: (seq, rows.get(key)) for key in keys}

    async def seq(self) -> int:
        """Return the number of the last public change."""
        ((number,),) = await self.rows(SEQ)
        assert isinstance(number, int)
        return number

    async def changes(self, since: int) -> tuple[int, Changes]:
        """Return the number of the last public change, and the changes since a number: in one question,
        because readers wait for it.
        """
        found = await self.rows(_NUMBER_AND_CHANGES, (since,))
        # The number is gone while a dump is being restored over the store.
        seq = found[0][0] if found else -1
        return seq, [(kind, id_.hex, *rest) for _, kind, id_, *rest in found if kind is not None]

    async def rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement."""
        return await self._rows(statement, values)

    async def brief_rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement: the event loop does not wait for them."""
        return await self._rows(statement, values)

    async def _rows(self, statement: str, values: Values) -> list[Record]:
        # A connection may have died while nobody used it, and with it all others. To check each before it is
        # used would be a question more every time.
        until, tries = time.monotonic() + self._patience, 1 + self._most
        while True:
            tries -= 1
            try:
                return await self._ask(statement, values)
            except PoolTimeout:
                raise
            except psycopg.OperationalError as error:
                if fault_of(error) is not Fault.AWAY or not tries or time.monotonic() > until:
                    raise

    async def _ask(self, statement: str, values: Values) -> list[Record]:
        if self._is_stalled():
            # Answers may be there already, if it was this process that had no time.
            await asyncio.sleep(BREATH)
            if self._is_stalled():
                raise PoolTimeout("nobody has been answered lately")
        self._asking += 1
        if self._asking == 1:
            self._asked_since = time.monotonic()
        try:
            return await self._answer(statement, values)
        finally:
            self._asking -= 1

    def _is_stalled(self) -> bool:
        """Return whether no connection is free and no query has been answered for `STALLS_AFTER`, so that
        waiting is useless.
        """
        since = max(self.answered_at, self._asked_since)
        if not self._asking or time.monotonic() <= since + STALLS_AFTER:
            return False
        return not self._pool.get_stats()["pool_available"]

    async def _answer(self, statement: str, values: Values) -> list[Record]:
        until = time.monotonic() + min(3, self._patience)
        while True:
            try:
                async with self._pool.connection(timeout=STALLS_AFTER) as connection:
                    with self._deadlines.within(connection, self._patience):
                        found = await (
                            await connection.execute(statement, values, prepare=self._prepares, binary=True)
                        ).fetchall()
            except PoolTimeout:
                await asyncio.sleep(BREATH)
                if time.monotonic() > min(self.answered_at + STALLS_AFTER, until):
                    raise
            else:
                self.answered_at = time.monotonic()
                return found
