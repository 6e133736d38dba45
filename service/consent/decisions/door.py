"""Admit public writes: from pages of known origins, small, as JSON, and at a limited rate.

Nothing about the caller outlives the minutes in which it matters, and nothing is stored (`callers`).
"""

import math
import re
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import Message

from service.consent.decisions import subjects
from service.consent.decisions.callers import Limiter, Presses
from service.database import Database
from service.errors import Forbidden, TooLarge, TooManyRequests, UnsupportedMediaType
from service.http.negotiation import media_type
from service.http.proxies import Proxies
from service.http.routing import Route
from service.services import service
from service.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
JSON = frozenset({"application/json", "text/plain"})
"""JSON, and the plain text that `navigator.sendBeacon` sends a string as."""
FORM = frozenset({"application/x-www-form-urlencoded"})
_COUNTRY = re.compile("[A-Z]{2}")
LARGEST_BODY = 8 * 1024
_ROBOT = re.compile("(?<!cu)bots?(?![a-z])|crawler|spider", re.IGNORECASE)
"""The names that programs which collect pages have in their User-Agent; Cubot makes telephones.

Kept lists (crawler-user-agents, is-bot, crawlerdetect) find more, and libraries such as httpx and curl too,
by which the server of a front end may count for its readers.
"""


class ForeignOrigin(Forbidden):
    """Only pages of this service's own origin, and of those in COPYDESK_CONSENT_ORIGINS, may
    record consent.
    """

    title = "Not from this page"


def known_origins(settings: Settings) -> frozenset[str]:
    """Return the origins whose pages may record consent: this service's own, and those that the settings
    name.

    In development a page that was opened under one name of this machine is the same page under the others.
    """
    own = urlsplit(settings.public_url)
    named = {
        f"{own.scheme}://{own.netloc}".lower(),
        *(origin.rstrip("/").lower() for origin in settings.consent_origins),
    }
    return frozenset(
        named
        if settings.environment == "production"
        else (name for origin in named for name in _names(origin))
    )


def _names(origin: str) -> Iterator[str]:
    yield origin
    scheme, _, host = origin.partition("://")
    name = next((name for name in LOOPBACK if host == name or host.startswith(f"{name}:")), None)
    if name is not None:
        yield from (f"{scheme}://{other}{host.removeprefix(name)}" for other in LOOPBACK)


