"""Bound the work of making large answers, so that nobody who asks for a small one waits for it.

Python runs one thread at a time, and the event loop is one of them. Few large answers are made at once, some
more wait for their turn, and the rest are refused before they cost anything.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.edge.codings import compress
from service.errors import Unavailable
from service.http.proxies import Proxies, network_of
from service.settings import Settings

AT_ONCE = 2
MOST, MOST_PER_NETWORK = 48, 16
"""Large answers that are made or wait for it, in one process."""
LARGEST_SMALL_PAGE = 50
LARGE_BODY = 65_536
"""Bytes of a body that takes a few milliseconds to compress."""


class TooMuchToMake(Unavailable):
    """Too many large pages of lists are being made, in all or for one network. `Retry-After` says when to ask
    again; a smaller `limit`, or cards without bodies, are answered meanwhile.
    """

    title = "Too many large answers are being made"


class Making:
    """The large answers that one process is making."""

    def __init__(self, settings: Settings) -> None:
        self._patience = settings.patience
        self._proxies = Proxies(settings)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._networks: Counter[bytes] = Counter()
        self._compressor = CapacityLimiter(1)
        self._compressing: dict[tuple[int, str], asyncio.Task[bytes]] = {}

    @property
    def count(self) -> int:
        """Return how many large answers are being made or wait for it."""
        return self._networks.total()

    @asynccontextmanager
    async def turn(self, scope: Scope) -> AsyncIterator[None]:
        """Wait for the turn to make the answer to a request, if that is a large one. Raises TooMuchToMake."""
        if not is_large(scope["query_string"]):
            yield
            return
        network = network_of(self._proxies.caller(HTTPConnection(scope)))
        if self._networks[network] >= MOST_PER_NETWORK or self.count >= MOST:
            raise _too_much()
        self._networks[network] += 1
        try:
            try:
                async with asyncio.timeout(self._patience):
                    await self._turns.acquire()
            except TimeoutError:
                raise _too_much() from None
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._networks[network] -= 1
            if not self._networks[network]:
                del self._networks[network]

    async def have_made(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Have an app make an answer in its turn, which ends when the answer begins to go out."""
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self.turn(scope))

            async def give(message: Message) -> None:
                await turn.aclose()
                await send(message)

            await app(scope, receive, give)

    async def compressed(self, body: bytes, coding: str) -> bytes:
        """Return a body in a content coding. Large ones are coded beside the event loop, one at a time, and
        once for all who wait for the same.
        """
        if not coding or len(body) <= LARGE_BODY:
            return compress(body, coding)
        key = (id(body), coding)
        if key not in self._compressing:
            work = to_thread.run_sync(compress, body, coding, limiter=self._compressor)
            self._compressing[key] = asyncio.ensure_future(work)
            self._compressing[key].add_done_callback(lambda _: self._compressing.pop(key))
        return await asyncio.shield(self._compressing[key])


def is_large(query: bytes) -> bool:
    """Return whether a query asks for a large page: of many items, or of whole ones that have to be put
    together.
    """
    if b"limit=" not in query:
        return False
    limits = parse_qs(query.decode("latin-1")).get("limit", ["0"])  # the normal form has bounded it
    return any(limit.isdecimal() and int(limit[:9]) > LARGEST_SMALL_PAGE for limit in limits)


def _too_much() -> TooMuchToMake:
    return TooMuchToMake(
        "Too many large pages are being made. Ask for smaller ones, or later.", headers={"Retry-After": "2"}
    )
