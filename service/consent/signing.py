"""The service's signature: Ed25519 (RFC 8032), with a key of its own that follows from COPYDESK_SECRET_KEY.

Nothing more has to be kept, copied or lost. Another secret makes another key; what was signed before keeps
the public key that it was signed with beside it.
"""

import base64
import hashlib
from functools import cached_property

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import JsonValue


class Signer:
    """Signs in the name of one service."""

    def __init__(self, secret: bytes) -> None:
        seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"copydesk consent log").derive(secret)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @cached_property
    def public_key(self) -> bytes:
        """Return the 32 bytes by which anybody can check a signature."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """Sign; 64 bytes."""
        return self._key.sign(content)


def is_signed(content: bytes, signature: bytes, public_key: bytes) -> bool:
    """Return whether a signature is by this key and over this content."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical(value: JsonValue) -> bytes:
    """Return the one way to write a JSON value (RFC 8785). Member names here are ASCII and numbers integers,
    for which sorting is enough.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def log_id(public_key: bytes) -> str:
    """Return a short name for a key: the SHA-256 of it, in hex."""
    return hashlib.sha256(public_key).hexdigest()


def encoded(content: bytes) -> str:
    """Bytes in a JSON member."""
    return base64.b64encode(content).decode()
