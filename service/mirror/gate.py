"""Let readers through. Refuse requests that write, carry a token or decide about cookies, and name the
origin.
"""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Unavailable
from service.http.problems import problem_response

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = ("/health", "/metrics")
"""Addresses under which a mirror tells of itself."""
_OF_ORIGIN = ("/v1/consent", "/consent", "/v1/previews", "/preview", "/desk")
"""Addresses whose answers follow from what the origin alone holds."""
_NOTICES = "/v1/consent-notices"


class ReadFromMirror(Unavailable):
    """This store is a mirror: it serves what is public, and holds no drafts, no tokens and no readers'
    decisions. Send the request to `origin`.
    """

    title = "Only the origin does this"


class Gate:
    """ASGI layer of a mirror, in front of the router."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self.app = app
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_public(scope):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        refused = ReadFromMirror(f"This is a mirror. Ask {self._origin}{path}.", origin=self._origin)
        await problem_response(Request(scope), refused)(scope, receive, send)


def _is_public(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith(_OWN):
        return True
    if scope["method"] not in _SAFE or b"authorization" in dict(scope["headers"]):
        return False
    return path.startswith(_NOTICES) or not path.startswith(_OF_ORIGIN)
