"""Answers to a write: the resource for a token that may read, its id, version and status for any other."""

from collections.abc import Callable, Mapping
from uuid import UUID

from fastapi import Request, Response
from pydantic import Field

from service.http import conditional
from service.http.callers import Caller
from service.scopes import Scope
from service.tables import Reading


class Acknowledgement(Reading):
    """The answer to a write by a token without `content:read`."""

    id: UUID
    version: int
    status: str | None = Field(default=None, description="of an article; null for an image or a caption")


def answer(
    request: Request,
    caller: Caller,
    brief: Acknowledgement,
    whole: Callable[[], bytes],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a write with the whole resource as JSON if the caller may read it, and else in brief."""
    body = whole() if caller.may(Scope.CONTENT_READ) else brief.model_dump_json().encode()
    return conditional.answer_bytes(request, body, brief.version, status=status, headers=headers)
