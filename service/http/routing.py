"""Guard the entrance of every endpoint: unknown query parameters and media types are refused, and a POST with
an `Idempotency-Key` takes effect at most once.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, ClassVar, get_args, get_origin

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.responses import Content

from service.database import Database, Session
from service.errors import BadRequest, FieldProblem, NotFound, Unprocessable, UnsupportedMediaType
from service.http import idempotency, operations
from service.http.bodies import parsed_aside, read_json
from service.http.callers import Needs, known_caller, note_contract
from service.http.conditional import unshared
from service.http.idempotency import Claim, KeyReused, StillRunning
from service.http.negotiation import media_type
from service.http.patching import invalid
from service.services import service
from service.settings import Settings
from service.tables import Shape, ShownOnce

LONGEST_KEPT = 4 * 1024 * 1024
"""Bytes of an answer that is kept for an `Idempotency-Key`."""


class UnknownParameter(BadRequest):
    """The address has a query parameter that this endpoint does not know."""

    title = "Unknown query parameter"


class RepeatedParameter(BadRequest):
    """The address gives a query parameter more than once that this endpoint takes once."""

    title = "Repeated query parameter"


class NoMembers(Shape):
    """The body of an operation that takes none: absent, or an object without members."""


class Route(APIRoute):
    """The route class of every router."""

    keeps_long_answers: ClassVar[bool] = True
    """False where bodies and answers may be of any length, and the same request does nothing the second time:
    then only a body up to `COPYDESK_BODY_MAX_BYTES`, whose length is announced, has its answer kept.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        described = operations.describe(self)
        self.responses = described.responses | self.responses
        self.openapi_extra = described.extra
        self.description = described.text

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler, inside the transaction that it opens and before that is committed."""
        handle_any = super().get_route_handler()
        known = dict(parameters(self.dependant))
        seals = _holds_secret(self.response_model)
        needs, knows_callers = _needs(self), operations.knows_callers(self)
        takes_none = _takes_no_body(self)

        async def handle(request: Request) -> Response:
            response = await handle_any(request)
            if response.status_code == HTTPStatus.NO_CONTENT:
                del response.headers["content-type"]  # The framework gives one to each answer.
            return response

        async def enter(request: Request) -> Response:
            if knows_callers:
                # Before anything else of the request is looked at: a caller without the right learns nothing
                # of it.
                caller = await known_caller(request)
                if needs is not None:
                    needs.check(caller)
            elif "authorization" in request.headers:
                await note_contract(request)
            _refuse_parameters(request, known)
            refuse_nul(request)
            if self.body_field is not None and _has_body(request):
                _need_json(request)
                # The test of shapes fails if FastAPI tells by another member that it wraps the body.
                await read_json(request, None if self._embed_body_fields else self.body_field)
            elif takes_none and _has_body(request):
                await _refuse_body(request)
            key = request.headers.get("idempotency-key")
            if (
                request.method != "POST"
                or key is None
                or "authorization" not in request.headers
                or not (self.keeps_long_answers or _is_short(request))
            ):
                return unshared(request, await handle(request))
            return await _once(request, key, handle, reads_json=self.body_field is not None, seals=seals)

        return enter


def _needs(route: APIRoute) -> Needs | None:
    """Return what lets callers through to an endpoint; None where everybody may call it."""
    calls = (each.call for each in operations.needed(route.dependant))
    return next((call for call in calls if isinstance(call, Needs)), None)


def parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Return all query parameters of an endpoint and of what it depends on, and whether each may
    be repeated.
    """
    yield from ((field.alias, _is_list(field.field_info.annotation)) for field in dependant.query_params)
    for needed in dependant.dependencies:
        yield from parameters(needed)


def _holds_secret(shape: object) -> bool:
    """Return whether an answer of this shape has a member that is shown once."""
    members = shape.model_fields.values() if isinstance(shape, type) and issubclass(shape, BaseModel) else ()
    return any(isinstance(mark, ShownOnce) for member in members for mark in member.metadata)


def _is_list(annotation: object) -> bool:
    return any(get_origin(kind) in (list, tuple, set) for kind in (annotation, *get_args(annotation)))


def _refuse_parameters(request: Request, known: Mapping[str, bool]) -> None:
    """Refuse parameters that the endpoint does not know, and repeated ones that it takes once."""
    if not request.scope["query_string"]:
        return
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        listed = ", ".join(sorted(known)) or "none"
        raise UnknownParameter(
            f"There is no query parameter {unknown!r} here. Known: {listed}.", parameter=unknown
        )
    counted = Counter(name for name, _ in request.query_params.multi_items() if not known[name])
    repeated = next((name for name, count in counted.items() if count > 1), None)
    if repeated is not None:
        raise RepeatedParameter(
            f"The query parameter {repeated!r} is given {counted[repeated]} times, and may be given once.",
            parameter=repeated,
        )


