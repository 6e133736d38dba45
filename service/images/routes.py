"""The endpoints of `/v1/images`: reading, writing, and where an image is shown.

Those that take a picture stand on a router of their own, whose bodies may be larger than those of the rest.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import JsonValue
from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select

from service.contracts import Facts
from service.database import Session, SessionDep
from service.errors import NotFound, PreconditionFailed
from service.http import acknowledging, conditional, pages
from service.http.acknowledging import Acknowledgement
from service.http.callers import Caller, CallerDep, StaffPublisher, StaffReader, StaffWriter
from service.http.patching import merged
from service.http.routing import Route
from service.http.shortcuts import Arguments
from service.images import lifecycle, lists, uses
from service.images.models import (
    Caption,
    CaptionRead,
    Image,
    ImageCreate,
    ImageRead,
    ImageReplace,
    ImageUse,
    ImageWritten,
    PictureReason,
    UseRead,
)
from service.images.read import read_all, read_one
from service.images.storage import EXTENSIONS
from service.images.uploads import FIELDS, FileAddress, FileDep, UploadDep
from service.published import answers, documents, store
from service.published.answers import Row
from service.published.filters import Filter
from service.published.lists import PlainNewest, answer_newest, plain_newest
from service.published.models import Kind
from service.scopes import Scope
from service.services import service
from service.settings import Settings

router = APIRouter(prefix="/v1/images", tags=["images"], route_class=Route)
uploads = APIRouter(prefix="/v1/images", tags=["images"], route_class=Route)

_REF = "#/components/schemas/{model}"
_PICTURE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": _PICTURE["schema"]},
    "additionalProperties": False,
}
_FIELDS = FIELDS.json_schema(ref_template=_REF)["properties"]
_CREATE = {
    key: value for key, value in ImageCreate.model_json_schema(ref_template=_REF).items() if key != "$defs"
}
_NEW = {
    "multipart/form-data": {"schema": _FORM | {"properties": _FORM["properties"] | _FIELDS}},
    "application/json": {"schema": _CREATE},
    **dict.fromkeys(EXTENSIONS, _PICTURE),
}
_FILE = {
    "multipart/form-data": {"schema": _FORM},
    "application/json": {"schema": FileAddress.model_json_schema()},
    **dict.fromkeys(EXTENSIONS, _PICTURE),
}
_PATCH = {"application/merge-patch+json": {"schema": {"type": "object"}}}
_FOR_EDITORS = ("digest", "without_file", "in_use", "missing", "expires_before")
"""Parameters of the list that need content:read."""


@uploads.post(
    "",
    status_code=201,
    response_model=ImageWritten,
    openapi_extra={"requestBody": {"required": True, "content": _NEW}},
    responses={
        200: {
            "model": ImageWritten,
            "description": "This very picture was here already: its image, unchanged.",
        }
    },
)
def create_image(request: Request, upload: UploadDep, caller: StaffWriter, session: SessionDep) -> Response:
    """Send a picture in a form or alone, or JSON: its `source_url` is fetched, and without one the image
    waits for its file.

    The fields of the image may also stand in the address.
    """
    image, made = lifecycle.create(session, caller, caller.signed(upload.content), upload.file)
    return _answer(request, caller, session, image, status=201 if made else 200)


@uploads.put(
    "/{image_id}/file",
    response_model=ImageWritten,
    openapi_extra={"requestBody": {"required": True, "content": _FILE}},
)
def replace_image_file(
    request: Request, image_id: UUID, file: FileDep, caller: StaffWriter, session: SessionDep
) -> Response:
    """Give an image its file, or another one: in a form, alone, or from the `source_url` in JSON. Its
    addresses change with it.
    """
    image = lifecycle.open_image(session, caller, image_id)
    conditional.require_match(request, image.version)
    lifecycle.replace_file(session, caller, image, file)
    return _answer(request, caller, session, image)


@router.get("", response_model=pages.Page[ImageRead])
def list_images(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    asked: pages.ListRequestDep,
    source: pages.Several = None,
    digest: Annotated[str | None, Query(max_length=64, description="needs content:read")] = None,
    without_file: Annotated[bool | None, Query(description="needs content:read")] = None,
    in_use: Annotated[
        bool | None, Query(description="whether a working article shows it; needs content:read")
    ] = None,
    missing: Annotated[
        Literal["alt_text"] | None,
        Query(description="alt_text: no caption has one or says that it is decorative; needs content:read"),
    ] = None,
    expires_before: Annotated[
        pages.Before | None,
        Query(description="`usable_until` is before this time, and still to come; needs content:read"),
    ] = None,
) -> Response:
    """List images, newest first: the public ones, and with content:read all that are not in the trash."""
    if any(each is not None for each in (digest, without_file, in_use, missing, expires_before)):
        caller.need(Scope.CONTENT_READ)
    if not caller.may(Scope.CONTENT_READ):
        return answer_newest(
            request, session, caller, Kind.IMAGE, Filter(source=tuple(source or ())), asked, ImageRead
        )
    conditions = _conditions(
        session, source=source, digest=digest, without_file=without_file, in_use=in_use, missing=missing
    )
    if expires_before is not None:
        conditions += [col(Image.usable_until) < expires_before, col(Image.expired_at).is_(None)]
    images, more = lists.newest(request, session, Image, conditions, asked)
    items = [shape.model_dump_json().encode() for shape in read_all(session, images)]
    next_key = (images[-1].created_at, images[-1].id) if more else None
    total = lists.count(session, Image, conditions, asked)
    return pages.answer_page(
        request, items, next_key=next_key, total=total, fields=asked.fields, shape=ImageRead
    )


def plain_images(request: Request, arguments: Arguments) -> PlainNewest | None:
    """Return the list that the arguments of `list_images` ask for; None for one that is not plain."""
    if any(arguments[name] is not None for name in _FOR_EDITORS):
        return None
    wanted = Filter(source=tuple(arguments["source"] or ()))
    return plain_newest(request, Kind.IMAGE, wanted, arguments["asked"], ImageRead)


def _conditions(
    session: Session,
    *,
    source: list[str] | None,
    digest: str | None,
    without_file: bool | None,
    in_use: bool | None,
    missing: str | None,
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [col(Image.deleted_at).is_(None)]
    if source:
        found.append(pages.common(session, pages.one_of(col(Image.source), source)))
    if digest is not None:
        found.append(col(Image.digest) == digest.lower())
    if without_file is not None:
        found.append(
            pages.common(
                session, col(Image.digest).is_(None) if without_file else col(Image.digest).is_not(None)
            )
        )
    if in_use is not None:
        shown = select(ImageUse.image_id).where(ImageUse.image_id == Image.id).exists()
        found.append(shown if in_use else ~shown)
    if missing is not None:
        has_alt = or_(func.coalesce(Caption.alt_text, "") != "", col(Caption.decorative))
        mine = (col(Caption.image_id) == Image.id, col(Caption.deleted_at).is_(None))
        found.append(~select(Caption.id).where(*mine, has_alt).exists())
    return found


@router.get("/{image_id}", response_model=ImageRead)
def get_image(
    request: Request, image_id: UUID, caller: CallerDep, session: SessionDep, fields: pages.Fields = None
) -> Response:
    """Read an image with its captions."""
    if caller.may(Scope.CONTENT_READ):
        image = lifecycle.get(session, image_id)
        return conditional.answer(request, read_one(session, image), image.version, fields=fields)
    return _respond(request, store.find(session, Kind.IMAGE, str(image_id)), image_id, fields)


@router.put("/{image_id}", response_model=ImageWritten, responses={201: {"model": ImageWritten}})
def replace_image(
    request: Request, image_id: UUID, replace: ImageReplace, caller: StaffWriter, session: SessionDep
) -> Response:
    """Replace what is said of an image, or create one without a file under an id of your own (`If-None-Match:
    *` creates only).
    """
    replace = caller.signed(replace)
    try:
        image = lifecycle.open_image(session, caller, image_id)
    except NotFound:
        if "if-match" in request.headers:
            raise PreconditionFailed("There is no image at this address.", current_version=None) from None
        return _answer(
            request, caller, session, lifecycle.create_as(session, caller, image_id, replace), status=201
        )
    conditional.require_match(request, image.version)
    lifecycle.replace(session, caller, image, replace)
    return _answer(request, caller, session, image)


@router.patch("/{image_id}", response_model=ImageWritten, openapi_extra={"requestBody": {"content": _PATCH}})
def edit_image(
    request: Request,
    image_id: UUID,
    patch: Annotated[dict[str, JsonValue], Body(examples=[{"credit_line": "Ana Lind", "usage_terms": None}])],
    caller: StaffWriter,
    session: SessionDep,
) -> Response:
    """Edit what is said of an image by JSON Merge Patch (RFC 7396): absent members stay, null removes."""
    image = lifecycle.open_image(session, caller, image_id)
    conditional.require_match(request, image.version)
    lifecycle.replace(session, caller, image, merged(ImageReplace, read_one(session, image), patch))
    return _answer(request, caller, session, image)


@router.delete("/{image_id}", status_code=204)
def delete_image(request: Request, image_id: UUID, caller: StaffWriter, session: SessionDep) -> None:
    """Put an image into the trash; refused while an article shows it."""
    image = lifecycle.open_image(session, caller, image_id)
    conditional.require_match(request, image.version)
    lifecycle.trash(session, caller, image)


@router.post("/{image_id}/restore", response_model=ImageWritten)
def restore_image(request: Request, image_id: UUID, caller: StaffWriter, session: SessionDep) -> Response:
    """Bring an image back from the trash, with its captions."""
    image = lifecycle.open_image(session, caller, image_id, trashed=True)
    lifecycle.restore(session, caller, image)
    return _answer(request, caller, session, image)


@router.post("/{image_id}/withdraw", response_model=ImageWritten)
def withdraw_image(
    request: Request, image_id: UUID, withdrawal: PictureReason, caller: StaffPublisher, session: SessionDep
) -> Response:
    """Kill a picture: its files answer 410 at once, articles keep its place with the reason, followers get a
    tombstone, and the same bytes are refused.
    """
    image = lifecycle.open_image(session, caller, image_id)
    conditional.respect_match(request, image.version)
    lifecycle.withdraw(session, caller, image, withdrawal.reason)
    return _answer(request, caller, session, image)


@router.post("/{image_id}/reinstate", response_model=ImageWritten)
def reinstate_image(
    request: Request,
    image_id: UUID,
    reinstatement: PictureReason,
    caller: StaffPublisher,
    session: SessionDep,
) -> Response:
    """Undo a withdrawal: articles show the picture again."""
    image = lifecycle.open_image(session, caller, image_id)
    conditional.respect_match(request, image.version)
    lifecycle.reinstate(session, caller, image, reinstatement.reason)
    return _answer(request, caller, session, image)


@router.get("/{image_id}/uses", response_model=pages.Page[UseRead])
def list_image_uses(
    request: Request, image_id: UUID, caller: StaffReader, session: SessionDep, asked: pages.ListRequestDep
) -> Response:
    """List the working articles that show an image, drafts included."""
    image = lifecycle.get(session, image_id)
    found = [
        (use.article_id, UseRead.model_validate(use, from_attributes=True))
        for use in uses.of(session, image.id)
    ]
    return lists.answer_known(request, caller, found, asked, UseRead)


@router.get("/{image_id}/captions", response_model=pages.Page[CaptionRead])
def list_image_captions(
    request: Request, image_id: UUID, caller: CallerDep, session: SessionDep, asked: pages.ListRequestDep
) -> Response:
    """List the captions of an image: the public ones, and with content:read all."""
    if caller.may(Scope.CONTENT_READ):
        captions = read_one(session, lifecycle.get(session, image_id)).captions
    else:
        row = store.find(session, Kind.IMAGE, str(image_id))
        if row is None or row.reason is not None:
            return _respond(request, row, image_id)
        answers.depend(request, answers.one_of(Kind.IMAGE, image_id))
        captions = _given(caller, documents.read(ImageRead, row.document).captions)
    return lists.answer_known(
        request, caller, [(caption.id, caption) for caption in captions], asked, CaptionRead
    )


def _given(caller: Caller, captions: list[CaptionRead]) -> list[CaptionRead]:
    contract = caller.contract
    if contract is None:
        return captions
    return [each for each in captions if contract.admits(Kind.CAPTION, Facts(language=each.language))]


def _answer(
    request: Request, caller: Caller, session: Session, image: Image, *, status: int = 200
) -> Response:
    """Answer a write with the image as it stands, as far as the caller may read it."""
    headers = {"Location": f"/v1/images/{image.id}"} if status == 201 else {}
    brief = Acknowledgement(id=image.id, version=image.version)
    return acknowledging.answer(
        request,
        caller,
        brief,
        lambda: read_one(session, image).model_dump_json().encode(),
        status=status,
        headers=headers,
    )


def _respond(request: Request, row: Row | None, image_id: UUID, fields: str | None = None) -> Response:
    answer = answers.answer_row(row, Kind.IMAGE, str(image_id), request.url.path, service(request, Settings))
    return answers.respond(request, answers.narrowed(answer, fields, ImageRead))
