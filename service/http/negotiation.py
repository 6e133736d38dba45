"""Read Content-Type, Accept and Accept-Encoding (RFC 9110): clients' headers are read here alone."""

import re
from collections.abc import Sequence
from functools import lru_cache

from starlette.requests import Request

MOST_RANGES = 100
"""Ranges of one header that are read; a client names ten at the most."""
LONGEST_REMEMBERED = 256
"""Characters of a header whose choice is remembered. Longer ones are rare, and would let clients fill the
memory.
"""
CODINGS = ("br", "zstd", "gzip")
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_QUALITY = re.compile(r"0(?:\.\d*)?|1(?:\.0*)?|\.\d+")


def ranges(header: str) -> dict[str, float]:
    """Return the quality of each range that a header names, in lower case. Parameters other than `q` are left
    out.
    """
    parts = _RANGE.findall(header) if '"' in header else header.split(",", MOST_RANGES)
    found: dict[str, float] = {}
    for part in parts[:MOST_RANGES]:
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        if name:
            found[name] = max(_quality(parameters), found.get(name, 0.0))
    return found


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return float(value) if _QUALITY.fullmatch(value := value.strip()) else 0.0
    return 1.0


def media_type(request: Request) -> str:
    """Return the media type of a request's body, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def choose_type(accept: str | bytes, offered: tuple[str, ...]) -> str:
    """Return the media type that a client likes best of those offered.

    Among equals a type that is named comes before one that only a wildcard covers, then the first offered.
    The first is also the answer to a client that accepts none of them.
    """
    return (_remembered_type if len(accept) <= LONGEST_REMEMBERED else _best_type)(accept, offered)


def _best_type(accept: str | bytes, offered: tuple[str, ...]) -> str:
    wanted = ranges(accept if isinstance(accept, str) else accept.decode("latin-1"))
    ranked = [(*_match(wanted, media_type), -place, media_type) for place, media_type in enumerate(offered)]
    quality, _, _, best = max(ranked)
    return best if quality > 0 else offered[0]


def _match(wanted: dict[str, float], media_type: str) -> tuple[float, int]:
    """Return the quality of a media type and how exactly it is named: the most specific range decides."""
    general = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next(((wanted[name], -place) for place, name in enumerate(general) if name in wanted), (0.0, 0))


def choose_coding(accepted: bytes) -> str:
    """Return the content coding that a client likes best: ours in their order among equals, "" for none."""
    return (_remembered_coding if len(accepted) <= LONGEST_REMEMBERED else _best_coding)(accepted)


def _best_coding(accepted: bytes) -> str:
    wanted = ranges(accepted.decode("latin-1"))
    ranked = [
        (wanted.get(coding, wanted.get("*", 0.0)), -place, coding) for place, coding in enumerate(CODINGS)
    ]
    best, _, coding = max(ranked)
    return coding if best > 0 and best >= wanted.get("identity", 0.0) else ""


_remembered_type, _remembered_coding = lru_cache(1_000)(_best_type), lru_cache(1_000)(_best_coding)
