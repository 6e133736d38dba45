"""Hand large answers on piece by piece, so that the layer in front, which compresses them, lets others have
their turns between two pieces.
"""

from anyio.lowlevel import checkpoint
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE = 32_768
"""Bytes that are compressed in a millisecond or less."""


class Pieces:
    """ASGI layer: part large bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or all(name != b"accept-encoding" for name, _ in scope["headers"]):
            await self.app(scope, receive, send)
            return

        async def part(message: Message) -> None:
            body = message.get("body", b"")
            if len(body) <= 2 * PIECE:
                await send(message)
                return
            for place in range(0, len(body), PIECE):
                more = place + PIECE < len(body) or message.get("more_body", False)
                await send({**message, "body": body[place : place + PIECE], "more_body": more})
                await checkpoint()

        await self.app(scope, receive, part)
