"""The reader's cookie: 128 random bits that only the reader holds; the store keeps their digest, and a salted
name for the reader.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import select

from service.consent.models import ConsentSubject
from service.database import Database
from service.tables import new_id, now

COOKIE = "__Host-consent_subject"
KEPT_FOR = 395 * 24 * 60 * 60
"""Seconds that a browser keeps the cookie: thirteen months, the longest that European authorities accept."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A reader: the row to be kept, and the secret for the cookie."""

    id: UUID
    salt: bytes
    pseudonym: str
    secret: str

    def row(self) -> dict[str, object]:
        """Return the row to store: everything but the secret itself."""
        return {
            "id": self.id,
            "salt": self.salt,
            "pseudonym": self.pseudonym,
            "secret_digest": digest_of(self.secret),
            "created_at": now(),
        }


def new_subject(signing_key: bytes, idempotency_key: str | None) -> Subject:
    """Make a reader. With an idempotency key the secret follows from it, so that a retry whose answer was
    lost gets the same cookie.
    """
    id_, salt = new_id(), secrets.token_bytes(16)
    secret = (
        _written(secrets.token_bytes(16))
        if idempotency_key is None
        else derived_secret(signing_key, idempotency_key)
    )
    return Subject(id_, salt, hmac.new(salt, id_.bytes, hashlib.sha256).hexdigest(), secret)


def derived_secret(signing_key: bytes, idempotency_key: str) -> str:
    """Return the secret that belongs to an idempotency key: 128 bits of an HMAC, which nobody can make
    without the signing key.
    """
    return _written(
        hmac.new(signing_key, b"consent subject\0" + idempotency_key.encode(), hashlib.sha256).digest()[:16]
    )


def _written(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest_of(secret: str) -> str:
    """Return the form in which the secret is kept. 128 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_known(database: Database, secret: str) -> bool:
    """Return whether a cookie is that of a reader of whom something is kept."""
    with database.reading() as session:
        held = select(ConsentSubject.id).where(ConsentSubject.secret_digest == digest_of(secret))
        return session.exec(held).first() is not None


def cookie(secret: str, *, cross_site: bool) -> str:
    """Return the `Set-Cookie` value. `__Host-` binds it to this very host (RFC 6265bis,
    4.1.3.2).

    Written out here because Python writes `Partitioned` from 3.14 on only.
    """
    return _set_cookie(secret, KEPT_FOR, cross_site=cross_site)


def no_cookie(*, cross_site: bool) -> str:
    """Return the `Set-Cookie` value that takes the cookie away."""
    return _set_cookie("", 0, cross_site=cross_site)


def _set_cookie(value: str, seconds: int, *, cross_site: bool) -> str:
    reach = "SameSite=None; Partitioned" if cross_site else "SameSite=Lax"
    return f"{COOKIE}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; {reach}"
