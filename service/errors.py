"""Every refusal is a `ServiceError`, and every one of them leaves as problem details (RFC 9457)."""

import json
import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import ErrorDetails

PROBLEM = "application/problem+json"
MOST_TOLD = 50
"""Errors of one request that its problem lists."""
MOST_LOOKED_AT = 1_000
"""Errors of which a list is made: one of thirty thousand keeps all threads waiting for a third of a second.
"""
LONGEST_TOLD = 300
"""Characters of what was sent that a problem repeats: an answer is no longer than its request."""


def join(pointer: str, step: str | int) -> str:
    """Return a JSON pointer (RFC 6901) that goes one step further."""
    return f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"


class FieldProblem(BaseModel):
    """One thing wrong with a request: where (a JSON pointer, RFC 6901) and what."""

    place: str = Field("body", serialization_alias="in", description="body, query, path or header")
    pointer: str = Field(description="JSON pointer into that part of the request", examples=["/body/0/html"])
    message: str

    def shortened(self) -> "FieldProblem":
        """Return the same, with at most `LONGEST_TOLD` characters of the request in each text."""
        if max(len(self.pointer), len(self.message)) <= LONGEST_TOLD:
            return self
        told = {"pointer": _shortened(self.pointer), "message": _shortened(self.message)}
        return self.model_copy(update=told)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TOLD else f"{text[:LONGEST_TOLD]}…"


class Problem(BaseModel):
    """The shape of every error (RFC 9457). Some kinds add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="an address that explains this kind of problem", examples=["/problems/not-found"]
    )
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path that was asked for")
    errors: list[FieldProblem] | None = Field(None, exclude_if=lambda value: value is None)


class ServiceError(Exception):
    """A refusal with its HTTP status. The docstring of each subclass is what its `/problems/…` page says."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    kinds: ClassVar[dict[str, type["ServiceError"]]] = {}

    def __init__(
        self,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: list[FieldProblem] | None = None,
        **members: JsonValue,
    ) -> None:
        super().__init__(detail)
        assert not members.keys() & Problem.model_fields.keys(), "a problem's own members would be replaced"
        self.detail = _shortened(detail)
        self.headers = dict(headers or {})
        self.errors = [error.shortened() for error in errors[:MOST_TOLD]] if errors is not None else None
        self.members = members

    def __init_subclass__(cls) -> None:
        ServiceError.kinds[cls.slug()] = cls

    @classmethod
    def slug(cls) -> str:
        """Return the last part of the problem's `type`: the class name in kebab case."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    def problem(self, instance: str) -> bytes:
        """Write the problem out as JSON for the path that was asked for."""
        shape = Problem(
            type=f"/problems/{self.slug()}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=instance,
            errors=self.errors,
        )
        members = shape.model_copy(update=self.members).model_dump(by_alias=True)
        # The detail may quote what was refused. Half a surrogate pair in it is not UTF-8, and becomes a
        # question mark.
        return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


class BadRequest(ServiceError):
    """The request could not be read: malformed JSON, an unknown query parameter, a broken cursor."""

    status, title = 400, "The request could not be read"


class CutOff(BadRequest):
    """The connection ended before the whole body had arrived. Nothing of it was kept."""

    title = "The request was cut off"


class Unauthorized(ServiceError):
    """The request needs a token, or the token that it carries is unknown, expired or revoked."""

    status, title = 401, "A valid token is needed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="copydesk"'})


class Forbidden(ServiceError):
    """The caller is known, but not allowed to do this."""

    status, title = 403, "Not allowed"


class NotFound(ServiceError):
    """There is nothing at this address, or nothing that the caller may see."""

    status, title = 404, "Not found"


class MethodNotAllowed(ServiceError):
    """The address exists, but not with this method; `Allow` lists those that do."""

    status, title = 405, "Method not allowed"


class Conflict(ServiceError):
    """The request contradicts what the store holds."""

    status, title = 409, "In conflict with what is stored"


class Gone(ServiceError):
    """The resource has been deleted or withdrawn; `reason` says which."""

    status, title = 410, "No longer here"


class PreconditionFailed(ServiceError):
    """`If-Match` names another version than the stored one; `current_version` is the stored one."""

    status, title = 412, "Changed by somebody else in the meantime"


class TooSlow(ServiceError):
    """The request did not arrive in time: its head within 10 seconds, each part of its body within 30."""

    status, title = 408, "The request came too slowly"


class TooLarge(ServiceError):
    """The body is larger than this service takes."""

    status, title = 413, "Too large"


class UnsupportedMediaType(ServiceError):
    """The body is of a media type that this address does not take."""

    status, title = 415, "Unsupported media type"


class RangeNotSatisfiable(ServiceError):
    """`Range` asks for a part that the file does not have; `Content-Range` says how long the file is."""

    status, title = 416, "No such part"


class Unprocessable(ServiceError):
    """The request was read, but what it says cannot be; `errors` lists what, and where."""

    status, title = 422, "Invalid content"

    @classmethod
    def at(cls, pointer: str, message: str) -> "Unprocessable":
        """Refuse one member of the body."""
        return cls(message, errors=[FieldProblem(pointer=pointer, message=message)])


_NO_OBJECT = {"model_type", "model_attributes_type", "dict_type", "dataclass_type"}
_MEMBER_OF_ENUM = re.compile(r"<\w+\.\w+: ('[^']*')>")


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors of a body that does not fit its shape, at most `MOST_TOLD`. Raises Unprocessable when
    there are too many to list.
    """
    count = error.error_count()
    if count > MOST_LOOKED_AT:
        raise Unprocessable.at("", f"The body has {count} errors, too many to list.")
    return [_in_words_of_json(item) for item in error.errors(include_url=False)[:MOST_TOLD]]


def _in_words_of_json(item: ErrorDetails) -> ErrorDetails:
    """Say what the client got wrong without the names of classes and enums, which Pydantic puts in."""
    if item["type"] in _NO_OBJECT:
        return {**item, "msg": "Input should be an object"}
    if item["type"] == "literal_error":
        return {**item, "msg": _MEMBER_OF_ENUM.sub(r"\1", item["msg"])}
    return {**item, "msg": item["msg"].removeprefix("Value error, ")}


class PreconditionRequired(ServiceError):
    """Changing what exists needs `If-Match` with the ETag that was read, so that no edit is lost unseen."""

    status, title = 428, "If-Match is needed"


class TooManyRequests(ServiceError):
    """Too many requests; `Retry-After` says for how many seconds to wait."""

    status, title = 429, "Too many requests"


class HeadTooLarge(ServiceError):
    """The request line and the headers have more than 32 kB together."""

    status, title = 431, "Too many headers"


class InternalError(ServiceError):
    """A fault of the service's own. The log holds it under the request's id; nothing of it is shown."""

    status, title = 500, "Something went wrong"


class Unavailable(ServiceError):
    """Something that the service needs is not there just now; `Retry-After` says when to ask again."""

    status, title = 503, "Not available just now"


class StorageFull(ServiceError):
    """A disk that the service writes to is full. Nothing of this was written; `Retry-After` says when to send
    it again.
    """

    status, title = 507, "No room left"