class Door:
    """The door of one running service."""

    def __init__(self, settings: Settings) -> None:
        self._origins = known_origins(settings)
        self._proxies = Proxies(settings)
        self._limiter = Limiter("decisions", settings.consent_rate_limit)
        # Apart from the decisions: whoever looks at many pages must still be able to decide.
        self._views = Limiter("views", settings.consent_rate_limit)
        # So are withdrawals and erasures: a flood of decisions must keep nobody from leaving.
        self._exits = Limiter("exits", settings.consent_rate_limit)
        self._presses = Presses()
        self._country_header = settings.consent_country_header

    async def admit(self, request: Request, takes: frozenset[str], *, leaves: bool) -> bytes:
        """Let a write of one of these media types in, and return its body; `leaves` is that it withdraws or
        erases. Raises ForeignOrigin, UnsupportedMediaType, TooLarge, TooManyRequests.
        """
        self._check_origin(request)
        body = await _small_body(request)
        _check_media_type(request, body, takes)
        if leaves:
            wait = await self._wait_to_leave(request)
        else:
            wait = self._limiter.charge(self._proxies.caller(request), _retried(request, body))
        if wait:
            raise TooManyRequests(
                "Too many decisions from your network.", headers={"Retry-After": str(math.ceil(wait))}
            )
        return body

    async def _wait_to_leave(self, request: Request) -> float:
        """Return the seconds until a reader may withdraw or erase. Whoever is known by a cookie has a bucket
        of their own, whatever comes from the same network.
        """
        wait, secret = self._exits.charge(self._proxies.caller(request)), request.cookies.get(subjects.COOKIE)
        if wait and secret is not None:
            database = service(request, Database)
            if await run_in_threadpool(subjects.is_known, database, secret):
                return self._exits.charge_reader(secret)
        return wait

    def country(self, request: Request) -> str | None:
        """Return the reader's country, if a trusted proxy named one (ISO 3166-1, two letters)."""
        named = request.headers.get(self._country_header, "").upper() if self._country_header else ""
        known = _COUNTRY.fullmatch(named) and named != "XX"  # what Cloudflare writes when it does not know
        return (
            named
            if known and request.client is not None and self._proxies.trusts(request.client.host)
            else None
        )

    def is_looked_at(self, request: Request) -> bool:
        """Return whether a browser asks for this as a style sheet of a page of ours that it shows, and not
        more often than people look at pages.

        Programs that collect pages say no such thing, nor do browsers that fetch a page ahead. Those too old
        to say it are not counted.
        """
        says = request.headers
        is_shown = (
            says.get("sec-fetch-dest") == "style"
            and says.get("sec-fetch-site") == "same-origin"
            and "sec-purpose" not in says
        )
        return is_shown and self._views.charge(self._proxies.caller(request)) == 0

    def is_robot(self, request: Request) -> bool:
        """Return whether the program that asks says of itself that it collects pages."""
        return _ROBOT.search(request.headers.get("user-agent", "")) is not None

    @contextmanager
    def press(self, request: Request, notice_key: str, consent_id: str | None) -> Iterator[bool]:
        """Note a decision for as long as it is recorded, and yield whether the same browser, which had no
        cookie then and has none now, has just decided about the same notice.
        """
        browser = None if subjects.COOKIE in request.cookies else self._browser(request, consent_id)
        if browser is None:
            yield False
            return
        pressed = b"\0".join((notice_key.encode(), browser))
        repeats, is_recorded = self._presses.note(pressed), False
        try:
            yield repeats
            is_recorded = True
        finally:
            if not (repeats or is_recorded):
                self._presses.forget(pressed)

    def _browser(self, request: Request, consent_id: str | None) -> bytes | None:
        """Return a key that tells one browser from others for some seconds: its page's own id of the consent,
        or its address, name and languages. Return None for a program that speaks for many readers.
        """
        if consent_id is not None:
            return consent_id.encode()
        agent = request.headers.get("user-agent", "")
        if not agent.startswith("Mozilla/"):  # as browsers begin, and nothing else that means no harm
            return None
        known = (self._proxies.caller(request), agent, request.headers.get("accept-language", ""))
        return "\0".join(known).encode()

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None:
            if origin.lower() not in self._origins:
                raise ForeignOrigin("Pages of this origin may not record consent here.")
        elif request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise ForeignOrigin("A page of another site may not record consent here.")


async def _small_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise TooLarge(f"A decision has at most {LARGEST_BODY} bytes.")
    return bytes(body)


def _check_media_type(request: Request, body: bytes, takes: frozenset[str]) -> None:
    given = media_type(request)
    kind = "application/json" if given.startswith("application/") and given.endswith("+json") else given
    if kind not in takes and (body or given):
        listed = ", ".join(sorted(takes))
        raise UnsupportedMediaType(f"Send one of {listed}.", headers={"Accept": listed})


def _retried(request: Request, body: bytes) -> bytes | None:
    key = request.headers.get("idempotency-key", "")
    if key or (b'"consent_id"' in body and b'"client_event_time"' in body):
        return key.encode() + b"\0" + body
    return None


class GuardedRoute(Route):
    """The route class of what readers' pages call: writes come through the door. A token has no meaning here
    and is not looked at.
    """

    leaves: ClassVar[bool] = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler of a write."""
        handle = super().get_route_handler()
        if self.methods is None or self.methods <= {"GET", "HEAD"}:
            return handle

        async def enter(request: Request) -> Response:
            return await handle(await admitted(request, JSON, leaves=self.leaves))

        return enter


class WayOutRoute(GuardedRoute):
    """The route class of withdrawal and erasure."""

    leaves = True


async def admitted(request: Request, takes: frozenset[str], *, leaves: bool = False) -> Request:
    """Return the same request with its body in hand, let in through the door; JSON is declared
    as what it is.
    """
    body = await service(request, Door).admit(request, takes, leaves=leaves)
    dropped = (b"content-type", b"authorization") if takes is JSON else ()
    headers = [pair for pair in request.scope["headers"] if pair[0] not in dropped]

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(
        {
            **request.scope,
            "headers": [*headers, (b"content-type", b"application/json")] if dropped else headers,
        },
        receive,
    )
