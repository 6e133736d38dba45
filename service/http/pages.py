"""Lists: opaque keyset cursors that survive inserts and deletes, `Page` answers, and `Link` headers (RFC
8288).

A cursor holds the sort key of the last item of a page and the fingerprint of the list (its path and filters)
that it was made for. It is not a secret and not signed: a made-up one can only name a place in a list that
the caller may read anyway.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError, WithJsonSchema
from sqlalchemy import Boolean, ColumnElement, Select, func, literal, or_, select, true, tuple_
from sqlalchemy.orm import Mapped
from sqlmodel.sql.expression import SelectOfScalar

from service.database import Session
from service.errors import BadRequest
from service.http import conditional, sparse
from service.services import service
from service.settings import Settings
from service.tables import ANY_LANGUAGE, WHOLE, LanguageRange, Time

Limit = Annotated[int, Query(ge=1, le=200, description="how many items a page holds at the most"), WHOLE]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="where the page begins: taken from `next`, never made up")
]
Fields = Annotated[
    str | None,
    Query(
        max_length=1000,
        # No example, because an answer without some members does not fit the schema in the document.
        description="only these members, with commas between, such as `headline,lead_image.renditions.href`",
    ),
]
MOST_READ = 2_000
"""Entries of an index that a list reads for a page. A page for which this is too few is short, and its `next`
leads on.
"""
MOST_VALUES = 20
"""Values of one filter: a list reads a page for each of them."""
Several = Annotated[
    list[str] | None, Query(max_length=MOST_VALUES, description="given several times: any of these")
]
Ids = Annotated[
    list[UUID] | None, Query(max_length=MOST_VALUES, description="given several times: any of these")
]
Languages = Annotated[
    list[LanguageRange] | None,
    Query(
        max_length=MOST_VALUES,
        description="language ranges (RFC 4647): `zh` finds `zh-Hans`; given several times: any of these",
        examples=[["en"]],
    ),
]
_A_DATE = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}
After = Annotated[
    Time,
    BeforeValidator(lambda value: _day(value, inclusive=True)),
    WithJsonSchema(_A_DATE),
    Query(description="a time; or a date, which stands for all from its first moment on, in UTC"),
]
Before = Annotated[
    Time,
    BeforeValidator(lambda value: _day(value, inclusive=False)),
    WithJsonSchema(_A_DATE),
    Query(description="a time; or a date, which stands for its first moment, in UTC"),
]
Count = Annotated[bool, Query(description="add `total`, the number of items on all pages")]
Item = TypeVar("Item")
Row = TypeVar("Row")
Shaped = TypeVar("Shaped")
Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])
Key = tuple[Any, ...]
"""The values of a row by which a list is sorted; the database's columns know their types."""
Order = Sequence[Any]
"""SQL columns: those of SQLModel's `col()` and expressions have no type in common."""
_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d\s*")
Column = Mapped[str] | Mapped[str | None] | ColumnElement[str] | ColumnElement[str | None]
_NOT_A_FILTER = frozenset({"cursor", "limit", "fields", "count"})


def _is_absent(value: object) -> bool:
    return value is None


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The parameters that every list takes."""

    limit: Limit = 20
    cursor: Cursor = None
    fields: Fields = None
    count: Count = False


ListRequestDep = Annotated[ListRequest, Depends()]


@dataclass(frozen=True, slots=True)
class Total:
    """The number of items on all pages of a list; it may have more of them where this is a minimum."""

    number: int
    is_minimum: bool = False


class BadCursor(BadRequest):
    """The cursor was not made by this service for this list with these filters. Start again without it."""

    title = "Unknown cursor"


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(
        description="the address of the next page", examples=["/v1/articles?cursor=WyJhIl0"]
    )
    cursor: str | None = Field(description="the `cursor` in that address", examples=["WyJhIl0"])
    total: int | None = Field(None, description="with `count=true`", exclude_if=_is_absent)
    total_is_minimum: bool | None = Field(
        None,
        description=(
            "true: there are at least so many, and more were not counted; absent where `total` is exact"
        ),
        exclude_if=_is_absent,
    )


def _day(value: object, *, inclusive: bool) -> object:
    """Take a date for the time at which its day begins in UTC, or for the last one before that."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return value
    try:
        begins = datetime.combine(date.fromisoformat(value.strip()), time(), UTC)
        return begins - timedelta(microseconds=1) if inclusive else begins
    except (ValueError, OverflowError):
        return value


