"""One line of structured log and one measurement per request that reaches the router, with nothing personal
in them.

Neither addresses, user agents nor query strings are logged. Answers from the wire cache are counted, not
logged: a line would cost more than the answer.
"""

import logging
import re
import sys
import time
from itertools import count
from secrets import token_hex

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.edge.safety import Safety
from service.settings import Settings

log = structlog.get_logger()
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_KNOWN = "copydesk.request_id"
# Ids must be unique, not unguessable. Asking the kernel for random bytes each time costs a tenth of an answer
# from memory.
_PROCESS, _NUMBERS = token_hex(10).encode() + b"%012x", count()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "trafilatura": logging.CRITICAL,
    "htmldate": logging.CRITICAL,
}
"""From which level on libraries are heard. httpx notes every address that it asks for, query string and all;
of a page that is no article, the importer says so itself.
"""


def configure_logs(settings: Settings) -> None:
    """Write JSON lines, or text for people, to standard error."""
    for library, level in QUIET.items():
        logging.getLogger(library).setLevel(level)
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def request_id(scope: Scope) -> bytes:
    """Return the caller's X-Request-ID when it is a plain one, else a new one: the same for every layer that
    asks.
    """
    known: bytes | None = scope.get(_KNOWN)
    if known is None:
        given = dict(scope["headers"]).get(b"x-request-id")
        known = scope[_KNOWN] = (
            given if given is not None and _REQUEST_ID.fullmatch(given) else new_request_id()
        )
    return known


def new_request_id() -> bytes:
    """Return the id of a request that brought none."""
    return _PROCESS % next(_NUMBERS)


class Measured:
    """Counts and times of the requests that reach the router."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter(
            "copydesk_requests", "Requests that reached the router", labels, registry=registry
        )
        self.seconds = Histogram(
            "copydesk_request_seconds", "Time to answer them", ("method", "route"), registry=registry
        )


class RequestLog:
    """ASGI layer: a request id in and out, the headers of safety, one log line, one measurement."""

    def __init__(self, app: ASGIApp, measured: Measured, safety: Safety) -> None:
        self.app = app
        self.safety = safety
        self.measured = measured

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        id_, started, status = request_id(scope), time.perf_counter(), 500
        is_the_clients = (b"x-request-id", id_) in scope["headers"]

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": self.safety.completed(list(message["headers"]))}
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = id_.decode()
                if is_the_clients and "public" in headers.get("cache-control", ""):
                    # So that no cache in between gives one client's id to others.
                    headers.append("Vary", "X-Request-ID")
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=id_.decode())
        try:
            await self.app(scope, receive, noting)
        finally:
            self._note(scope, status, time.perf_counter() - started)
            structlog.contextvars.clear_contextvars()

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        # A label for each method that somebody makes up would fill the memory.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self.measured.requests.labels(method, route, status).inc()
        self.measured.seconds.labels(method, route).observe(seconds)
        log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