def refuse_nul(request: Request) -> None:
    """Refuse U+0000. No stored text has it, and PostgreSQL takes no parameter with it."""
    if "\x00" in request.scope["path"]:
        raise NotFound("There is nothing at this address: it has the character U+0000.")
    wrong = next((name for name, value in request.query_params.multi_items() if "\x00" in value), None)
    if wrong is not None:
        message = "must not contain the control character U+0000"
        raise Unprocessable(
            f"{wrong} {message}.", errors=[FieldProblem(place="query", pointer=f"/{wrong}", message=message)]
        )


def _takes_no_body(route: APIRoute) -> bool:
    """Return whether an operation takes no body. GET is no matter, and a page of readers takes what its form
    sends.
    """
    reads_itself = route.body_field is not None or "requestBody" in (route.openapi_extra or {})
    return route.include_in_schema and not reads_itself and not set(route.methods or ()) & {"GET", "HEAD"}


async def _refuse_body(request: Request) -> None:
    """Refuse a body that says something, where the operation takes none."""
    body = await request.body()
    if not body:
        return
    _need_json(request)
    given = await parsed_aside(body)
    try:
        NoMembers.model_validate(given)
    except ValidationError as error:
        raise invalid(error, given) from None


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _need_json(request: Request) -> None:
    given = media_type(request)
    is_json = given == "application/json" or (given.startswith("application/") and given.endswith("+json"))
    # A JSON Patch (RFC 6902) lists operations: it is no document, nor a merge patch.
    if is_json and given != "application/json-patch+json":
        return
    raise UnsupportedMediaType("Send the body as application/json.", headers={"Accept": "application/json"})


async def _once(
    request: Request,
    key: str,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    reads_json: bool,
    seals: bool,
) -> Response:
    """Run the request, or replay the answer to the first request with this key."""
    if not 1 <= len(key) <= 255:
        raise BadRequest("Idempotency-Key must have 1 to 255 characters.")
    database = service(request, Database)
    # Anonymous callers claim no keys. A revoked token gets no kept answer.
    await known_caller(request)
    fingerprint = await _fingerprint(request, reads_json=reads_json)
    claim = idempotency.new_claim(request, key, fingerprint, seals=seals)
    _release_when_it_fails(request, database, claim)
    async with database.admission.slot(writes=True), database.turn():
        kept = await run_in_threadpool(idempotency.take, database, claim)
    if kept is not None:
        return kept
    request.state.claim = claim
    response = await handle(request)
    if isinstance(response, StreamingResponse) and not await _gather(response):
        # A fault of the store's, or more than is kept: the same request may be sent again, and does the rest.
        async with database.turn():
            await run_in_threadpool(idempotency.release, database, claim)
        return response
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        await run_in_threadpool(idempotency.keep, session, request, response)
    elif not claim.is_kept:
        # An endpoint without a session has written nothing, or has kept its answer with what it wrote.
        async with database.turn():
            await run_in_threadpool(idempotency.keep_alone, database, request, response)
    return response


def _is_short(request: Request) -> bool:
    length = request.headers.get("content-length", "")
    return length.isdigit() and int(length) <= service(request, Settings).body_max_bytes


async def _gather(response: StreamingResponse) -> bool:
    """Read an answer that is written piece by piece, and return whether it may be kept. It is still sent."""
    pieces: list[bytes] = []
    left, rest = LONGEST_KEPT, _bytes(response.body_iterator)
    async for piece in rest:
        pieces.append(piece)
        left -= len(piece)
        if left < 0:
            break
    is_whole = left >= 0

    async def again() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece
        async for piece in rest:
            yield piece

    response.body_iterator = again()
    response.body = b"".join(pieces) if is_whole else b""
    return is_whole and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR


async def _bytes(pieces: AsyncIterable[Content]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece.encode() if isinstance(piece, str) else bytes(piece)


def _release_when_it_fails(request: Request, database: Database, claim: Claim) -> None:
    """Let the same key be tried again at once when the request is refused, or its transaction cannot be
    committed.

    Runs after the request's transaction has ended. Releasing the key needs the write turn, which that
    transaction still holds.
    """

    async def end(
        kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, StillRunning | KeyReused):
            with suppress(PoolTimeout):  # The claim lapses by itself.
                async with database.turn(within=database.settings.patience):
                    await run_in_threadpool(idempotency.release, database, claim)

    # A key of FastAPI's own: tests/everywhere/test_idempotency.py fails if it has another name one day.
    stack: AsyncExitStack = request.scope["fastapi_inner_astack"]
    stack.push_async_exit(end)


async def _fingerprint(request: Request, *, reads_json: bool) -> str:
    """Return the mark that tells one body from another: its hash, or of a large upload, which is never held
    in memory, its kind and length.

    A client that sends a form again makes up another boundary for it, of the same length: it is left out.
    """
    kind, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    length = request.headers.get("content-length", "")
    if reads_json or _is_short(request):
        body = await request.body()
        mark = boundary.partition(";")[0].strip(' "').encode()
        return hashlib.sha256(body.replace(mark, b"") if mark else body).hexdigest()
    return hashlib.sha256(f"{kind}\n{length}".encode()).hexdigest()
