"""Answer with one page of public resources, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, TypeAdapter

from service.database import Session
from service.http import pages
from service.http.callers import Caller
from service.published import answers, plain, store
from service.published.filters import Filter
from service.published.models import Kind
from service.published.plain import Question
from service.published.store import Listed
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
    return _answer(request, listed, kind, asked, shape, is_for_all=caller.is_anonymous)


@dataclass(frozen=True, slots=True)
class PlainNewest:
    """A list for everybody that one prepared statement reads."""

    question: Question
    kind: Kind
    asked: pages.ListRequest
    shape: type[BaseModel]

    def answer(self, request: Request, listed: Listed) -> Response:
        """Answer with a page that was read."""
        return _answer(request, listed, self.kind, self.asked, self.shape, is_for_all=True)


def plain_newest(
    request: Request, kind: Kind, wanted: Filter, asked: pages.ListRequest, shape: type[BaseModel]
) -> PlainNewest | None:
    """Return the list of the public resources of a kind that pass a filter; None for one that is not plain.
    Raises BadCursor.
    """
    after = pages.read_cursor(request, asked.cursor, NEWEST)
    settings = service(request, Settings)
    question = plain.ask(
        settings, kind, wanted, "-published_at", after, asked.limit, "documents", counts=asked.count
    )
    return None if question is None else PlainNewest(question, kind, asked, shape)


def _answer(
    request: Request,
    listed: Listed,
    kind: Kind,
    asked: pages.ListRequest,
    shape: type[BaseModel],
    *,
    is_for_all: bool,
) -> Response:
    answers.depend(request, answers.any_of(kind))
    return pages.answer_page(
        request,
        listed.documents,
        next_key=listed.next_key,
        total=listed.total,
        fields=asked.fields,
        shape=shape,
        headers=answers.public_headers(service(request, Settings)) if is_for_all else None,
    )
