"""Read the body of a request for an image: a form with a file, a picture alone, or JSON; read and kept before
the session is opened.

Uploads are not read by the framework, which would hold a picture in memory, and not before the caller is
known. No slow client and no large picture holds a transaction, for endpoints take these dependencies before
their session.
"""

import codecs
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import asdict, dataclass, fields
from typing import Annotated, TypeVar

import anyio
from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, Field, JsonValue, TypeAdapter, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from service.errors import BadRequest, TooLarge, Unprocessable, UnsupportedMediaType
from service.http.bodies import parsed, parsed_aside
from service.http.callers import StaffWriter
from service.http.negotiation import media_type
from service.http.patching import invalid
from service.images.intake import Intake, KeptFile, too_large
from service.images.models import FocalPoint, ImageCreate
from service.images.storage import EXTENSIONS
from service.images.storage.keys import disk
from service.services import service
from service.settings import Settings
from service.tables import Shape, WebAddress

Body = TypeVar("Body", bound=BaseModel)
CHUNK = 1 << 18
FORM_OVERHEAD = 1 << 16
"""Bytes that a form may have around its picture: its other fields and the boundaries."""
_MOST_FIELDS = 20


def _point(value: str) -> str:
    try:
        FocalPoint.model_validate(parsed(value.encode()))
    except (ValidationError, BadRequest):
        raise ValueError('must be JSON such as {"x": 0.5, "y": 0.3}, both from 0 to 1') from None
    return value


# As text, since the framework takes no structures from an address.
PointText = Annotated[str, AfterValidator(_point)]


@dataclass(frozen=True, slots=True)
class ImageFields:
    """The fields of an image where only text can be written: in an address, or beside a file in a form."""

    credit_line: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    focal_point: Annotated[PointText | None, Query(description='`{"x": 0.5, "y": 0.3}`')] = None
    source: str | None = None
    external_id: str | None = None
    source_url: str | None = None
    usable_from: Annotated[str | None, Query(description="a time with its zone")] = None
    usable_until: Annotated[str | None, Query(description="a time with its zone")] = None
    usable_in: Annotated[str | None, Query(description="with commas between, such as `web,partners`")] = None

    def given(self) -> dict[str, object]:
        """Return the fields that were given."""
        members: dict[str, object] = {
            name: value for name, value in asdict(self).items() if value is not None
        }
        if self.focal_point is not None:
            members["focal_point"] = FocalPoint.model_validate_json(self.focal_point)
        if self.usable_in is not None:
            members["usable_in"] = [channel.strip() for channel in self.usable_in.split(",")]
        return members


FIELDS = TypeAdapter(ImageFields)
_NAMES = frozenset(field.name for field in fields(ImageFields))


class FileAddress(Shape):
    """The address of an image's picture."""

    source_url: WebAddress = Field(examples=["https://wire.example/ferry.jpg"])


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload: the fields of the image, and its file when there was one."""

    content: ImageCreate
    file: KeptFile | None


async def get_intake(request: Request) -> Intake:
    """Return the intake of the running service."""
    return service(request, Intake)


IntakeDep = Annotated[Intake, Depends(get_intake)]


async def receive_image(
    request: Request,
    caller: StaffWriter,
    intake: IntakeDep,
    query: Annotated[ImageFields, Depends()],
    fetch: Annotated[
        bool, Query(description="false: keep `source_url` for later, and fetch nothing now")
    ] = True,
) -> Upload:
    """Read the body of a new image; fetch its file when JSON names a `source_url`."""
    given = query.given()
    match media_type(request):
        case "multipart/form-data":
            file, texts = await _form(request, intake)
            return Upload(_valid(ImageCreate, given | texts), file)
        case "application/json":
            content = await _valid_aside(ImageCreate, given | await _json(request))
            if content.source_url is None or not fetch:
                return Upload(content, None)
            return Upload(content, await _fetch(intake, content.source_url))
        case _:
            return Upload(_valid(ImageCreate, given), await _raw(request, intake))


async def receive_file(request: Request, caller: StaffWriter, intake: IntakeDep) -> KeptFile:
    """Read a picture that is to be an image's file, or fetch it when JSON names its address."""
    match media_type(request):
        case "multipart/form-data":
            file, texts = await _form(request, intake)
            if texts:
                raise Unprocessable.at(
                    f"/{next(iter(texts))}", "is not a field here: this form takes `file` alone"
                )
            return file
        case "application/json":
            address = await _valid_aside(FileAddress, await _json(request))
            return await _fetch(intake, address.source_url)
        case _:
            return await _raw(request, intake)


