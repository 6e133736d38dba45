"""The endpoint of `/media`: the files of pictures, to readers as soon as an article shows them, and to
editors before.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from service.ages import control
from service.database import Database, DatabaseDep
from service.errors import NotFound, Unavailable, Unprocessable, UnsupportedMediaType
from service.http import conditional
from service.http.callers import Caller, CallerDep
from service.http.operations import Responses
from service.http.routing import Route
from service.images import lifecycle, renditions
from service.images.intake import Intake
from service.images.models import Rendition
from service.images.prints import Prints
from service.images.read import public_end, public_negative
from service.images.renditions import Negative
from service.images.storage import MediaStore, MediaUnavailable
from service.images.uploads import IntakeDep
from service.published import entitled, keys
from service.published.answers import Expired, Withdrawn, expired, one_of
from service.published.models import Kind, Reason
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.tables import latest

router = APIRouter(prefix="/media", tags=["images"], route_class=Route)
# An address leads to the same bytes for ever, or to none: what caches keep for a year, no withdrawal calls
# back.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_A_DAY = 86_400
_FOR_NOW = {"Cache-Control": "public, max-age=60"}
# Whatever a file contains, a browser only ever shows it as a picture.
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_BYTES: Responses = {
    200: {"content": {"image/*": {}}},
    206: {"content": {"image/*": {}}, "description": "The range that was asked for."},
    307: {
        "description": (
            "This was the address of another picture, focal point or credit; `Location` is today's."
        )
    },
}


async def get_prints(request: Request) -> Prints:
    """Return the renditions of the running service."""
    return service(request, Prints)


PrintsDep = Annotated[Prints, Depends(get_prints)]


# Without a session, because it would be held while a rendition is made. Not in a thread, because a hundred
# requests may wait for one rendition.
@router.get("/{image_id}/{name}", response_class=Response, responses=_BYTES)
@router.head("/{image_id}/{name}", include_in_schema=False)
async def get_media(
    request: Request,
    image_id: UUID,
    name: str,
    caller: CallerDep,
    database: DatabaseDep,
    intake: IntakeDep,
    prints: PrintsDep,
) -> Response:
    """Fetch a file of a picture, or a range of it. The addresses stand in the image's `renditions`; each is
    also there with the ending `.jpg`, `.webp` or `.avif`, and without one: then `Accept` chooses. A file is
    made when it is first asked for.
    """
    found = await run_in_threadpool(_find, database, image_id, caller)
    negative, is_public = found.negative, found.is_public
    if found.original is not None and found.original.href == request.url.path:
        # Readers never get it: a camera writes into it where the photographer lives.
        return await _send(
            request, intake.store, negative.digest, name, found.original.content_type, conditional.PRIVATE
        )
    if found.withdrawn_for is not None:
        raise withdrawn(found.withdrawn_for)
    sent = await send_size(request, negative, name, intake, prints, is_public=is_public, until=found.until)
    if is_public:
        depends = one_of(Kind.IMAGE, image_id)
        sent.raw_headers += keys.header(intake.settings, [keys.of_dependency(depends)])
    return sent


async def send_size(
    request: Request,
    negative: Negative,
    name: str,
    intake: Intake,
    prints: Prints,
    *,
    is_public: bool,
    base: str = "",
    until: datetime | None = None,
) -> Response:
    """Send one size of a picture, which is made when it is not there yet. `base` stands before its addresses.
    Caches keep a public one no longer than `until`.

    Raises NotFound, MediaUnavailable and Unavailable.
    """
    wanted = renditions.asked(negative, name)
    if wanted is None:
        raise NotFound("There is no such file.")
    caching = _public(intake.settings, until) if is_public else conditional.PRIVATE
    format_ = wanted.format or renditions.accepted(request.headers.get("accept", ""))
    varying = {} if wanted.format else {"Vary": "Accept" if is_public else "Accept, Authorization"}
    if not wanted.is_current:
        headers = {
            **(_FOR_NOW if is_public else conditional.PRIVATE),
            "Location": base + negative.href(wanted.size, wanted.format),
        }
        return Response(status_code=307, headers=headers)
    file = negative.file(wanted.size, format_)
    # A 304 needs no store, which may be away.
    is_known = conditional.matches(request.headers.get("if-none-match"), _etag(negative.digest, file))
    if not is_known and not await anyio.to_thread.run_sync(
        intake.store.has, negative.digest, file, limiter=intake.asking
    ):
        await _made(prints, negative, wanted.size, format_)
    shown_name = f"{wanted.size.name}.{format_}"
    return await _send(
        request,
        intake.store,
        negative.digest,
        shown_name,
        renditions.FORMATS[format_],
        {**caching, **varying},
        file,
    )


def _public(settings: Settings, until: datetime | None) -> Mapping[str, str]:
    if until is None and settings.picture_immutable:
        return _FOR_EVER
    left = None if until is None else (until - latest()).total_seconds()
    return {"Cache-Control": control(_A_DAY, _A_DAY, left)}


@dataclass(frozen=True, slots=True)
class _Found:
    """The source of a picture's files, whether they are public, and for staff the file as it came."""

    negative: Negative
    is_public: bool
    original: Rendition | None = None
    withdrawn_for: str | None = None
    """The reason of the picture's withdrawal, for an administrator: others are refused before."""
    until: datetime | None = None


