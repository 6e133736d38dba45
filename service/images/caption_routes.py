"""The endpoints of `/v1/captions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import JsonValue
from sqlmodel import col, select

from service.database import SessionDep
from service.errors import NotFound, PreconditionFailed, Unprocessable
from service.http import acknowledging, conditional, pages
from service.http.acknowledging import Acknowledgement
from service.http.callers import Caller, CallerDep, StaffWriter
from service.http.patching import merged
from service.http.routing import Route
from service.images import captions, lists
from service.images.caption_writing import CaptionCreate, CaptionReplace
from service.images.models import (
    Caption,
    CaptionRead,
    CaptionSource,
    CaptionWritten,
    Image,
)
from service.images.read import read_caption
from service.published import answers, store
from service.published.filters import Filter
from service.published.lists import answer_newest
from service.published.models import Kind
from service.scopes import Scope
from service.services import service
from service.settings import Settings

router = APIRouter(prefix="/v1/captions", tags=["captions"], route_class=Route)
_PATCH = {"application/merge-patch+json": {"schema": {"type": "object"}}}


@router.get("", response_model=pages.Page[CaptionRead])
def list_captions(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
    language: pages.Languages = None,
    image_id: Annotated[
        UUID | None, Query(description="needs content:read; readers ask /v1/images/{id}/captions")
    ] = None,
    article_id: Annotated[UUID | None, Query(description="needs content:read")] = None,
    source: Annotated[CaptionSource | None, Query(description="needs content:read")] = None,
) -> Response:
    """List captions, newest first: the public ones, and with content:read all."""
    if not (image_id is None and article_id is None and source is None):
        caller.need(Scope.CONTENT_READ)
    if not caller.may(Scope.CONTENT_READ):
        return answer_newest(
            request, session, caller, Kind.CAPTION, Filter(language=tuple(language or ())), asked, CaptionRead
        )
    equal = (
        (Caption.image_id, image_id),
        (Caption.article_id, article_id),
        (Caption.source, source),
    )
    live = select(Image.id).where(Image.id == Caption.image_id, col(Image.deleted_at).is_(None)).exists()
    conditions = [
        col(Caption.deleted_at).is_(None),
        live,
        *(col(column) == value for column, value in equal if value is not None),
    ]
    if language:
        conditions.append(pages.in_ranges(col(Caption.language), language))
    found, more = lists.newest(request, session, Caption, conditions, asked)
    items = [read_caption(caption).model_dump_json().encode() for caption in found]
    next_key = (found[-1].created_at, found[-1].id) if more else None
    total = lists.count(session, Caption, conditions, asked)
    return pages.answer_page(
        request, items, next_key=next_key, total=total, fields=asked.fields, shape=CaptionRead
    )


@router.post("", status_code=201, response_model=CaptionWritten)
def create_caption(
    request: Request, create: CaptionCreate, caller: StaffWriter, session: SessionDep
) -> Response:
    """Write a caption of an image, for any article or for one alone."""
    return _answer(request, caller, captions.create(session, caller, create, create.image_id), status=201)


@router.get("/{caption_id}", response_model=CaptionRead)
def get_caption(
    request: Request, caption_id: UUID, caller: CallerDep, session: SessionDep, fields: pages.Fields = None
) -> Response:
    """Read a caption."""
    if caller.may(Scope.CONTENT_READ):
        caption = captions.get(session, caption_id)
        return conditional.answer(request, read_caption(caption), caption.version, fields=fields)
    row = store.find(session, Kind.CAPTION, str(caption_id))
    answer = answers.answer_row(
        row, Kind.CAPTION, str(caption_id), request.url.path, service(request, Settings)
    )
    return answers.respond(request, answers.narrowed(answer, fields, CaptionRead))


@router.put("/{caption_id}", response_model=CaptionWritten, responses={201: {"model": CaptionWritten}})
def replace_caption(
    request: Request, caption_id: UUID, replace: CaptionReplace, caller: StaffWriter, session: SessionDep
) -> Response:
    """Replace a caption, or create one under an id of your own (`If-None-Match: *` creates only)."""
    try:
        caption = captions.open_caption(session, caller, caption_id)
    except NotFound:
        if "if-match" in request.headers:
            raise PreconditionFailed("There is no caption at this address.", current_version=None) from None
        if replace.image_id is None:
            raise Unprocessable.at("/image_id", "is needed for a new caption") from None
        return _answer(
            request,
            caller,
            captions.create_as(session, caller, caption_id, replace.image_id, replace),
            status=201,
        )
    conditional.require_match(request, caption.version)
    captions.replace(session, caller, caption, replace)
    return _answer(request, caller, caption)


@router.patch(
    "/{caption_id}", response_model=CaptionWritten, openapi_extra={"requestBody": {"content": _PATCH}}
)
def edit_caption(
    request: Request,
    caption_id: UUID,
    patch: Annotated[dict[str, JsonValue], Body(examples=[{"text": "The ferry leaves the old quay."}])],
    caller: StaffWriter,
    session: SessionDep,
) -> Response:
    """Edit a caption by JSON Merge Patch (RFC 7396): absent members stay, null removes."""
    caption = captions.open_caption(session, caller, caption_id)
    conditional.require_match(request, caption.version)
    captions.replace(session, caller, caption, merged(CaptionReplace, read_caption(caption), patch))
    return _answer(request, caller, caption)


@router.delete("/{caption_id}", status_code=204)
def delete_caption(request: Request, caption_id: UUID, caller: StaffWriter, session: SessionDep) -> None:
    """Delete a caption."""
    caption = captions.open_caption(session, caller, caption_id)
    conditional.require_match(request, caption.version)
    captions.delete(session, caption)


def _answer(request: Request, caller: Caller, caption: Caption, *, status: int = 200) -> Response:
    """Answer a write with the caption as it stands, as far as the caller may read it."""
    headers = {"Location": f"/v1/captions/{caption.id}"} if status == 201 else {}
    brief = Acknowledgement(id=caption.id, version=caption.version)
    return acknowledging.answer(
        request,
        caller,
        brief,
        lambda: read_caption(caption).model_dump_json().encode(),
        status=status,
        headers=headers,
    )
