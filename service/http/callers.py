"""Callers and their rights: bearer tokens, kept as digests, and the scopes that they carry."""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol, Self, TypeVar
from uuid import UUID

import orjson
import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.base import SecurityBase
from sqlalchemy import update
from sqlmodel import Field, col
from starlette.concurrency import run_in_threadpool

from service.contracts import Contract
from service.database import Database
from service.errors import Forbidden, Unauthorized
from service.rows import RowReader
from service.scopes import Scope
from service.services import service
from service.tables import Json, Line, Table, Time, latest, new_id, now, stored_time

USE_IS_NOTED_EVERY = timedelta(minutes=1)
USES_ARE_WRITTEN_EVERY = 1.0
log = structlog.get_logger()
bearer = HTTPBearer(
    auto_error=False, description="`Authorization: Bearer cd_…`, made by `copydesk token create`"
)


class Token(Table, table=True):
    """One token. The secret itself is shown once and never kept."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: Line
    digest: str = Field(unique=True)
    scopes: list[Scope] = Field(sa_type=Json(list[Scope]))
    source: Line | None = None
    contract: Contract | None = Field(default=None, sa_type=Json(Contract))
    created_at: Time = Field(default_factory=now)
    expires_at: Time | None = None
    revoked_at: Time | None = None
    last_used_at: Time | None = None


def still_good(revoked_at: datetime | None, expires_at: datetime | None) -> bool:
    """Return whether a token is neither revoked nor expired. One that has expired stays so when the clock is
    set back.
    """
    return revoked_at is None and (expires_at is None or expires_at > latest())


_BY_DIGEST = (
    "SELECT id, name, scopes, source, revoked_at, expires_at, last_used_at, contract"
    " FROM token WHERE digest = %s"
)


class _Sourced(Protocol):
    @property
    def source(self) -> str | None: ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


Sourced = TypeVar("Sourced", bound=_Sourced)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request: the holder of a token, or an anonymous reader."""

    id: UUID | None = None
    name: str = "reader"
    scopes: frozenset[Scope] = frozenset()
    source: str | None = None
    """The source whose items alone the caller makes and changes; None: any."""
    contract: Contract | None = None
    """The part of what is public that the caller may read; None: everything."""

    @property
    def is_anonymous(self) -> bool:
        """Return whether no token was sent."""
        return self.id is None

    def may(self, scope: Scope) -> bool:
        """Return whether the caller holds this scope; `admin` holds them all."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def need(self, scope: Scope) -> None:
        """Refuse a caller without this scope: 401 without a token, 403 with one."""
        if self.may(scope):
            return
        if self.is_anonymous:
            raise Unauthorized(f"This needs a token with the scope {scope}.")
        raise Forbidden(f"This token lacks the scope {scope}.", scope=str(scope))

    def need_source(self, source: str | None) -> None:
        """Refuse to write an item of this source with a token that is bound to another."""
        if self.source not in (None, source):
            raise Forbidden(f"This token is bound to the source {self.source!r}.", source=self.source)

    def signed(self, item: Sourced) -> Sourced:
        """Return the item with the caller's source, unless it names one."""
        if self.source is None or item.source is not None:
            return item
        return item.model_copy(update={"source": self.source})


ANONYMOUS = Caller()
HOUSE = Caller(name="copydesk", scopes=frozenset({Scope.ADMIN}))
"""The service itself, where a command or a job of its own writes."""
_NOT_GOOD = "This token is unknown, expired or revoked."


def digest_of(secret: str) -> str:
    """Return the form in which a secret is kept. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return a token's secret: 256 random bits behind a prefix that secret scanners can find."""
    return f"cd_{secrets.token_urlsafe(32)}"


async def identify(reader: RowReader, secret: str) -> tuple[Caller, datetime | None]:
    """Find whose token this is, and when its use was noted last. Asked anew for each request: a revocation
    holds at once.
    """
    found = await reader.rows(_BY_DIGEST, (digest_of(secret),))
    if not found:
        raise Unauthorized(_NOT_GOOD)
    id_, name, scopes, source, revoked_at, expires_at, used_at, contract = found[0]
    if not still_good(revoked_at, None if expires_at is None else stored_time(expires_at)):
        raise Unauthorized(_NOT_GOOD)
    held = frozenset(Scope(scope) for scope in (orjson.loads(scopes) if isinstance(scopes, str) else scopes))
    caller = Caller(UUID(str(id_)), name, held, source, _contract(contract))
    return caller, None if used_at is None else stored_time(used_at)


