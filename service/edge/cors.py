"""Decide which pages of other origins may call: those that the settings name may read, and only the reader's
own may record consent, as that reader.

A reader is known by a cookie, which a browser sends to another origin only when the answer names that very
origin and allows credentials. The rest of the API must not allow so much: `*` is its rule, and a token
identifies the caller.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from service.consent.decisions.door import known_origins
from service.errors import BadRequest
from service.http.problems import ShapedRefusals
from service.settings import Settings

WITH_CREDENTIALS = ("/v1/consents", "/v1/consent-impressions")
EXPOSED = ("ETag", "Link", "Location", "X-Request-ID", "Retry-After", "Idempotent-Replayed")
PREFLIGHT_KEPT_FOR = 3600
_VARIES = (b"vary", b"Origin")


class PreflightRefused(BadRequest):
    """A page of this origin may not call this address, or not with the method or the headers that its browser
    announces. `COPYDESK_CORS_ORIGINS` and `COPYDESK_CONSENT_ORIGINS` name the origins whose pages may.
    """

    title = "Not for pages of this origin"


_REFUSED = {400: PreflightRefused("A page of this origin may not send this request.")}


class Cors:
    """The ASGI layer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._content = CORSMiddleware(
            app,
            allow_origins=settings.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            max_age=PREFLIGHT_KEPT_FOR,
            expose_headers=EXPOSED,
        )
        self._consent = CORSMiddleware(
            app,
            allow_origins=sorted(known_origins(settings)),
            allow_credentials=True,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "Idempotency-Key"],
            max_age=PREFLIGHT_KEPT_FOR,
            expose_headers=EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        consent = scope["type"] == "http" and scope["path"].startswith(WITH_CREDENTIALS)
        answer: ASGIApp = self._consent if consent else self._content
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            answer = ShapedRefusals(answer, _REFUSED)
        await answer(scope, receive, send)


class PublicCors:
    """The headers for other origins that public answers carry. They are made once, because the answers are
    many.

    Where every origin may read, each answer says so, whoever asks: a cache in front then has one answer and
    not one per origin.
    """

    def __init__(self, settings: Settings) -> None:
        exposed = (b"access-control-expose-headers", ", ".join(EXPOSED).encode())
        self._everybody = (
            [(b"access-control-allow-origin", b"*"), exposed] if "*" in settings.cors_origins else None
        )
        self._named = {
            origin: [(b"access-control-allow-origin", origin), exposed, _VARIES]
            for origin in (named.encode() for named in settings.cors_origins)
        }

    def headers(self, origin: bytes | None) -> list[tuple[bytes, bytes]]:
        """Return the headers for a request from an origin; None is a request that names none."""
        if self._everybody is not None:
            return self._everybody
        return self._named.get(origin, [_VARIES]) if origin is not None else [_VARIES]
