"""Read a page that follows from its filter with one prepared statement of the driver's own.

SQLAlchemy takes longer to carry a query out than the database does. It writes the statement once for each
shape of a question, and the values of each question are put into their places.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BindParameter, Dialect, ScalarSelect, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from service.ages import earliest
from service.http.pages import Key, Total
from service.published import store, totals, walks
from service.published.filters import Filter
from service.published.models import Kind
from service.published.reader import DatabaseReader
from service.published.rows import Part
from service.published.store import Listed, Sort
from service.published.terms import SHOWS
from service.published.withdrawn import Gone, until, without
from service.settings import Settings
from service.tables import ANY_LANGUAGE, latest, stored_time

MOST_PLAIN = 50
"""Items of a page that the event loop reads itself: as many as a small page has at the most."""
_TOTAL = 5
"""The place of the total in a row."""
_VALUE, _ID = "\x00", UUID(int=2**128 - 1)
_BEGIN, _END = datetime(1, 1, 2, tzinfo=UTC), datetime(1, 1, 3, tzinfo=UTC)
_BEFORE_ALL, _AFTER_ALL = datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 4, tzinfo=UTC)
LAST = datetime(1, 1, 2, 12, tzinfo=UTC), UUID(int=1)
ANY_LIMIT = 1_000_000
"""Values by which the places of others are found. No question has any of them."""
Written = tuple[Any, Callable[[Any], Any] | None]
"""A name of a value and what makes the driver's of it; or, without that, a value that never changes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a question that its statement depends on."""

    kind: Kind
    field: str | None
    has_begin: bool
    has_end: bool
    has_key: bool
    is_beyond: bool
    """The key lies behind the time on its side, and says more (`Walk.within`)."""
    sort: Sort
    part: Part
    counts: bool


Answered = tuple[Listed, datetime | None]
"""A page, and the time at which it is to be read anew."""


class Question(Protocol):
    """A page that prepared statements read."""

    async def read(self, reader: DatabaseReader) -> Answered | None:
        """Read the page; None when it has to be read in another way."""


@dataclass(frozen=True, slots=True)
class OneStatement:
    """A page that one statement reads."""

    sql: str
    values: Sequence[Any]
    limit: int
    at: datetime
    """A time that is no later than the one among the values."""
    counts: Callable[[int], Total] | None
    """Makes a total of the number that each row has; None: there is none."""

    async def read(self, reader: DatabaseReader) -> Answered | None:
        """Read the page; None when a picture is being withdrawn from articles, and when rows do not tell the
        total.
        """
        rows = await reader.rows(self.sql, self.values)
        if not self.counts:
            return listed(rows, self.limit, self.at)
        if not rows or rows[0][_TOTAL] is None:
            return None
        return listed(rows, self.limit, self.at, total=self.counts(rows[0][_TOTAL]))


def listed(
    rows: Sequence[Sequence[Any]],
    limit: int,
    at: datetime,
    *,
    end: Key | None = None,
    total: Total | None = None,
) -> Answered | None:
    """Return the page that rows are, of which `end` is the last key that was looked at; None when a picture
    is being withdrawn from articles. `at` is a time from before they were read: the page is over at the first
    end of a right after it.
    """
    if rows and rows[0][0]:
        return None
    gone, ends, found = Gone(at), None, rows[:limit]
    documents: list[bytes] = []
    cards: list[bytes | None] = []
    for _, document, card, *_ in found:
        # Few have an end.
        if (until_then := until(card or document, gone)) is not None:
            ends = earliest(ends, until_then)
        documents.append(without(document or b"", gone))
        cards.append(None if card is None else without(card, gone))
    if len(rows) > limit:
        _, _, _, at, id_, *_ = found[-1]
        end = key_of(at, id_)
    ids = tuple(_id(row[4]) for row in found)
    return Listed(documents, cards, end, total, ids), ends


def key_of(at: datetime | str, id_: UUID | str) -> Key:
    """Return the key of a row, as a driver gives it."""
    return stored_time(at).astimezone(UTC), _id(id_)


def ask(
    settings: Settings,
    kind: Kind,
    wanted: Filter,
    sort: Sort,
    after: Sequence[Any] | None,
    limit: int,
    part: Part,
    *,
    counts: bool,
) -> Question | None:
    """Return the question for a page of everybody's; None for one that is not plain, or large."""
    if wanted.language == (ANY_LANGUAGE,):
        wanted = replace(wanted, language=())
    if limit > MOST_PLAIN or sort == "relevance" or not _is_plain(wanted, sort):
        return None
    field, value = next(((name, values[0]) for name, values in walks.parts(wanted)), (None, None))
    begin, end = wanted.published_after, wanted.published_before
    is_beyond = is_beyond_time(wanted, sort, after)
    shape = Shape(
        kind, field, begin is not None, end is not None, after is not None, is_beyond, sort, part, counts
    )
    sql, places = written(shape, is_sqlite=settings.is_sqlite)
    at, id_ = (None, None) if after is None else after
    known = {field or "": value, "begin": begin, "end": end, "at": at, "id": id_, "limit": limit + 1}
    begun = latest()
    values = filled(places, known)
    total = totals.walked_total if totals.counted_names(kind, wanted) is None else Total
    return OneStatement(sql, values, limit, begun, total if counts else None)


