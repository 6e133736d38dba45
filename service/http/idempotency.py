"""A POST with an `Idempotency-Key` takes effect at most once, and its first answer is replayed for a day.

A request claims its key in a transaction of its own, so that a second one learns that the first is running.
The claim has an owner. The answer is kept in the transaction of the effect, and only under a claim that is
still the owner's: a request that lost its claim, because it took too long, takes no effect.

An answer that holds a secret is kept sealed, by AES-256-GCM under a key that follows from the request itself:
its token and its `Idempotency-Key`. The store keeps digests of both, so that only who sends the request again
can open it.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response
from sqlalchemy import ColumnElement, Delete, and_, delete, false, or_, update
from sqlmodel import Field, col, select
from starlette.concurrency import run_in_threadpool

from service.database import Database, Session, insert, rows_changed
from service.errors import Conflict, Unprocessable
from service.faults import DATABASE_FAULTS
from service.tables import Json, Table, Time, new_id, now

KEPT_FOR = timedelta(hours=24)
FORGETS_EVERY = 600.0
DEADLINES_PER_CLAIM = 3
"""A claim lapses after this many deadlines of a transaction, when its request must have ended long ago."""
KEPT_HEADERS = ("content-type", "etag", "location", "cache-control", "vary")
_NONCE = 12
log = structlog.get_logger()


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
    owner: UUID | None = None
    status: int | None = None
    headers: dict[str, str] = Field(default_factory=dict, sa_type=Json(dict[str, str]))
    body: bytes = b""
    is_sealed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


@dataclass(slots=True)
class Claim:
    """The claim of one request on a key. The request alone may take effect under the key while `owner` stands
    in the row.
    """

    key_digest: str
    body_digest: str
    secret: bytes
    """The key that the answer is sealed with. The store never has it."""
    seals: bool = False
    """True when the answer holds a secret."""
    owner: UUID = field(default_factory=new_id)
    is_kept: bool = False


def new_claim(request: Request, key: str, body_digest: str, *, seals: bool) -> Claim:
    """Make the claim of a request with an `Idempotency-Key`: one for its caller, its address and its key."""
    asked = f"{request.headers['authorization']}\n{request.scope['path']}?{request.url.query}\n{key}".encode()
    secret = hashlib.blake2b(asked, digest_size=32, person=b"kept answer").digest()
    return Claim(hashlib.sha256(asked).hexdigest(), body_digest, secret, seals)


def claim_of(request: Request) -> Claim | None:
    """Return the claim of a request, or None when it has no key."""
    claim: Claim | None = getattr(request.state, "claim", None)
    return claim


def take(database: Database, claim: Claim) -> Response | None:
    """Claim the key, or return the answer that was kept under it. Raises KeyReused, StillRunning."""
    with database.writing() as session:
        session.execute(_drop_old(session, claim.key_digest))
        claimed = insert(session, KeptAnswer).on_conflict_do_nothing().returning(col(KeptAnswer.key_digest))
        row = {
            "key_digest": claim.key_digest,
            "body_digest": claim.body_digest,
            "claimed_at": now(),
            "owner": claim.owner,
            "headers": {},
            "body": b"",
            "is_sealed": False,
        }
        if session.execute(claimed.values(row)).first() is not None:
            return None
        kept = session.get(KeptAnswer, claim.key_digest)
    return _replay(kept, claim)


def _drop_old(session: Session, key_digest: str) -> Delete:
    lapses_after = timedelta(seconds=DEADLINES_PER_CLAIM * session.database.settings.request_deadline)
    is_old = or_(
        col(KeptAnswer.claimed_at) < now() - KEPT_FOR,
        and_(col(KeptAnswer.status).is_(None), col(KeptAnswer.claimed_at) < now() - lapses_after),
    )
    old = select(KeptAnswer.key_digest).where(KeptAnswer.key_digest == key_digest, is_old)
    # A row that is locked belongs to a transaction that is about to keep its answer.
    old = old.with_for_update(skip_locked=True)
    return delete(KeptAnswer).where(col(KeptAnswer.key_digest).in_(old))


def _replay(kept: KeptAnswer | None, claim: Claim) -> Response:
    if kept is not None and kept.body_digest != claim.body_digest:
        raise KeyReused("This Idempotency-Key was used with another body.")
    if kept is None or kept.status is None:  # None at all: the other request has just been refused.
        raise _still_running()
    body = _unsealed(claim, kept.body) if kept.is_sealed else kept.body
    return Response(body, kept.status, {**kept.headers, "Idempotent-Replayed": "true"})


def _sealed(claim: Claim, body: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(claim.secret).encrypt(nonce, body, claim.key_digest.encode())


def _unsealed(claim: Claim, body: bytes) -> bytes:
    return AESGCM(claim.secret).decrypt(body[:_NONCE], body[_NONCE:], claim.key_digest.encode())


def _still_running() -> StillRunning:
    return StillRunning(
        "The first request with this Idempotency-Key is still running.", headers={"Retry-After": "1"}
    )


def release(database: Database, claim: Claim) -> None:
    """Let the key be tried again at once, unless an answer is kept. When the database is away, the claim
    lapses.
    """
    try:
        with database.writing() as session:
            session.execute(delete(KeptAnswer).where(*_held(claim)))
    except DATABASE_FAULTS as fault:
        log.warning("a claim on an idempotency key was left to lapse", fault=type(fault).__name__)


def keep(session: Session, request: Request, response: Response) -> None:
    """Keep the answer to a POST with a key, in the transaction of its effect. Raises StillRunning when the
    claim is another request's by now: then the transaction must not be committed.

    Only an endpoint whose transaction is not the request's own needs to call it. It may call it again when
    that had to be rolled back.
    """
    claim = claim_of(request)
    if claim is None:
        return
    headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    body = bytes(response.body)
    answer = {
        "status": response.status_code,
        "headers": headers,
        "body": _sealed(claim, body) if claim.seals else body,
        "is_sealed": claim.seals,
    }
    if rows_changed(session.execute(update(KeptAnswer).where(*_held(claim)).values(answer))) == 0:
        raise _still_running()
    claim.is_kept = True


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        col(KeptAnswer.key_digest) == claim.key_digest,
        col(KeptAnswer.owner) == claim.owner,
        col(KeptAnswer.status).is_(None),
    )


def hold_all(session: Session, requests: Sequence[Request]) -> list[StillRunning | None]:
    """Keep the claims of these requests from being taken until the transaction ends: for each, what refuses
    it when its claim is another's by now.

    A transaction that many requests share calls it before it works for any of them.
    """
    claims = [claim_of(request) for request in requests]
    keys = [claim.key_digest for claim in claims if claim is not None]
    if not keys:
        return [None] * len(claims)
    held = select(KeptAnswer.owner).where(
        col(KeptAnswer.key_digest).in_(keys), col(KeptAnswer.status).is_(None)
    )
    # In one order: transactions of two processes must not wait for each other.
    held = held.order_by(col(KeptAnswer.key_digest))
    owners = set(session.exec(held.with_for_update()))
    return [None if claim is None or claim.owner in owners else _still_running() for claim in claims]


def keep_alone(database: Database, request: Request, response: Response) -> None:
    """Keep the answer of an endpoint that has written nothing."""
    with database.writing() as session:
        keep(session, request, response)


async def forget_some(database: Database) -> float:
    """Delete what has been kept for longer than a day; return the seconds to wait."""
    async with database.turn():
        await run_in_threadpool(forget_old, database)
    return FORGETS_EVERY


def forget_old(database: Database) -> None:
    """Delete what has been kept for longer than a day."""
    with database.writing() as session:
        session.execute(delete(KeptAnswer).where(col(KeptAnswer.claimed_at) < now() - KEPT_FOR))
