"""How every endpoint is entered: no query parameter that it does not know, no media type that it does not
take, and a POST with an `Idempotency-Key` at most once.

An answer to a keyed POST is kept in the transaction of its effect, so that there is never one without the
other. The claim on the key is committed before, so that a second request meanwhile learns that the first is
still running; a claim whose process died lapses after a minute.
"""

import hashlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import delete, update
from sqlmodel import Field, col, select
from starlette.concurrency import run_in_threadpool

from service import operations
from service.auth import bearer, get_caller
from service.database import Database, Session, insert
from service.errors import BadRequest, Conflict, FieldProblem, NotFound, Unprocessable, UnsupportedMediaType
from service.tables import Json, Table, Time, now

KEPT_FOR = timedelta(hours=24)
CLAIM_LAPSES_AFTER = timedelta(minutes=1)
KEPT_HEADERS = ("content-type", "etag", "location", "cache-control", "vary")


class UnknownParameter(BadRequest):
    """The address has a query parameter that this endpoint does not know."""

    title = "Unknown query parameter"


class StillRunning(Conflict):
    """The first request with this `Idempotency-Key` has not finished yet. Ask again shortly."""

    title = "The first request is still running"


class KeyReused(Unprocessable):
    """This `Idempotency-Key` was used with another body. A key belongs to one request for 24 hours."""

    title = "Idempotency-Key used for another request"


class KeptAnswer(Table, table=True):
    """The claim on one idempotency key and, once its request has succeeded, the answer."""

    __tablename__ = "kept_answer"

    key_digest: str = Field(primary_key=True)
    body_digest: str
    claimed_at: Time = Field(default_factory=now, index=True)
    status: int | None = None
    headers: dict[str, str] = Field(default_factory=dict, sa_type=Json(dict[str, str]))
    body: bytes = b""


class Route(APIRoute):
    """The route class of every router."""

    keeps_answers: ClassVar[bool] = True
    """Whether the answer to a keyed POST is kept: not where it may have any length, and the same again does
    nothing anyway.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        described = operations.describe(self)
        self.responses = described.responses | self.responses
        self.openapi_extra = described.extra
        self.description = described.text

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler, inside the transaction that it opens and before that is committed."""
        handle = super().get_route_handler()
        known = set(_parameters(self.dependant))

        async def enter(request: Request) -> Response:
            _refuse_unknown_parameters(request, known)
            refuse_nul(request)
            if self.body_field is not None and _has_body(request):
                _need_json(request)
            key = request.headers.get("idempotency-key")
            if (
                not self.keeps_answers
                or request.method != "POST"
                or key is None
                or "authorization" not in request.headers
            ):
                return await handle(request)
            return await _once(request, key, handle, reads_json=self.body_field is not None)

        return enter


