"""The endpoints of `/v1/sections`, `/v1/tags` and `/v1/authors`: what published articles can be found by."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from pydantic import Field, TypeAdapter

from service.ages import keep_until
from service.database import Session, SessionDep
from service.http import pages
from service.http.callers import Caller, CallerDep
from service.http.routing import Route
from service.published import answers, keys, named, names
from service.published.models import Kind, NameField
from service.services import service
from service.settings import Settings
from service.tables import Reading, Time, now

router = APIRouter(prefix="/v1", tags=["articles"], route_class=Route)
_UNTIL_COUNTED = timedelta(seconds=5)
_KEY = TypeAdapter(tuple[str])


def _is_absent(value: object) -> bool:
    return value is None


class NameRead(Reading):
    """A section, tag or author of published articles."""

    name: str = Field(description="as filters take it", examples=["City"])
    count: int = Field(description="published articles that have it", examples=[41])
    newest_at: Time = Field(description="when the newest of them was published")
    count_is_minimum: bool | None = Field(
        default=None,
        exclude_if=_is_absent,
        description="true: more may have it, which were not counted; absent where `count` is exact",
    )


@router.get("/sections", response_model=pages.Page[NameRead])
def list_sections(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List the sections of what is published, by name, with how many articles each has."""
    return _answer(request, caller, session, NameField.SECTION, asked)


@router.get("/tags", response_model=pages.Page[NameRead])
def list_tags(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List the tags of what is published, by name, with how many articles each has."""
    return _answer(request, caller, session, NameField.TAG, asked)


@router.get("/authors", response_model=pages.Page[NameRead])
def list_authors(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List the authors of what is published, by name, with how many articles each has."""
    return _answer(request, caller, session, NameField.AUTHOR, asked)


def _answer(
    request: Request, caller: Caller, session: Session, field: NameField, asked: pages.ListRequest
) -> Response:
    after = pages.read_cursor(request, asked.cursor, _KEY)
    page = named.page(session, field, None if after is None else after[0], asked.limit)
    answers.depend(request, answers.any_of(Kind.ARTICLE))
    keys.name(request, [keys.LISTED])
    if not names.is_counted(session):
        keep_until(request.scope, now() + _UNTIL_COUNTED)
    return pages.answer_page(
        request,
        [NameRead.model_validate(each).model_dump_json().encode() for each in page.found],
        next_key=None if page.next is None else (page.next,),
        total=named.total(session, field) if asked.count else None,
        fields=asked.fields,
        shape=NameRead,
        headers=answers.public_headers(service(request, Settings)) if caller.is_anonymous else None,
    )
