"""Conditional requests (RFC 9110 section 13): strong ETags, 304, and no edit that overwrites another unseen.

An ETag is `"<version>-<hash of the answer>"`. Readers compare it whole. A writer's `If-Match` compares the
version, so that an edit is refused when the resource itself has changed, not when a caption inside its answer
has. It names strong ETags alone: a weak one, `W/"…"`, matches nothing (RFC 9110, 13.1.1).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping

from fastapi import Request, Response
from pydantic import BaseModel

from service.database import contract_of
from service.errors import BadRequest, PreconditionFailed, PreconditionRequired
from service.http import sparse

PRIVATE = {"Cache-Control": "private, no-store", "Vary": "Authorization"}
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_TAGS = re.compile(rf"[\s,]*{_TAG.pattern}(?:\s*,[\s,]*{_TAG.pattern})*[\s,]*")
"""A list of ETags (RFC 9110, 5.6.1 and 8.8.3); empty members are let pass."""


class AlreadyExists(PreconditionFailed):
    """`If-None-Match: *` asks to create, but there is something at this address already."""

    title = "Already there"


def etag_of(body: bytes, version: int | None = None) -> str:
    """Return the strong ETag of an answer; of one resource when it has a version."""
    content = hashlib.blake2b(body, digest_size=9).hexdigest()
    return f'"{content}"' if version is None else f'"{version}-{content}"'


def matches(header: str | None, etag: str) -> bool:
    """Return whether `If-None-Match` names this ETag: weak comparison, and whatever the content coding
    (`"…;br"`).
    """
    if header is None:
        return False
    wanted = etag.strip('"').split(";")[0]
    return header.strip() == "*" or any(tag.split(";")[0] == wanted for tag in _TAG.findall(header))


def require_match(request: Request, version: int) -> None:
    """Let a change of something that exists pass only with a current `If-Match`: 428 without, 412 when stale
    or weak, 400 when it is no list of ETags.
    """
    header = request.headers.get("if-match")
    creates_only = request.headers.get("if-none-match", "").strip() == "*"
    if header is None:
        if creates_only:
            raise AlreadyExists("There is something at this address already.", current_version=version)
        raise PreconditionRequired(
            "Send If-Match with the ETag that you read, or * to change it whatever it is."
        )
    if header.strip() != "*" and _TAGS.fullmatch(header) is None:
        raise BadRequest('If-Match must be *, or ETags in double quotes as they were sent: "1-…", "2-…".')
    if header.strip() == "*" or any(_version(tag[1]) == str(version) for tag in _strong(header)):
        if creates_only:  # RFC 9110, 13.2.2: `If-None-Match` is looked at once `If-Match` has passed.
            raise AlreadyExists("There is something at this address already.", current_version=version)
        return
    raise PreconditionFailed(f"The stored version is {version}.", current_version=version)


def _strong(header: str) -> Iterator[re.Match[str]]:
    return (tag for tag in _TAG.finditer(header) if tag[0].startswith('"'))


def _version(tag: str) -> str:
    return re.split("[-;]", tag)[0]


def respect_match(request: Request, version: int) -> None:
    """Let an action pass without `If-Match`, and with one only when that is current."""
    if "if-match" in request.headers:
        require_match(request, version)


def unshared(request: Request, response: Response) -> Response:
    """Return the response, which no cache may share if it was made under a contract."""
    if contract_of(request) is not None:
        response.headers.update(PRIVATE)
    return response


def answer(
    request: Request,
    content: BaseModel,
    version: int | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    fields: str | None = None,
) -> Response:
    """Answer the holder of a token with one resource or list: its JSON, or of that the members in `fields`,
    and its ETag, never kept by a cache.
    """
    body = sparse.chosen(content.model_dump_json(by_alias=True).encode(), fields, type(content))
    return answer_bytes(request, body, version, status=status, headers=headers)


def answer_bytes(
    request: Request,
    body: bytes,
    version: int | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with JSON that is already written out. What is seen with a token is private, whatever else is
    said of it.
    """
    etag = etag_of(body, version)
    private = PRIVATE if "authorization" in request.headers else {}
    known = {"ETag": etag, **PRIVATE, **(headers or {}), **private}
    if request.method in ("GET", "HEAD") and matches(request.headers.get("if-none-match"), etag):
        # As the whole answer says once it is compressed (RFC 9110, 15.4.5).
        vary = known["Vary"]
        if "Accept-Encoding" not in vary:
            vary += ", Accept-Encoding"
        return Response(status_code=304, headers={**known, "Vary": vary})
    return Response(body, status, known, "application/json")