def _parameters(dependant: Dependant) -> Iterator[str]:
    """The names of all query parameters of an endpoint and of what it depends on."""
    yield from (field.alias for field in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _parameters(needed)


def _refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        listed = ", ".join(sorted(known)) or "none"
        raise UnknownParameter(
            f"There is no query parameter {unknown!r} here. Known: {listed}.", parameter=unknown
        )


def refuse_nul(request: Request) -> None:
    """Refuse what PostgreSQL cannot even be asked for: no name or text that is kept has such a character."""
    if "\x00" in request.scope["path"]:
        raise NotFound("There is nothing at this address: it has the character U+0000.")
    wrong = next((name for name, value in request.query_params.multi_items() if "\x00" in value), None)
    if wrong is not None:
        message = "must not contain the control character U+0000"
        raise Unprocessable(
            f"{wrong} {message}.", errors=[FieldProblem(place="query", pointer=f"/{wrong}", message=message)]
        )


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _need_json(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        return
    raise UnsupportedMediaType("Send the body as application/json.", headers={"Accept": "application/json"})


async def _once(
    request: Request,
    key: str,
    handle: Callable[[Request], Coroutine[Any, Any, Response]],
    *,
    reads_json: bool,
) -> Response:
    """Run the request, or replay the answer that the first one with this key got."""
    if not 1 <= len(key) <= 255:
        raise BadRequest("Idempotency-Key must have 1 to 255 characters.")
    database: Database = request.app.state.database
    # Strangers claim no keys, and a token that was revoked is told no answer of its past.
    await get_caller(request, database, await bearer(request))
    scope = f"{request.headers['authorization']}\n{request.scope['path']}?{request.url.query}\n{key}"
    key_digest = hashlib.sha256(scope.encode()).hexdigest()
    body_digest = await _fingerprint(request, reads_json=reads_json)
    async with database.turn():
        kept = await run_in_threadpool(_claim, database, key_digest, body_digest)
    if kept is not None:
        return kept
    _release_when_it_fails(request, database, key_digest)
    request.state.key_digest, request.state.is_kept = key_digest, False
    response = await handle(request)
    session: Session | None = getattr(request.state, "session", None)
    if session is not None:
        await run_in_threadpool(keep, session, request, response)
    elif not request.state.is_kept:
        # An endpoint without a session has written nothing, or in transactions of its own.
        async with database.turn():
            await run_in_threadpool(_keep_alone, database, request, response)
    return response


def _release_when_it_fails(request: Request, database: Database, key_digest: str) -> None:
    """Let the same key be tried again at once when the request is refused, or its transaction cannot be
    committed.

    What is on this stack of FastAPI's ends after the request's transaction, whose turn to write it would wait
    for for ever.
    """

    async def end(
        kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is not None:
            async with database.turn():
                await run_in_threadpool(_release, database, key_digest)

    stack: AsyncExitStack = request.scope["fastapi_inner_astack"]
    stack.push_async_exit(end)


async def _fingerprint(request: Request, *, reads_json: bool) -> str:
    """What tells one body from another: its hash, or of a large upload, which is never held in memory, its
    kind and length.

    A client that sends a form again makes up another boundary for it, of the same length: it is left out.
    """
    media_type, _, boundary = request.headers.get("content-type", "").partition("boundary=")
    length = request.headers.get("content-length", "")
    if reads_json or (length.isdigit() and int(length) <= request.app.state.settings.body_max_bytes):
        body = await request.body()
        mark = boundary.partition(";")[0].strip(' "').encode()
        return hashlib.sha256(body.replace(mark, b"") if mark else body).hexdigest()
    return hashlib.sha256(f"{media_type}\n{length}".encode()).hexdigest()


def _claim(database: Database, key_digest: str, body_digest: str) -> Response | None:
    """Claim the key, or answer with what was kept under it."""
    with database.writing() as session:
        session.execute(
            delete(KeptAnswer).where(
                (col(KeptAnswer.key_digest) == key_digest)
                & (
                    (col(KeptAnswer.claimed_at) < now() - KEPT_FOR)
                    | (
                        col(KeptAnswer.status).is_(None)
                        & (col(KeptAnswer.claimed_at) < now() - CLAIM_LAPSES_AFTER)
                    )
                )
            )
        )
        claim = {
            "key_digest": key_digest,
            "body_digest": body_digest,
            "claimed_at": now(),
            "headers": {},
            "body": b"",
        }
        claimed = (
            insert(session, KeptAnswer)
            .values(claim)
            .on_conflict_do_nothing()
            .returning(col(KeptAnswer.key_digest))
        )
        if session.execute(claimed).first() is not None:
            return None
        kept = session.exec(select(KeptAnswer).where(KeptAnswer.key_digest == key_digest)).one()
    return _replay(kept, body_digest)


def _replay(kept: KeptAnswer, body_digest: str) -> Response:
    if kept.body_digest != body_digest:
        raise KeyReused("This Idempotency-Key was used with another body.")
    if kept.status is None:
        raise StillRunning(
            "The first request with this Idempotency-Key is still running.", headers={"Retry-After": "1"}
        )
    return Response(kept.body, kept.status, {**kept.headers, "Idempotent-Replayed": "true"})


def _release(database: Database, key_digest: str) -> None:
    with database.writing() as session:
        session.execute(
            delete(KeptAnswer).where(
                col(KeptAnswer.key_digest) == key_digest, col(KeptAnswer.status).is_(None)
            )
        )


def keep(session: Session, request: Request, response: Response) -> None:
    """Keep the answer to a POST with a key in the transaction of its effect. It may be called again when that
    had to be rolled back.

    Only an endpoint whose transaction is not the request's own needs to call it.
    """
    key_digest: str | None = getattr(request.state, "key_digest", None)
    if key_digest is None:
        return
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    session.execute(
        update(KeptAnswer)
        .where(col(KeptAnswer.key_digest) == key_digest)
        .values(status=response.status_code, headers=headers, body=bytes(response.body))
    )
    request.state.is_kept = True


def _keep_alone(database: Database, request: Request, response: Response) -> None:
    with database.writing() as session:
        keep(session, request, response)


def forget_old_answers(database: Database) -> None:
    """Delete what has been kept for longer than a day."""
    with database.writing() as session:
        session.execute(delete(KeptAnswer).where(col(KeptAnswer.claimed_at) < now() - KEPT_FOR))