async def _fetch(intake: Intake, url: str) -> KeptFile:
    return await anyio.to_thread.run_sync(intake.fetch, url, limiter=intake.fetching)


UploadDep = Annotated[Upload, Depends(receive_image)]
FileDep = Annotated[KeptFile, Depends(receive_file)]


def _valid(shape: type[Body], given: Mapping[str, object]) -> Body:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise invalid(error, given) from None


async def _valid_aside(shape: type[Body], given: Mapping[str, object]) -> Body:
    """Validate a body that may be large in a thread."""
    return await anyio.to_thread.run_sync(_valid, shape, given)


async def _raw(request: Request, intake: Intake) -> KeptFile:
    if media_type(request) not in EXTENSIONS:
        taken = ", ".join(["multipart/form-data", *EXTENSIONS])
        raise UnsupportedMediaType(f"Send one of {taken}.", headers={"Accept": taken})
    _refuse_announced(request, intake.settings.upload_max_bytes, too_large(intake.settings.upload_max_bytes))
    async with aclosing(request.stream()) as chunks:
        return await intake.take(chunks)


async def _form(request: Request, intake: Intake) -> tuple[KeptFile, dict[str, object]]:
    limit = intake.settings.upload_max_bytes
    _refuse_announced(request, limit + FORM_OVERHEAD, too_large(limit))
    bounded = _bounded(request, limit + FORM_OVERHEAD, too_large(limit))
    # The framework keeps a large file of a form in a temporary one, as it arrives.
    with disk():
        async with bounded.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=FORM_OVERHEAD) as form:
            texts = _text_fields(form)
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise Unprocessable.at("/file", "is missing: the picture is sent as a file of this name")
            return await intake.take(_chunks(file)), texts


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk


def _text_fields(form: FormData) -> dict[str, object]:
    """Return the fields beside the file. An empty one was left out by whoever filled in the form."""
    texts: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and name == "file":
            continue
        if name in texts or not isinstance(value, str) or name not in _NAMES:
            raise Unprocessable.at(f"/{name}", "is not a field of an image, or given twice")
        if value.strip():
            texts[name] = value
    try:
        return FIELDS.validate_python(texts).given()
    except ValidationError as error:
        raise invalid(error, texts) from None


async def _json(request: Request) -> dict[str, JsonValue]:
    limit = service(request, Settings).body_max_bytes
    error = TooLarge(f"JSON may have {limit} bytes at the most.", limit=limit)
    _refuse_announced(request, limit, error)
    body = bytearray()
    async with aclosing(request.stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > limit:
                raise error
    found = await parsed_aside(bytes(body.removeprefix(codecs.BOM_UTF8)))
    if not isinstance(found, dict):
        raise RequestValidationError(
            [{"loc": ("body",), "msg": "must be a JSON object", "type": "dict_type"}], body=found
        )
    return found


def _bounded(request: Request, limit: int, error: TooLarge) -> Request:
    """Return the request with a body that raises the error once it is longer than this."""
    # Not of `request.receive`: the body may have been read already, for an `Idempotency-Key`.
    length, chunks = 0, request.stream()

    async def receive() -> Message:
        nonlocal length
        chunk = await anext(chunks, None)
        if chunk is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        length += len(chunk)
        if length > limit:
            raise error
        return {"type": "http.request", "body": chunk, "more_body": True}

    return Request(request.scope, receive)


def _refuse_announced(request: Request, limit: int, error: TooLarge) -> None:
    """Refuse by Content-Length, before anything is read."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise error