def _find(database: Database, image_id: UUID, caller: Caller) -> _Found:
    """Find the picture as it is public, or as editors have it. Raises NotFound, Gone to editors, Withdrawn
    and Expired.
    """
    with database.reading() as session:
        contract = caller.contract
        if contract is not None and not entitled.gives_files(session, contract, image_id):
            raise NotFound("There is no such file.")
        public, until = public_negative(session, image_id)
        if caller.may(Scope.CONTENT_READ):
            image = lifecycle.get(session, image_id)
            if image.withdrawn_at is not None and not caller.may(Scope.ADMIN):
                raise withdrawn(image.withdrawn_for)
            negative = public or renditions.negative_of(image)
            if negative is not None:
                return _Found(
                    negative, public is not None, renditions.original(image), image.withdrawn_for, until
                )
        if public is None:
            if (end := public_end(session, image_id)) is not None:
                raise over(*end)
            raise NotFound("There is no such file.")
        return _Found(public, is_public=True, until=until)


def over(reason: Reason, detail: str | None) -> Withdrawn | Expired:
    """Return the refusal of a file of a picture that is no longer to be shown."""
    return withdrawn(detail) if reason is Reason.WITHDRAWN else expired(Kind.IMAGE)


def withdrawn(reason: str | None) -> Withdrawn:
    """Return the refusal of a file of a picture that was withdrawn."""
    return Withdrawn(f"This picture was withdrawn: {reason}", reason=str(Reason.WITHDRAWN))


def _etag(digest: str, rendition: str | None) -> str:
    return f'"{digest}"' if rendition is None else f'"{digest}-{rendition}"'


async def _made(prints: Prints, negative: renditions.Negative, size: renditions.Size, format_: str) -> None:
    try:
        # Shielded: who hangs up takes nothing away from the others who wait for the same file.
        await asyncio.shield(asyncio.wrap_future(prints.make(negative, [(size, format_)])))
    except FileNotFoundError:
        raise MediaUnavailable("The picture's own file is missing in the store.") from None
    except (Unprocessable, UnsupportedMediaType) as fault:
        raise Unavailable(
            f"This size could not be made. {fault.detail}", headers={"Retry-After": "60"}
        ) from fault


async def _send(
    request: Request,
    media: MediaStore,
    digest: str,
    name: str,
    content_type: str,
    caching: Mapping[str, str],
    rendition: str | None = None,
) -> Response:
    etag = _etag(digest, rendition)
    headers = {**_HARMLESS, **caching, "ETag": etag, "Content-Disposition": f'inline; filename="{name}"'}
    if conditional.matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return await run_in_threadpool(media.response, digest, content_type, headers, rendition)
