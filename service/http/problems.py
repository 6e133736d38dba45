"""Answer every error with problem details, the framework's too. Serve a page that explains each kind."""

import html
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import (
    MOST_TOLD,
    PROBLEM,
    BadRequest,
    CutOff,
    FieldProblem,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RangeNotSatisfiable,
    ServiceError,
    TooLarge,
    Unprocessable,
    UnsupportedMediaType,
    join,
)
from service.faults import DATABASE_FAULTS, refusal
from service.http.bodies import Invalid
from service.http.conditional import PRIVATE

router = APIRouter(include_in_schema=False)
log = structlog.get_logger()
_BY_STATUS = {
    kind.status: kind
    for kind in (
        BadRequest,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        TooLarge,
        UnsupportedMediaType,
        Unprocessable,
    )
}


def install_problems(app: FastAPI) -> None:
    """Shape every refusal of this app."""
    app.add_exception_handler(ServiceError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, refuse_as_framework)
    for fault in DATABASE_FAULTS:
        app.add_exception_handler(fault, _database_failed)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(Exception, _crashed)
    app.include_router(router)


def problem_response(request: Request, error: ServiceError) -> Response:
    """Return the response to a refusal."""
    caching = PRIVATE if "authorization" in request.headers else {"Cache-Control": "no-store"}
    headers = {**caching, **error.headers}
    return Response(error.problem(request.scope["path"]), error.status, headers, PROBLEM)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return problem_response(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found, body = error.errors(), error.body
    if isinstance(body, Invalid):
        found = [*(item for item in found if item["loc"][0] != "body"), *body.errors]
        body = body.body
    if found and found[0]["type"] == "json_invalid":
        return problem_response(request, BadRequest(f"The body is not JSON: {found[0]['ctx']['error']}."))
    if any(item["loc"][0] == "path" for item in found):
        return problem_response(request, NotFound(f"There is nothing at {request.scope['path']}."))
    problems = [_field_problem(request, item, body) for item in found[:MOST_TOLD]]
    first = problems[0]
    detail = (
        f"{first.place} {first.pointer}: {first.message}"
        if first.pointer
        else f"{first.place}: {first.message}"
    )
    return problem_response(request, Unprocessable(detail, errors=problems))


def _field_problem(request: Request, item: Any, body: object) -> FieldProblem:
    place, *path = item["loc"]
    if place == "query" and len(request.query_params.getlist(path[0])) == 1:
        path = path[:1]  # It could be given several times, and is not: no number is needed to find it.
    message = item["msg"].removeprefix("Value error, ")
    return FieldProblem(
        place=str(place), pointer=pointer_to(path, body if place == "body" else None), message=message
    )


def pointer_to(path: Sequence[str | int], body: object) -> str:
    """Return the JSON pointer (RFC 6901) of a Pydantic location: the names of union members in it are not in
    the document.
    """
    return reduce(join, _steps(path, body), "")


def _steps(path: Sequence[str | int], value: object) -> Iterator[str | int]:
    for place, part in enumerate(path):
        inner = _member(value, part)
        # What is missing may be named last, but not the tag of the union member that was chosen.
        is_tag = isinstance(value, dict) and value.get("type") == part
        if inner is None and (place < len(path) - 1 or is_tag) and isinstance(value, dict | list):
            continue
        value = inner
        yield part


def _member(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    return value[part] if isinstance(value, list) and isinstance(part, int) and part < len(value) else None


async def refuse_as_framework(request: Request, error: Exception) -> Response:
    """Say what the framework refuses as problem details, and to OPTIONS which methods an address takes."""
    assert isinstance(error, HTTPException)
    kind = _BY_STATUS.get(error.status_code, InternalError if error.status_code >= 500 else BadRequest)
    if kind is MethodNotAllowed:
        if request.method == "OPTIONS":
            known = ", ".join(sorted(_allowed(request) | {"OPTIONS"}))
            return Response(status_code=204, headers={"Allow": known, "Cache-Control": "no-store"})
        allowed = sorted(_allowed(request))
        detail = f"{request.method} is not for this address; it takes {', '.join(allowed)}."
        return problem_response(request, MethodNotAllowed(detail, headers={"Allow": ", ".join(allowed)}))
    if isinstance(error.__cause__, UnicodeDecodeError):
        return problem_response(
            request, BadRequest(f"The body is not UTF-8: byte {error.__cause__.start} begins no character.")
        )
    detail = f"There is nothing at {request.scope['path']}." if kind is NotFound else str(error.detail)
    return problem_response(request, kind(detail, headers=error.headers))


def _allowed(request: Request) -> set[str]:
    here = (
        found.route
        for found in iter_route_contexts(request.app.routes)
        if found.route.matches(request.scope)[0] is not Match.NONE
    )
    methods = {method for route in here for method in getattr(route, "methods", None) or ()}
    return methods | {"HEAD"} if "GET" in methods else methods


class ShapedRefusals:
    """ASGI layer: what Starlette refuses in plain text, past every handler: a body announced as too large, a
    range of a file.
    """

    _framework: ClassVar[Mapping[int, ServiceError]] = {
        400: BadRequest("The Range header cannot be read."),
        413: TooLarge("The body is larger than this address takes."),
        416: RangeNotSatisfiable("The file has no such range."),
    }

    def __init__(self, app: ASGIApp, kinds: Mapping[int, ServiceError] | None = None) -> None:
        self.app = app
        self._kinds = self._framework if kinds is None else kinds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = b""

        async def shaped(message: Message) -> None:
            nonlocal problem
            if message["type"] == "http.response.start" and message["status"] in self._kinds:
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "text/plain").startswith("text/plain"):
                    problem = self._kinds[message["status"]].problem(scope["path"])
                    headers.update(
                        {
                            "content-type": PROBLEM,
                            "content-length": str(len(problem)),
                            "cache-control": "no-store",
                        }
                    )
            elif problem and message["type"] == "http.response.body":
                message = {**message, "body": problem}
            await send(message)

        await self.app(scope, receive, shaped)


async def _database_failed(request: Request, error: Exception) -> Response:
    return problem_response(request, refusal(error))


async def _cut_off(request: Request, error: Exception) -> Response:
    # Nobody reads this. Readers leave a page while it still sends: that is no fault of the service.
    return problem_response(request, CutOff("The request ended before it was complete."))


async def _crashed(request: Request, error: Exception) -> Response:
    log.error("unexpected fault", exc_info=error)
    return problem_response(
        request, InternalError("The fault is in the log, under this request's X-Request-ID.")
    )


@router.get("/problems")
async def list_problems() -> HTMLResponse:
    """Every kind of problem."""
    rows = "".join(
        f'<li><a href="/problems/{slug}">{slug}</a> ({kind.status})'
        for slug, kind in sorted(ServiceError.kinds.items())
    )
    return _page("Problems", f"<ul>{rows}</ul>")


@router.get("/problems/{slug}")
async def explain_problem(slug: str) -> HTMLResponse:
    """Explain one kind of problem."""
    kind = ServiceError.kinds.get(slug)
    if kind is None:
        raise NotFound(f"There is no kind of problem {slug!r}.")
    text = html.escape(" ".join((kind.__doc__ or "").split()))
    return _page(
        kind.title, f"<p>{text}</p><p>HTTP status {kind.status}. <a href='/problems'>All problems</a></p>"
    )


def _page(title: str, body: str) -> HTMLResponse:
    page = (
        "<!doctype html><html lang=en><meta"
        f" charset=utf-8><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
    )
    headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "public, max-age=3600"}
    return HTMLResponse(page, headers=headers)
