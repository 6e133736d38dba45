"""The content codings of answers that are made once and sent often, and the one that a reader gets."""

import gzip

import brotli
import zstandard

LEAST_COMPRESSED = 400
_CODINGS = (b"br", b"zstd", b"gzip")


def compress(body: bytes, coding: bytes) -> bytes:
    """The body in a content coding; `b""` is none."""
    if coding == b"br":
        compressed: bytes = brotli.compress(body, quality=5)
        return compressed
    if coding == b"zstd":
        return zstandard.compress(body, 6)
    return gzip.compress(body, 6, mtime=0) if coding == b"gzip" else body


def negotiate(accepted: str) -> bytes:
    """Choose a content coding by Accept-Encoding (RFC 9110, 12.5.3): the reader's preference, ours among
    equals.
    """
    quality: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        quality[name.strip()] = _quality(parameters)
    ranked = [
        (quality.get(coding.decode(), quality.get("*", 0.0)), -place, coding)
        for place, coding in enumerate(_CODINGS)
    ]
    best, _, coding = max(ranked)
    return coding if best > 0 and best >= quality.get("identity", 0.0) else b""


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
