"""One page of images or captions, newest first: for readers of what is public, for editors of the working tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter
from sqlalchemy import ColumnElement, func, literal, tuple_
from sqlmodel import col, select

from service import pages
from service.auth import Caller
from service.database import Session
from service.images.models import Caption, Image, ImageUse
from service.published import answers, store
from service.published.models import Kind
from service.published.store import Filter

Row = TypeVar("Row", Image, Caption)
Shape = TypeVar("Shape", bound=BaseModel)
NEWEST = TypeAdapter(tuple[datetime, UUID])
BY_ID = TypeAdapter(tuple[UUID])


def newest(
    session: Session, table: type[Row], conditions: Sequence[ColumnElement[bool]], after: tuple[datetime, UUID] | None, limit: int
) -> list[Row]:
    """Working rows, one more than the limit when there are more."""
    statement = select(table).where(*conditions)
    if after is not None:
        created_at, id_ = col(table.created_at), col(table.id)
        statement = statement.where(tuple_(created_at, id_) < tuple_(literal(after[0], created_at.type), literal(after[1], id_.type)))
    return list(session.exec(statement.order_by(col(table.created_at).desc(), col(table.id).desc()).limit(limit + 1)))


def count(session: Session, table: type[Row], conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many working rows there are."""
    return session.exec(select(func.count()).select_from(table).where(*conditions)).one()


def used() -> ColumnElement[bool]:
    """Whether a working article shows the image."""
    return col(Image.id).in_(select(ImageUse.image_id))


def answer_public(
    request: Request,
    session: Session,
    caller: Caller,
    kind: Kind,
    wanted: Filter,
    page: pages.Asked,
    shape: type[BaseModel],
) -> Response:
    """Answer with what readers may see."""