def in_ranges(language: Column, ranges: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a column's language is in one of some ranges."""
    if ANY_LANGUAGE in ranges:
        return true()
    return or_(*(part for each in ranges for part in (language == each, language.startswith(f"{each}-"))))


def one_of(column: Column, values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a column has one of some values."""
    return column == values[0] if len(values) == 1 else column.in_(values)


def after(
    statement: Statement, order: Order, key: Sequence[object] | None, limit: int, *, descending: bool = True
) -> Statement:
    """Narrow a SELECT to one page and one row more, by which to tell that there is a next: sorted by `order`,
    after `key`.

    `order` are columns, the last one unique. The comparison is one of row values: its expansion with OR made
    PostgreSQL read 500,000 rows to find a page's first.
    """
    if key is not None:
        place, start = tuple_(*order), _literal(order, key)
        statement = statement.where(place < start if descending else place > start)
    return statement.order_by(*(column.desc() if descending else column.asc() for column in order)).limit(
        limit + 1
    )


def last_two(
    statement: Statement, order: Order, key: Sequence[object] | None, most: int, *, descending: bool
) -> Statement:
    """Narrow a SELECT to the last of the first `most` rows after `key`, and the one behind it: none where
    there are fewer rows.
    """
    return after(statement, order, key, 1, descending=descending).offset(most - 1)


def up_to(order: Order, key: Key, *, descending: bool) -> ColumnElement[bool]:
    """Return the condition that a row does not come behind a key."""
    place, end = tuple_(*order), _literal(order, key)
    return place >= end if descending else place <= end


def is_more_than(session: Session, statement: Select[*tuple[Any, ...]], most: int) -> bool:
    """Return whether a SELECT finds more than `most` rows, without reading more of them."""
    return session.execute(statement.limit(1).offset(most)).first() is not None


def _literal(order: Order, key: Sequence[object]) -> ColumnElement[Any]:
    return tuple_(*(literal(value, column.type) for value, column in zip(key, order, strict=True)))


def common(session: Session, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that many rows may meet, so that a list of them is walked in its order until a page
    is full.

    SQLite keeps no statistics: by an index that fits the condition it would find all of them, and sort them
    for each page.
    """
    return func.likely(condition, type_=Boolean) if session.database.is_sqlite else condition


def rare(session: Session, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that few rows meet, so that they are found by its own index, and sorted: the
    opposite of `common`.
    """
    return func.unlikely(condition, type_=Boolean) if session.database.is_sqlite else condition


def count_all(session: Session, statement: Select[*tuple[Any, ...]]) -> int:
    """Count the rows that a SELECT finds on all pages together."""
    counted: int = session.execute(
        select(func.count()).select_from(statement.order_by(None).subquery())
    ).scalar_one()
    return counted


def make_cursor(request: Request, key: Sequence[Any]) -> str:
    """Write the key after which the next page of this list begins."""
    raw = orjson.dumps([_fingerprint(request), *key], default=str)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_cursor(request: Request, cursor: str | None, shape: TypeAdapter[Shaped]) -> Shaped | None:
    """Read the key after which this page begins; `shape` is that of a tuple. Raises BadCursor."""
    if cursor is None:
        return None
    try:
        fingerprint, *key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if fingerprint == _fingerprint(request):
            return shape.validate_python(tuple(key), strict=False)
    except (ValueError, TypeError, OverflowError, binascii.Error, ValidationError):
        pass
    raise BadCursor("This cursor does not belong to this list.")


def _fingerprint(request: Request) -> str:
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in _NOT_A_FILTER)
    return hashlib.blake2b(repr((request.scope["path"], asked)).encode(), digest_size=6).hexdigest()


def answer_rows(
    request: Request,
    session: Session,
    statement: SelectOfScalar[Row],
    place: ColumnElement[Any] | Mapped[Any],
    asked: ListRequest,
    key: TypeAdapter[tuple[Any]],
    read: Callable[[Sequence[Row]], Iterable[BaseModel]],
    shape: type[BaseModel],
) -> Response:
    """Answer with one page of the rows that a SELECT finds, those with the greatest `place` first.

    `place` is a unique column, and `key` what a cursor holds of it; `read` makes items of rows, and `shape`
    is what an item is.
    """
    start = read_cursor(request, asked.cursor, key)
    rows = session.execute(after(statement.add_columns(place), [place], start, asked.limit)).all()
    shown = rows[: asked.limit]
    return answer_page(
        request,
        [item.model_dump_json().encode() for item in read([row[0] for row in shown])],
        next_key=(shown[-1][1],) if len(rows) > len(shown) else None,
        total=count_all(session, statement) if asked.count else None,
        fields=asked.fields,
        shape=shape,
    )


def answer_page(
    request: Request,
    items: Sequence[bytes],
    *,
    next_key: Sequence[Any] | None = None,
    total: Total | int | None = None,
    fields: str | None = None,
    shape: type[BaseModel],
    also: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with one page of items that are written out as JSON already.

    `next_key` is the sort key of the last item when there are more; `shape` is what an item is, to check
    `fields` against; `also` are links that go with the list, written as in a `Link` header; `headers` replace
    the private caching that holders of tokens get.
    """
    if fields is not None:
        wanted = sparse.read(fields, shape)
        items = [sparse.only(item, wanted) for item in items]
    cursor = None if next_key is None else make_cursor(request, next_key)
    next_page = None if cursor is None else _address(request, cursor)
    body = b'{"items":[%b],"next":%b,"cursor":%b%b}' % (
        b",".join(items),
        orjson.dumps(next_page),
        orjson.dumps(cursor),
        _written(total),
    )
    links = ([] if next_page is None else [f'<{next_page}>; rel="next"']) + [*also]
    link = {"Link": ", ".join(links)} if links else {}
    return conditional.answer_bytes(request, body, headers={**link, **(headers or {})})


def _written(total: Total | int | None) -> bytes:
    if total is None:
        return b""
    if isinstance(total, int):
        total = Total(total)
    return b',"total":%d%b' % (total.number, b',"total_is_minimum":true' * total.is_minimum)


def _address(request: Request, cursor: str) -> str:
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    base = service(request, Settings).address_base
    return f"{base}{request.scope['path']}?{urlencode([*asked, ('cursor', cursor)])}"
