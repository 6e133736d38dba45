"""Trace the questions of a reader, which go past the engines that are traced by themselves."""

from service import tracing
from service.published.answers import Row
from service.published.models import Kind
from service.published.reader import Changes, DatabaseReader, Record, Values


class TracedReader:
    """A reader each of whose questions is a span."""

    def __init__(self, reader: DatabaseReader) -> None:
        self._reader = reader

    @property
    def answered_at(self) -> float:
        """Return when the database answered last."""
        return self._reader.answered_at

    @property
    def connections(self) -> int:
        """Return how many connections are open."""
        return self._reader.connections

    async def open(self) -> None:
        """Open the reader."""
        await self._reader.open()

    async def close(self) -> None:
        """Close the reader."""
        await self._reader.close()

    async def find(self, kind: Kind, key: str) -> Row | None:
        """Read one published resource."""
        with tracing.reading(f"published {kind}"):
            return await self._reader.find(kind, key)

    async def seq(self) -> int:
        """Return the number of the last public change."""
        with tracing.reading("published_sequence"):
            return await self._reader.seq()

    async def changes(self, since: int) -> tuple[int, Changes]:
        """Return the number of the last public change, and the changes since a number."""
        with tracing.reading("published since"):
            return await self._reader.changes(since)

    async def rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement."""
        with tracing.reading(statement):
            return await self._reader.rows(statement, values)

    async def brief_rows(self, statement: str, values: Values = ()) -> list[Record]:
        """Return all rows of a statement. Raises TakesLong."""
        with tracing.reading(statement):
            return await self._reader.brief_rows(statement, values)
