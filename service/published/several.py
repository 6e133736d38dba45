"""Read a page by several filters with prepared statements. It is walked along the filter that the fewest
articles meet, and no further than a bound, as `walks` does in a session.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Select, and_, or_, select
from sqlmodel import col

from service.http import pages
from service.http.pages import Total
from service.published import plain, rows, store, totals, walks
from service.published.filters import Filter
from service.published.models import Kind, Published, PublishedName
from service.published.plain import Answered, Written
from service.published.reader import DatabaseReader, TakesLong
from service.published.rows import Part
from service.published.store import Sort
from service.published.terms import SHOWS
from service.settings import Settings
from service.tables import latest

Step = Literal["names", "last two", "count", "whole page", "page up to a key"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a question that its statements depend on."""

    fields: tuple[str, ...]
    has_begin: bool
    has_end: bool
    has_key: bool
    is_beyond: bool
    sort: Sort
    part: Part


@dataclass(frozen=True, slots=True)
class Several:
    """A page of articles by several filters, each of one value."""

    shape: Shape
    known: Mapping[str, Any]
    limit: int
    counts: bool
    is_sqlite: bool

    async def read(self, reader: DatabaseReader) -> Answered | None:
        """Read the page; None when a picture is being withdrawn from articles, and when more articles than
        are counted meet the filter that is walked along.
        """
        try:
            return await self._read(reader)
        except TakesLong:
            return None

    async def _read(self, reader: DatabaseReader) -> Answered | None:
        fields, begun = self.shape.fields, latest()
        counts = {(field, value): count for field, value, count in await self._rows(reader, "names")}
        walked, _ = walks.rarest(counts, [(field, (self.known[field],)) for field in fields])
        total = None
        if self.counts:
            ((fits, entries),) = await self._rows(reader, "count", walked)
            if entries > totals.MOST_COUNTED:
                return None
            total = Total(fits or 0)
        lasts = await self._rows(reader, "last two", walked)
        if len(lasts) < 2:
            found = await self._rows(reader, "whole page", walked)
            return plain.listed(found, self.limit, begun, total=total)
        at, id_ = end = plain.key_of(*lasts[0])
        found = await self._rows(reader, "page up to a key", walked, last_at=at, last_id=id_)
        return plain.listed(found, self.limit, begun, end=end, total=total)

    async def _rows(
        self, reader: DatabaseReader, step: Step, walked: str = "", **known: Any
    ) -> list[tuple[Any, ...]]:
        sql, places = written(self.shape, step, walked, is_sqlite=self.is_sqlite)
        return await reader.brief_rows(sql, plain.filled(places, {**self.known, **known}))


def ask(
    settings: Settings,
    wanted: Filter,
    sort: Sort,
    after: Sequence[Any] | None,
    limit: int,
    part: Part,
    *,
    counts: bool,
) -> Several | None:
    """Return the question for a page of articles for everybody; None for one that is large, or asks for a
    language, for words, for several values of one filter, or for an order by update.
    """
    parts = walks.parts(wanted)
    is_asked = len(parts) > 1 and all(len(values) == 1 for _, values in parts)
    is_by_time = sort in ("-published_at", "published_at") and wanted.updated_after is None
    if not (is_asked and is_by_time) or wanted.language or wanted.q is not None or limit > plain.MOST_PLAIN:
        return None
    begin, end = wanted.published_after, wanted.published_before
    is_beyond = plain.is_beyond_time(wanted, sort, after)
    fields = tuple(field for field, _ in parts)
    shape = Shape(fields, begin is not None, end is not None, after is not None, is_beyond, sort, part)
    at, id_ = (None, None) if after is None else after
    known: dict[str, Any] = {field: values[0] for field, values in parts}
    known |= {"begin": begin, "end": end, "at": at, "id": id_, "limit": limit + 1}
    return Several(shape, known, limit, counts, settings.is_sqlite)


@lru_cache(store.MOST_KNOWN)
def written(shape: Shape, step: Step, walked: str, *, is_sqlite: bool) -> tuple[str, Sequence[Written]]:
    """Write a statement of a shape, and what goes into each of its places."""
    wanted = plain.asked(shape.fields, has_begin=shape.has_begin, has_end=shape.has_end)
    return plain.compiled(_statement(shape, step, walked, wanted), is_sqlite=is_sqlite)


def _statement(shape: Shape, step: Step, walked: str, wanted: Filter) -> Select[Any]:
    parts = dict(walks.parts(wanted))
    if step == "names":
        return _counts([(field, values[0]) for field, values in parts.items() if field != SHOWS])
    if step == "count":
        ways = walks.of_part(Kind.ARTICLE, wanted, (walked, parts[walked]))
        return walks.counting(ways, totals.MOST_COUNTED)
    paged, key = plain.paged_by(wanted, shape.sort, has_key=shape.has_key, is_beyond=shape.is_beyond)
    (way,) = walks.of_part(Kind.ARTICLE, paged, (walked, parts[walked]))
    descending = shape.sort != "published_at"
    if step == "last two":
        return walks.last_two(way, key, pages.MOST_READ, descending=descending)
    last = plain.LAST if step == "page up to a key" else None
    ids = walks.ids([way], key, plain.ANY_LIMIT, last, descending=descending)
    order: list[Any] = [col(Published.published_at), col(Published.id)]
    statement = rows.reading(shape.part, *order)
    statement = statement.where(col(Published.kind) == Kind.ARTICLE, col(Published.id).in_(ids))
    return pages.after(statement, order, key, plain.ANY_LIMIT, descending=descending)


def _counts(asked: Sequence[tuple[str, str]]) -> Select[Any]:
    """Select how many articles have each of some names. For a list of pairs, SQLite would use no index."""
    columns: Sequence[Any] = (PublishedName.field, PublishedName.value, PublishedName.count)
    named = (
        and_(col(PublishedName.field) == field, col(PublishedName.value) == value) for field, value in asked
    )
    return select(*columns).where(or_(*named))