def _contract(stored: Any) -> Contract | None:
    """Read a contract as the drivers give it: SQLite's as text."""
    known = orjson.loads(stored) if isinstance(stored, str) else stored
    return None if known is None else Contract.model_validate(known)


class TokenUses:
    """The time of each token's last use, held in memory until it is written down: no request waits for that,
    and none fails with it. A process that is killed outright loses the last second. Used from the event loop
    only.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest: dict[UUID, datetime] = {}

    def note(self, token_id: UUID, written: datetime | None) -> None:
        """Note that a token is being used; `written` is what the store holds of its last use."""
        at = now()
        if written is None or at - written > USE_IS_NOTED_EVERY:
            self._latest[token_id] = at

    def latest(self, token_id: UUID, written: datetime | None) -> datetime | None:
        """Return when a token was used last, as far as this process knows."""
        return self._latest.get(token_id, written)

    async def write(self) -> None:
        """Write down all that is noted. Raises DATABASE_FAULTS; it is still noted then."""
        noted = dict(self._latest)
        if not noted:
            return
        async with self._database.turn():
            await run_in_threadpool(self._keep, noted)
        for token_id, at in noted.items():
            if self._latest[token_id] == at:
                del self._latest[token_id]

    def _keep(self, noted: Mapping[UUID, datetime]) -> None:
        with self._database.writing() as session:
            for token_id, at in sorted(noted.items()):
                session.execute(update(Token).where(col(Token.id) == token_id).values(last_used_at=at))

    async def step(self) -> float:
        """Write, and return the seconds to wait."""
        await self.write()
        return USES_ARE_WRITTEN_EVERY


async def get_caller(request: Request, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """Return the caller. A token that is sent must be good, even where none is needed."""
    if credentials is None:
        if "authorization" in request.headers:
            raise Unauthorized("The Authorization header must be `Bearer` and a token.")
        return ANONYMOUS
    caller, used_at = await identify(service(request, RowReader), credentials.credentials)
    if caller.id is not None:
        service(request, TokenUses).note(caller.id, used_at)
    return caller


class KnownCaller(SecurityBase):
    """The dependency that returns the caller, looked up once in each request, and says in the OpenAPI
    document that a token is taken.
    """

    model, scheme_name = bearer.model, bearer.scheme_name

    async def __call__(self, request: Request) -> Caller:
        """Return the caller. Raises Unauthorized for a token that is not good."""
        known: Caller | None = getattr(request.state, "caller", None)
        if known is None:
            known = request.state.caller = await get_caller(request, await bearer(request))
            request.state.contract = known.contract
        return known


known_caller = KnownCaller()


async def note_contract(request: Request) -> None:
    """Note the contract of a token that is sent to an address which needs none: the contract holds there too.
    An invalid token has no contract.
    """
    with suppress(Unauthorized):
        await known_caller(request)


CallerDep = Annotated[Caller, Depends(known_caller)]


class Needs(KnownCaller):
    """A dependency that lets only callers with this scope through, and says so in the OpenAPI document."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Caller:
        """Return the caller, who must have the scope. Raises Unauthorized and Forbidden."""
        caller = await super().__call__(request)
        self.check(caller)
        return caller

    def check(self, caller: Caller) -> None:
        """Refuse a caller who may not ask. Raises Unauthorized and Forbidden."""
        caller.need(self.scope)


StaffReader = Annotated[Caller, Depends(Needs(Scope.CONTENT_READ))]
StaffWriter = Annotated[Caller, Depends(Needs(Scope.CONTENT_WRITE))]
StaffPublisher = Annotated[Caller, Depends(Needs(Scope.CONTENT_PUBLISH))]
Admin = Annotated[Caller, Depends(Needs(Scope.ADMIN))]
