"""Lists: opaque keyset cursors that survive inserts and deletes, `Page` answers, and `Link` headers (RFC
8288).

A cursor holds the sort key of the last item of a page and the fingerprint of the list (its path and filters)
that it was made for. It is not a secret and not signed: a made-up one can only name a place in a list that
the caller may read anyway.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

import orjson
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from sqlalchemy import Boolean, ColumnElement, Select, func, literal, select, tuple_

from service import conditional, sparse
from service.database import Session
from service.errors import BadRequest

Limit = Annotated[int, Query(ge=1, le=200, description="how many items a page holds at the most")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="where the page begins: taken from `next`, never made up")
]
Fields = Annotated[
    str | None,
    Query(
        max_length=1000,
        # No example: an answer of some members is none that the shapes of the document describe.
        description="only these members, with commas between, such as `headline,lead_image.renditions.href`",
    ),
]
Count = Annotated[bool, Query(description="add `total`, the number of items on all pages")]
Item = TypeVar("Item")
Key = TypeVar("Key")
Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])
Order = Sequence[Any]
"""SQL columns: those of SQLModel's `col()` and expressions have no type in common."""
_NOT_A_FILTER = frozenset({"cursor", "limit", "fields", "count"})


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
    total: int | None = Field(None, description="with `count=true`", exclude_if=lambda value: value is None)


def after(
    statement: Statement, order: Order, key: Sequence[object] | None, limit: int, *, descending: bool = True
) -> Statement:
    """Narrow a SELECT to one page and one row more, by which to tell that there is a next: sorted by `order`,
    after `key`.

    `order` are columns, the last one unique. The comparison is one of row values: its expansion with OR made
    PostgreSQL read 500,000 rows to find a page's first.
    """
    if key is not None:
        place, start = (
            tuple_(*order),
            tuple_(*(literal(value, column.type) for value, column in zip(key, order, strict=True))),
        )
        statement = statement.where(place < start if descending else place > start)
    return statement.order_by(*(column.desc() if descending else column.asc() for column in order)).limit(
        limit + 1
    )


def common(session: Session, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that many rows may meet, so that a list of them is walked in its order until a page is
    full.

    SQLite keeps no statistics: by an index that fits the condition it would find all of them, and sort them
    for each page.
    """
    return func.likely(condition, type_=Boolean) if session.database.is_sqlite else condition


def rare(session: Session, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """A condition that few rows meet, so that they are found by its own index, and sorted: the opposite of
    `common`.
    """
    return func.unlikely(condition, type_=Boolean) if session.database.is_sqlite else condition


def count_all(session: Session, statement: Select[*tuple[Any, ...]]) -> int:
    """How many rows a SELECT finds on all pages together."""
    counted: int = session.execute(
        select(func.count()).select_from(statement.order_by(None).subquery())
    ).scalar_one()
    return counted


def make_cursor(request: Request, key: Sequence[Any]) -> str:
    """Write the key after which the next page of this list begins."""
    raw = orjson.dumps([_fingerprint(request), *key], default=str)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def read_cursor(request: Request, cursor: str | None, shape: TypeAdapter[Key]) -> Key | None:
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


def answer_page(
    request: Request,
    items: Sequence[bytes],
    *,
    next_key: Sequence[Any] | None = None,
    total: int | None = None,
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
        b"" if total is None else b',"total":%d' % total,
    )
    links = ([] if next_page is None else [f'<{next_page}>; rel="next"']) + [*also]
    link = {"Link": ", ".join(links)} if links else {}
    return conditional.answer_bytes(request, body, headers={**link, **(headers or {})})


def _address(request: Request, cursor: str) -> str:
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    return f"{request.scope['path']}?{urlencode([*asked, ('cursor', cursor)])}"
