"""Post a message to an address that an integrator gave. Redirects are not followed."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx

from service import __version__
from service.outbound.addresses import checked
from service.outbound.connections import FetchFailed, PinnedBackend, PinnedTransport, SourceTooSlow
from service.settings import Settings
from service.tracing import called

MOST_READ = 2_000
"""Bytes of an answer that are kept: enough for what a receiver has to say of a fault."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver's answer: the status, how long to wait if it said so, and the beginning of the body."""

    status: int
    retry_after: str | None
    body: str


def post(
    settings: Settings,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    method: str = "POST",
    deadline: float | None = None,
    is_own: bool = False,
) -> Answered:
    """Post a body within some seconds, or the deadline of all that goes out.

    It connects to public addresses only, unless the address `is_own`: named by the operator in a setting.
    Raises AddressRefused, FetchFailed and SourceTooSlow.
    """
    place = httpx.URL(url) if is_own else checked(url)
    ends = time.monotonic() + (settings.outbound_deadline if deadline is None else deadline)
    backend = PinnedBackend(ends, allow_loopback=settings.outbound_allow_loopback, allow_all=is_own)
    transport = called(PinnedTransport(backend))
    known = {"User-Agent": f"Copydesk/{__version__}", "Accept-Encoding": "identity", **headers}
    try:
        with (
            httpx.Client(transport=transport, trust_env=False) as client,
            client.stream(method, place, headers=known, content=body, follow_redirects=False) as response,
        ):
            return Answered(response.status_code, response.headers.get("retry-after"), _beginning(response))
    except httpx.TimeoutException as error:
        raise SourceTooSlow(f"{place.host} did not answer completely in time.") from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise FetchFailed(f"{place.host} could not be reached: {error}") from error


def _beginning(response: httpx.Response) -> str:
    """Read the beginning of an answer. The status has been said: a body that breaks off, or comes too slowly,
    makes no other answer of it.
    """
    read = bytearray()
    with suppress(httpx.HTTPError, FetchFailed):
        for part in response.iter_raw():
            read += part
            if len(read) >= MOST_READ:
                break
    return bytes(read[:MOST_READ]).decode("utf-8", "replace").replace("\x00", "\ufffd")
