"""Read one page of images or captions from the working tables, and answer with a short list."""

from collections.abc import Sequence
from typing import TypeVar, cast
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from service.database import Session
from service.http import pages
from service.http.callers import Caller
from service.images.models import Caption, Image
from service.published import answers
from service.published.lists import NEWEST
from service.services import service
from service.settings import Settings

Row = TypeVar("Row", Image, Caption)
_BY_ID = TypeAdapter(tuple[UUID])


def newest(
    request: Request,
    session: Session,
    table: type[Row],
    conditions: Sequence[ColumnElement[bool]],
    asked: pages.ListRequest,
) -> tuple[list[Row], bool]:
    """Return working rows, newest first, and whether there are more."""
    after = pages.read_cursor(request, asked.cursor, NEWEST)
    # For a class that is not known yet SQLModel types its columns as attributes, which they are not.
    place = cast("list[ColumnElement[object]]", [col(table.created_at), col(table.id)])
    rows = session.exec(pages.after(select(table).where(*conditions), place, after, asked.limit)).all()
    return list(rows[: asked.limit]), len(rows) > asked.limit


def count(
    session: Session, table: type[Row], conditions: Sequence[ColumnElement[bool]], asked: pages.ListRequest
) -> int | None:
    """Count the working rows, if the request asks for a count."""
    return (
        session.exec(select(func.count()).select_from(table).where(*conditions)).one()
        if asked.count
        else None
    )


def answer_known(
    request: Request,
    caller: Caller,
    found: Sequence[tuple[UUID, BaseModel]],
    asked: pages.ListRequest,
    shape: type[BaseModel],
) -> Response:
    """Answer with one page of a short list that is known whole, in the order of the ids given
    with its items.
    """
    after = pages.read_cursor(request, asked.cursor, _BY_ID)
    rest = sorted(
        ((id_, item) for id_, item in found if after is None or id_ > after[0]), key=lambda pair: pair[0]
    )
    shown = rest[: asked.limit]
    next_key = (shown[-1][0],) if len(rest) > asked.limit else None
    items = [item.model_dump_json().encode() for _, item in shown]
    headers = answers.public_headers(service(request, Settings)) if caller.is_anonymous else None
    total = len(found) if asked.count else None
    return pages.answer_page(
        request, items, next_key=next_key, total=total, fields=asked.fields, shape=shape, headers=headers
    )
