"""The endpoint of `/media`: the files of pictures, to readers as soon as an article shows them, and to editors before."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from service import conditional
from service.auth import CallerDep, Scope
from service.database import Session, SessionDep
from service.errors import NotFound
from service.images import lifecycle
from service.images.models import ImageRead
from service.images.read import with_captions
from service.images.uploads import IntakeDep
from service.published import store
from service.published.models import Kind
from service.routing import Route

router = APIRouter(prefix="/media", tags=["images"], route_class=Route)
# An address leads to the same bytes for ever. Whatever a file contains, a browser only ever shows it as a picture.
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/*": {}}},
    206: {"content": {"image/*": {}}, "description": "The range that was asked for."},
}


@router.get("/{image_id}/{name}", response_class=Response, responses=_BYTES)
@router.head("/{image_id}/{name}", include_in_schema=False)
def get_media(request: Request, image_id: UUID, name: str, caller: CallerDep, intake: IntakeDep, session: SessionDep) -> Response:
    """Fetch a file of a picture, or a range of it. The addresses stand in the image's `renditions`."""
    image, caching = _public(session, image_id), _FOR_EVER
    if image is None and caller.may(Scope.CONTENT_READ):
        image, caching = with_captions(lifecycle.get(session, image_id), ()), conditional.PRIVATE
    known = None if image is None else next((shown for shown in image.renditions if shown.href == request.url.path), None)
    if image is None or image.digest is None or known is None:
        raise NotFound("There is no such file.")
    etag = f'"{image.digest}"'
    headers = {**_HARMLESS, **caching, "ETag": etag, "Content-Disposition": f'inline; filename="{name}"'}
    if conditional.matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return intake.store.response(image.digest, known.content_type, headers)


def _public(session: Session, image_id: UUID) -> ImageRead | None:
    row = store.find(session, Kind.IMAGE, str(image_id))
    return None if row is None or row.reason is not None else ImageRead.model_validate_json(row.document)
