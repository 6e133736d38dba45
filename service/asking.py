"""Ask what a job waits for through a session, where the reader in the event loop is for those who read alone.

A question of PostgreSQL's reader waits for its pool while the server is away. The pool tries again later and
later, and its readers are refused at once meanwhile, because others wait already.
"""

from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool

from service.database import Database


class SessionAnswering:
    """Answers one short question in a session of its own, in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rows(self, statement: str, values: Sequence[str | int] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a statement in the driver's own words."""
        return await run_in_threadpool(self._rows, statement, tuple(values))

    def _rows(self, statement: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        with self._database.reading() as session:
            found = session.connection().exec_driver_sql(statement, values or None)
            return [tuple(row) for row in found]
