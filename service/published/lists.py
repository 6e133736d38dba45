"""Answer with one page of public resources, newest first."""

from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from service.database import Session
from service.http import pages
from service.http.callers import Caller
from service.published import answers, store
from service.published.filters import Filter
from service.published.models import Kind
from service.services import service
from service.settings import Settings

NEWEST = TypeAdapter(tuple[datetime, UUID])
"""The key of a list that is ordered by a time, and by the id among equal times."""


def answer_newest(
    request: Request,
    session: Session,
    caller: Caller,
    kind: Kind,
    wanted: Filter,
    asked: pages.ListRequest,
    shape: type[BaseModel],
) -> Response:
    """Answer with the public resources of a kind that pass a filter."""
    after = pages.read_cursor(request, asked.cursor, NEWEST)
    listed = store.page(session, kind, wanted, "-published_at", after, asked.limit, count=asked.count)
    answers.depend(request, answers.any_of(kind))
    headers = answers.public_headers(service(request, Settings)) if caller.is_anonymous else None
    return pages.answer_page(
        request,
        listed.documents,
        next_key=listed.next_key,
        total=listed.total,
        fields=asked.fields,
        shape=shape,
        headers=headers,
    )
