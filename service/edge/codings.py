"""The content codings of answers that are made once and sent often."""

import gzip

import brotli
import zstandard

LEAST_COMPRESSED = 400


def compress(body: bytes, coding: str) -> bytes:
    """Return the body in a content coding; "" is none."""
    if coding == "br":
        compressed: bytes = brotli.compress(body, quality=5)
        return compressed
    if coding == "zstd":
        return zstandard.compress(body, 6)
    return gzip.compress(body, 6, mtime=0) if coding == "gzip" else body
