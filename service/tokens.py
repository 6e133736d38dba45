"""Create, list and revoke tokens. Only `admin` may. A secret is shown once."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, Field, TypeAdapter, model_validator
from sqlmodel import col, select

from service.contracts import Contract, ContractKind, PictureRight
from service.database import Session, SessionDep
from service.errors import Conflict, FieldProblem, NotFound, Unprocessable
from service.http import conditional, pages
from service.http.callers import Admin, Token, TokenUses, digest_of, new_secret, still_good
from service.http.routing import Route
from service.scopes import Scope
from service.services import service
from service.tables import Line, Reading, Secret, Shape, Time, now

router = APIRouter(prefix="/v1/tokens", tags=["tokens"], route_class=Route)
_KEY = TypeAdapter(tuple[UUID])
_BOUND = "the token makes and changes only articles and images of this source; null: of any"
_CONTRACT = "what its holder may read of what is public, and nothing else; null: everything"
_WITH_CONTRACT = frozenset({Scope.WEBHOOKS_WRITE})
"""Scopes that go with a contract. Others lead around it: they read drafts, or tell of what is left out."""
_OF_CONTENT = frozenset({Scope.CONTENT_READ, Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH})


def _in_future(value: Time) -> Time:
    if value <= now():
        raise ValueError("must be in the future")
    return value


class TokenCreate(Shape):
    """A token to be made."""

    name: Line = Field(examples=["wire desk"])
    scopes: Annotated[list[Scope], Field(max_length=50)] = Field(
        default_factory=list,
        description="at least one; with a contract perhaps none, and webhooks:write at the most",
        examples=[["content:read", "content:write"]],
    )
    source: Line | None = Field(default=None, description=_BOUND, examples=["wire.example"])
    expires_at: Annotated[Time, AfterValidator(_in_future)] | None = None
    contract: Contract | None = Field(default=None, description=_CONTRACT)

    @model_validator(mode="after")
    def binds_content_only(self) -> Self:
        """A source narrows what is done to content. Other scopes would lead around it."""
        beside = sorted(set(self.scopes) - _OF_CONTENT)
        if self.source is not None and beside:
            raise ValueError(f"with a source, a token has scopes of content only, and not {beside[0]}")
        return self


class TokenRead(Reading):
    """A token, without its secret."""

    id: UUID
    name: str = Field(examples=["wire desk"])
    scopes: list[Scope]
    source: str | None = Field(description=_BOUND)
    contract: Contract | None = Field(description=_CONTRACT)
    created_at: Time
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None


class TokenMade(TokenRead):
    """A token that was just made, with its secret: the only time that it is shown."""

    token: Secret = Field(examples=["cd_…"])


def make_token(session: Session, create: TokenCreate) -> TokenMade:
    """Make a token and keep its digest. Raises Unprocessable for what contradicts itself."""
    refuse_contradictions(create)
    secret = new_secret()
    token = Token.model_validate(
        create, update={"digest": digest_of(secret), "scopes": sorted(set(create.scopes))}
    )
    session.add(token)
    return TokenMade(**token.model_dump(include=set(TokenRead.model_fields)), token=secret)


def refuse_contradictions(create: TokenCreate) -> None:
    """Refuse a token without any right, and a contract that its scopes or its times contradict."""
    contract = create.contract
    if contract is None:
        if not create.scopes:
            raise _wrong("/scopes", "must have one scope at least, or the token a contract")
        return
    for number, scope in enumerate(create.scopes):
        if scope not in _WITH_CONTRACT:
            raise _wrong(f"/scopes/{number}", f"{scope} leads around a contract")
    if create.source is not None:
        raise _wrong("/source", "binds what a token writes, and with a contract it writes no content")
    if contract.until is not None and contract.until <= now():
        raise _wrong("/contract/until", "must be in the future")
    if contract.until is not None and create.expires_at is not None and create.expires_at <= contract.until:
        raise _wrong("/contract/until", "must be before expires_at, so that its holder can learn of the end")
    if contract.early_hours and ContractKind.ARTICLE not in contract.kinds:
        raise _wrong("/contract/early_hours", "is about articles, and kinds leaves them out")
    if contract.pictures is PictureRight.NONE and ContractKind.ARTICLE not in contract.kinds:
        raise _wrong("/contract/pictures", "none leaves nothing of kinds without article")


def _wrong(pointer: str, message: str) -> Unprocessable:
    problem = FieldProblem(pointer=pointer, message=message)
    return Unprocessable(f"{pointer.lstrip('/').replace('/', '.')}: {message}.", errors=[problem])


def is_good(session: Session, secret: str) -> bool:
    """Return whether this is the secret of a token that is neither revoked nor expired."""
    token = session.exec(select(Token).where(Token.digest == digest_of(secret))).one_or_none()
    return token is not None and still_good(token.revoked_at, token.expires_at)


def find(session: Session, beginning: str) -> Token:
    """Return the one token whose id begins so; hyphens may be left out."""
    digits = beginning.replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{1,32}", digits):
        raise NotFound(f"{beginning!r} is not the beginning of an id.")
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    found = session.exec(select(Token).where(Token.id >= first, Token.id <= last).limit(2)).all()
    if not found:
        raise NotFound(f"There is no token whose id begins with {beginning!r}.")
    if len(found) > 1:
        raise Conflict(f"The ids of several tokens begin with {beginning!r}.")
    return found[0]


def revoke(session: Session, token_id: UUID) -> Token:
    """Revoke a token; it is refused from the next request on."""
    token = session.get(Token, token_id)
    if token is None:
        raise NotFound(f"There is no token {str(token_id)!r}.")
    token.revoked_at = token.revoked_at or now()
    return token


@router.post("", status_code=201, response_model=TokenMade)
def create_token(request: Request, create: TokenCreate, caller: Admin, session: SessionDep) -> Response:
    """Make a token. Its secret is in the answer and nowhere else."""
    made = make_token(session, create)
    return conditional.answer(request, made, status=201, headers={"Location": f"/v1/tokens/{made.id}"})


@router.get("", response_model=pages.Page[TokenRead])
def list_tokens(
    request: Request,
    caller: Admin,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List tokens, newest first, revoked ones too."""
    return pages.answer_rows(
        request,
        session,
        select(Token),
        col(Token.id),
        asked,
        _KEY,
        lambda tokens: [_read(request, token) for token in tokens],
        TokenRead,
    )


@router.get("/{token_id}", response_model=TokenRead)
def get_token(
    request: Request, token_id: UUID, caller: Admin, session: SessionDep, fields: pages.Fields = None
) -> Response:
    """Read what is kept of one token."""
    token = session.get(Token, token_id)
    if token is None:
        raise NotFound(f"There is no token {str(token_id)!r}.")
    return conditional.answer(request, _read(request, token), fields=fields)


def _read(request: Request, token: Token) -> TokenRead:
    uses = service(request, TokenUses)
    used_at = uses.latest(token.id, token.last_used_at)
    return TokenRead.model_validate(token).model_copy(update={"last_used_at": used_at})


@router.delete("/{token_id}", status_code=204)
def revoke_token(token_id: UUID, caller: Admin, session: SessionDep) -> None:
    """Revoke a token at once. Asked again, it stays revoked."""
    revoke(session, token_id)


def in_days(days: int | None) -> datetime | None:
    """Return the time so many days from now."""
    return None if days is None else now() + timedelta(days=days)
