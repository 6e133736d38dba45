"""Answer a reader with one published row, and say which resources the answer depends on, so that the wire
cache knows when to drop it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from service.ages import control, earliest, keep_until
from service.errors import Gone, NotFound, ServiceError
from service.http import sparse
from service.http.conditional import PRIVATE, etag_of, matches
from service.published import keys
from service.published.models import Kind, Reason
from service.published.withdrawn import Gone as GonePictures
from service.published.withdrawn import until, without
from service.settings import Settings

DEPENDS = "copydesk.depends"
"""The place in an ASGI scope in which the wire cache finds what an answer depends on."""
_LENGTH_OF_ID = 36
_VARIES = "Accept-Encoding, Authorization"


class Withdrawn(Gone):
    """The article or picture was withdrawn (killed) by its publisher; `detail` gives the reason. Remove every
    copy of it.
    """

    title = "Withdrawn by its publisher"


class Expired(Gone):
    """The right to show the article or picture has ended, by its `usable_until` or `usable_in`. Remove every
    copy of it.
    """

    title = "No longer to be shown"


class Row(NamedTuple):
    """A published row, as a reader's query gives it. From `until` on it must be read anew, though nothing
    changes.
    """

    kind: Kind
    id: UUID
    version: int
    reason: str | None
    detail: str | None
    etag: str
    document: bytes
    slug: str | None
    expires_at: datetime | None = None
    good_until: datetime | None = None
    """The time from which on a picture in the document is not to be shown; None if no picture has an end."""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is ready for the wire, in the bytes of its content coding `identity`."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str | None
    depends: tuple[str, ...]
    until: datetime | None = None
    keys: tuple[str, ...] | None = None
    """The keys that the answer names, if not those of its dependencies."""


def shown(row: Row, gone: GonePictures | None = None) -> Row:
    """Return a row without the pictures that have gone, and the ETag of that; a tombstone if its own time is
    over. Without `gone`, pictures go by their licences alone.
    """
    if row.reason is not None:
        return row
    # To look for ends in a document takes longer than to read it.
    if row.expires_at is None and row.good_until is None and (gone is None or gone.leaves_out_none):
        return row
    gone = GonePictures() if gone is None else gone
    if row.expires_at is not None and row.expires_at <= gone.at:
        return row._replace(reason=str(Reason.EXPIRED), detail=None, document=b"{}")
    if row.kind is not Kind.ARTICLE:
        return row._replace(until=row.expires_at) if row.expires_at else row
    document = without(row.document, gone)
    ends = earliest(row.expires_at, until(document, gone))
    if document is row.document:
        return row._replace(until=ends) if ends else row
    return row._replace(document=document, etag=etag_of(document, row.version), until=ends)


def id_of(key: str) -> UUID | None:
    """Return the id that a key is, in its canonical form and either case; any other key is a slug."""
    if len(key) != _LENGTH_OF_ID:
        return None
    try:
        id_ = UUID(key)
    except ValueError:
        return None
    return id_ if str(id_) == key.lower() else None


def any_of(kind: Kind) -> str:
    """Return the dependency on everything of a kind: what lists, and answers that find nothing, depend on."""
    return f"{kind.value}:*"


def one_of(kind: Kind, id_: UUID) -> str:
    """Return the dependency on one resource."""
    return f"{kind.value}:{id_.hex}"


def public_headers(settings: Settings) -> dict[str, str]:
    """Return the caching that every public answer carries."""
    ages = control(settings.public_max_age, settings.public_stale_while_revalidate)
    return {"Cache-Control": ages, "Vary": _VARIES}


def made(body: bytes, media_type: str, depends: tuple[str, ...], settings: Settings) -> Answer:
    """Return an answer of its own kind, made of what it depends on."""
    etag = etag_of(body)
    return Answer(
        200, _raw({"Content-Type": media_type, "ETag": etag, **public_headers(settings)}), body, etag, depends
    )


def depend(request: Request, *dependencies: str) -> None:
    """Let the wire cache keep this request's answer until one of these changes."""
    request.scope.setdefault(DEPENDS, set()).update(dependencies)


