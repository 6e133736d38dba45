"""Encrypt the secrets of webhooks as they lie in the database: AES-256-GCM under a key that is derived from
COPYDESK_SECRET_KEY (HKDF, RFC 5869).

A secret is bound to its webhook, so that what one row holds is of no use in another row.
"""

import base64
import secrets
from contextlib import suppress
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.settings import Settings

PREFIX = "whsec_"
_NONCE = 12


class SecretUnreadable(ValueError):
    """The secret was encrypted under another COPYDESK_SECRET_KEY, or for another webhook."""


def new_secret() -> bytes:
    """256 random bits."""
    return secrets.token_bytes(32)


def shown(secret: bytes) -> str:
    """Return a secret as a receiver is given it."""
    return PREFIX + base64.b64encode(secret).decode()


def encrypt(settings: Settings, webhook_id: UUID, secret: bytes) -> bytes:
    """Encrypt a secret under the present key."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + _cipher(settings.signing_key).encrypt(nonce, secret, webhook_id.bytes)


def decrypt(settings: Settings, webhook_id: UUID, encrypted: bytes) -> bytes:
    """Return a secret that was encrypted under the present key or the one before. Raises SecretUnreadable."""
    for key in settings.opening_keys:
        with suppress(InvalidTag):
            return _cipher(key).decrypt(encrypted[:_NONCE], encrypted[_NONCE:], webhook_id.bytes)
    raise SecretUnreadable("This secret was sealed with another COPYDESK_SECRET_KEY.")


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"copydesk webhook secrets").derive(key))