def filled(places: Sequence[Written], known: Mapping[str, Any]) -> list[Any]:
    """Return the values for the places of a statement."""
    return [
        place if convert is None else convert(latest() if place == "now" else known[place])
        for place, convert in places
    ]


def _is_plain(wanted: Filter, sort: Sort) -> bool:
    if wanted.q is not None or wanted.updated_after is not None or wanted.language:
        return False
    has_one_value = all(len(values) == 1 for _, values in walks.parts(wanted))
    return has_one_value and store.is_plain(wanted, sort)


@lru_cache(store.MOST_KNOWN)
def written(shape: Shape, *, is_sqlite: bool) -> tuple[str, Sequence[Written]]:
    """Write the statement of a shape, and what goes into each of its places."""
    fields = () if shape.field is None else (shape.field,)
    wanted = asked(fields, has_begin=shape.has_begin, has_end=shape.has_end)
    paged, key = paged_by(wanted, shape.sort, has_key=shape.has_key, is_beyond=shape.is_beyond)
    statement: Select[Any] = store.known(shape.kind, paged, shape.sort, key, ANY_LIMIT, shape.part)
    if shape.counts:
        statement = statement.add_columns(_total(shape, wanted))
    return compiled(statement, is_sqlite=is_sqlite)


def compiled(statement: Select[Any], *, is_sqlite: bool) -> tuple[str, Sequence[Written]]:
    """Write a statement as a driver takes it, and what goes into each of its places."""
    # Neither dialect's constructor has types.
    dialect: Dialect = (
        sqlite.dialect() if is_sqlite else PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    )
    made: Any = statement.compile(dialect=dialect)
    names = {_BEGIN: "begin", _END: "end", ANY_LIMIT + 1: "limit", str(_ID): SHOWS}
    names |= {f"{_VALUE}{field}": field for field in walks.FIELDS}
    names |= {_BEFORE_ALL: "at", _AFTER_ALL: "at", UUID(int=0): "id", LAST[0]: "last_at", LAST[1]: "last_id"}
    return made.string, [_place(made.binds[each], names, dialect) for each in made.positiontup or ()]


def _total(shape: Shape, wanted: Filter) -> ScalarSelect[Any]:
    names = totals.counted_names(shape.kind, wanted)
    return totals.of_walk(shape.kind, wanted) if names is None else totals.of_names(shape.kind, names)


def paged_by(wanted: Filter, sort: Sort, *, has_key: bool, is_beyond: bool) -> tuple[Filter, Key | None]:
    """Return the filter of a page, and the key that it begins after."""
    is_up = sort == "published_at"
    if is_beyond:
        wanted = replace(wanted, published_after=None) if is_up else replace(wanted, published_before=None)
    return wanted, (_BEFORE_ALL if is_up else _AFTER_ALL, UUID(int=0)) if has_key else None


def asked(fields: Sequence[str], *, has_begin: bool, has_end: bool) -> Filter:
    """Return a filter whose values have places."""
    values: dict[str, Any] = {field: (f"{_VALUE}{field}",) for field in fields if field != SHOWS}
    if SHOWS in fields:
        values["image_id"] = (_ID,)
    return Filter(
        **values,
        published_after=_BEGIN if has_begin else None,
        published_before=_END if has_end else None,
    )


def is_beyond_time(wanted: Filter, sort: Sort, after: Sequence[Any] | None) -> bool:
    """Return whether a key lies behind the time on its side, and says more (`Walk.within`)."""
    begin, end = wanted.published_after, wanted.published_before
    return after is not None and (
        (sort == "-published_at" and end is not None and after[0] < end)
        or (sort == "published_at" and begin is not None and after[0] > begin)
    )


def _place(bind: BindParameter[Any], names: dict[Any, str], dialect: Dialect) -> Written:
    convert = bind.type.dialect_impl(dialect).bind_processor(dialect) or _same
    if bind.callable is not None:
        return "now", convert
    name = names.get(bind.value) if isinstance(bind.value, Hashable) else None
    return (convert(bind.value), None) if name is None else (name, convert)


def _same(value: Any) -> Any:
    return value


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
