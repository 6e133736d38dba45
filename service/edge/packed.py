"""Let a body come packed with gzip at every address: what is behind this layer sees it unpacked.

It is unpacked as it is read, so that the limits of each address hold for what it holds.
"""

from collections.abc import AsyncIterator

from anyio.lowlevel import checkpoint
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import UnsupportedMediaType
from service.http.problems import problem_response
from service.http.unpacking import unpacked

_REPLACED = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class PackedBodies:
    """ASGI layer: unpack what `Content-Encoding` says is gzip, and refuse any other coding (415)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE:
            coding = dict(scope["headers"]).get(b"content-encoding", b"").strip().lower()
            if coding in (b"gzip", b"x-gzip"):
                # Of what length it will be is not known.
                kept = [pair for pair in scope["headers"] if pair[0] not in _REPLACED]
                scope = {**scope, "headers": [*kept, (b"transfer-encoding", b"chunked")]}
                receive = _Unpacking(receive).receive
            elif coding not in (b"", b"identity"):
                refusal = UnsupportedMediaType(
                    f"A body may be packed with gzip, not with {coding.decode(errors='replace')!r}.",
                    headers={"Accept-Encoding": "gzip"},
                )
                await problem_response(Request(scope), refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class _Unpacking:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._pieces = unpacked(self._chunks())
        self._is_read = False

    async def receive(self) -> Message:
        """Return the next piece of the body; once it is read, what comes after it."""
        if self._is_read:
            return await self._receive()
        async for piece in self._pieces:
            # A few bytes may unpack to millions, none of which has to be waited for: others have their turns.
            await checkpoint()
            return {"type": "http.request", "body": piece, "more_body": True}
        self._is_read = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            yield message.get("body", b"")
            more = message.get("more_body", False)
