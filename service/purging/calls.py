"""Call each kind of cache so that it drops the answers that name some keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from service.outbound.post import Answered, post
from service.settings import Settings

MOST_KEYS = {"varnish": 100, "fastly": 256, "cloudflare": 100, "url": 1_000}
"""Keys in one call. Varnish takes a header of 8 kB, and compares each key with each answer that it keeps."""
DEADLINE = 10.0
"""Seconds for one call."""
MOST_SAID = 200
Headers = dict[str, str]


class PurgeRefused(RuntimeError):
    """The cache did not take a call, and asks to be left alone for some seconds."""

    def __init__(self, message: str, retry_after: str | None) -> None:
        super().__init__(message)
        asked = retry_after or ""
        self.seconds = int(asked[:6]) if asked.isascii() and asked.isdigit() else 0


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a cache."""

    method: str
    url: str
    headers: Headers
    body: bytes


def calls(settings: Settings, keys: Sequence[str], seq: int) -> Iterator[Call]:
    """Yield the calls that have every cache of the settings drop answers with these keys; `seq` is the number
    of the last change that they are of.
    """
    size = MOST_KEYS[settings.purge_kind]
    for first in range(0, len(keys), size):
        for url in settings.purge_url:
            yield _call(settings, url, keys[first : first + size], seq)


def _call(settings: Settings, url: str, keys: Sequence[str], seq: int) -> Call:
    token = None if settings.purge_token is None else settings.purge_token.get_secret_value()
    bearer: Headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    match settings.purge_kind:
        case "varnish":
            return Call("BAN", url, {"Surrogate-Key": " ".join(keys), **bearer}, b"")
        case "fastly":
            return _json(f"{url}/purge", {"Fastly-Key": token or ""}, {"surrogate_keys": keys})
        case "cloudflare":
            return _json(f"{url}/purge_cache", bearer, {"tags": keys})
        case _:
            return _json(url, bearer, {"keys": keys, "seq": seq})


def _json(url: str, headers: Headers, members: dict[str, object]) -> Call:
    told = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    return Call("POST", url, told, orjson.dumps(members))


def make(settings: Settings, call: Call) -> None:
    """Make a call to an address that the operator names, which may be a private one.

    Raises PurgeRefused, and what `post` raises.
    """
    answered = post(
        settings, call.url, call.headers, call.body, method=call.method, deadline=DEADLINE, is_own=True
    )
    if not 200 <= answered.status < 300 or _is_failure(answered):
        raise PurgeRefused(
            f"The cache answered {answered.status}: {answered.body[:MOST_SAID]}", answered.retry_after
        )


def _is_failure(answered: Answered) -> bool:
    """Return whether an answer of success tells of a failure, as Cloudflare's may."""
    return '"success":false' in answered.body.replace(" ", "")
