"""Read the rows of one short statement where no session is open: to find a token, or to see what waits."""

from collections.abc import Sequence
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool

from service.database import Database


class RowReader(Protocol):
    """Reads rows. The database reader of a running service fulfils this in the event loop."""

    async def rows(self, statement: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]: ...


class SessionRowReader:
    """Reads rows in a session of its own, in a thread.

    Jobs on PostgreSQL use it. While the server is away, the pool of the database reader connects again at
    growing intervals, and refuses further callers at once because others wait already.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, statement: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement, which is written for the driver."""
        return await run_in_threadpool(self._rows, statement, tuple(values))

    def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        with self._database.reading() as session:
            found = session.connection().exec_driver_sql(statement, values or None)
            return [tuple(row) for row in found]