def answer_row(row: Row | None, kind: Kind, key: str, path: str, settings: Settings) -> Answer:
    """Answer for one resource that was asked for by `key`, its id or its slug."""
    if row is None:
        refused = _refuse(NotFound(f"There is no published {kind} {key!r}."), path, (any_of(kind),), settings)
        return replace(refused, keys=keys_of_missing(kind, key))
    depends = (one_of(kind, row.id),)
    if row.reason is not None:
        return _refuse(_gone(row, kind), path, depends, settings)
    ages = settings.public_max_age, settings.public_stale_while_revalidate
    headers = _headers_of_resource(*ages, is_article=kind is Kind.ARTICLE)
    if row.slug is not None and key != row.slug and id_of(key) is None:
        location = _raw({"Location": path.removesuffix(key) + row.slug})
        return Answer(308, [*location, *headers], b"", None, depends, row.until)
    named = [(b"content-type", b"application/json"), (b"etag", row.etag.encode())]
    return Answer(200, [*named, *headers], row.document, row.etag, depends, row.until)


@lru_cache(16)
def _headers_of_resource(max_age: int, stale: int, *, is_article: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Return the caching of every answer with one resource. Making them takes longer than the rest of such an
    answer.
    """
    varies = f"{_VARIES}, Accept" if is_article else _VARIES
    return (b"cache-control", control(max_age, stale).encode()), (b"vary", varies.encode())


def keys_of_missing(kind: Kind, key: str) -> tuple[str, ...]:
    """Return the keys of an answer that finds nothing: an id is found once there is the resource, a slug once
    an article is listed under it, and another name with any resource of its kind.
    """
    if (id_ := id_of(key)) is not None:
        return (keys.of_resource(kind, id_),)
    return (keys.LISTED,) if kind is Kind.ARTICLE else (keys.of_dependency(any_of(kind)),)


def _gone(row: Row, kind: Kind) -> ServiceError:
    if row.reason == Reason.WITHDRAWN:
        return Withdrawn(f"This {kind} was withdrawn: {row.detail}", reason=row.reason)
    if row.reason == Reason.EXPIRED:
        return expired(kind)
    if row.reason == Reason.DELETED:
        return Gone(f"This {kind} was deleted.", reason=row.reason)
    return NotFound(f"This {kind} is not published.")


def expired(kind: Kind) -> Expired:
    """Return the refusal of what may not be shown any longer."""
    return Expired(f"The right to show this {kind} has ended.", reason=str(Reason.EXPIRED))


def _refuse(error: ServiceError, path: str, depends: tuple[str, ...], settings: Settings) -> Answer:
    headers = {"Content-Type": "application/problem+json", **public_headers(settings)}
    return Answer(error.status, _raw(headers), error.problem(path), None, depends)


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1", "ignore")) for name, value in headers.items()]


def respond(request: Request, answer: Answer) -> Response:
    """Give an answer from within an endpoint; to the holder of a token it is private."""
    depend(request, *answer.depends)
    keep_until(request.scope, answer.until)
    if answer.keys is not None:
        keys.name(request, answer.keys)
    headers = list(answer.headers)
    if "authorization" in request.headers:
        headers = [pair for pair in headers if pair[0] not in (b"cache-control", b"vary")] + _raw(PRIVATE)
    unchanged = answer.etag is not None and matches(request.headers.get("if-none-match"), answer.etag)
    response = Response(b"" if unchanged else answer.body, 304 if unchanged else answer.status)
    response.raw_headers = headers if unchanged else [*headers, (b"content-length", b"%d" % len(answer.body))]
    return response


def narrowed(answer: Answer, fields: str | None, shape: type[BaseModel]) -> Answer:
    """Return the answer with the members alone that `fields` names, if there is a document. Raises
    Unprocessable.
    """
    if answer.status != 200 or fields is None:
        return answer
    return replaced(answer, sparse.chosen(answer.body, fields, shape))


def replaced(answer: Answer, body: bytes, media_type: str = "application/json") -> Answer:
    """Return the same answer with another body, and the ETag of that."""
    etag = etag_of(body)
    other = {b"etag": etag.encode(), b"content-type": media_type.encode()}
    headers = [(name, other.get(name, value)) for name, value in answer.headers]
    return Answer(answer.status, headers, body, etag, answer.depends, answer.until)
