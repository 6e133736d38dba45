"""Bound the memory of answers that their clients have not taken yet.

A large answer goes out piece by piece. What is left of all of them is counted, and when it is too much, the
client that has taken nothing for longest is cut.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator

from starlette.types import Message, Scope, Send

from service.errors import PROBLEM, Unavailable

LARGE = 16_384
"""Bytes from which on an answer goes out by pieces."""
FIRST, PIECE = 65_536, 16_384
"""Bytes of the first piece, which the kernel takes in as a rule, and of the others. None is copied."""
LAST = 4_096
"""Bytes of the last piece, which is a copy: it is not counted any more while the server holds it, and nothing
else of the answer may stay with it.
"""
PATIENCE = 0.5
"""Seconds for which a client has to take nothing before it is cut for others."""
DROP = "copydesk.drop"
"""The ASGI extension of our server: it ends a connection at once, whatever was not sent yet."""


class Crowded(Unavailable):
    """Too much is being sent to slow clients at this moment. `Retry-After` says when to ask again."""

    title = "Too many large answers"


class _Sending:
    """One large answer on its way."""

    __slots__ = ("body", "drop", "is_dropped", "taken_at")

    def __init__(self, body: bytes, drop: Callable[[], None] | None, taken_at: float) -> None:
        self.body = body
        self.drop = drop
        self.is_dropped = False
        self.taken_at = taken_at


class Outflow:
    """The large answers that one process is sending. `bytes` is what they take; equal ones count once."""

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.bytes = 0
        self._clock = clock
        self._most_bytes = most_bytes
        self._under_way: dict[_Sending, None] = {}  # in the order in which something was taken last
        self._times: Counter[int] = Counter()

    def bounded(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that gives large bodies out by pieces."""
        extension = scope.get("extensions", {}).get(DROP)
        drop = extension["drop"] if extension is not None else None
        start: Message | None = None

        async def give(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            large = len(message.get("body", b"")) > LARGE
            has_room = not large or self._has_room(message["body"])
            if not has_room and start is not None:
                await _refuse(scope, start, send)
            else:
                if start is not None:
                    await send(start)
                await (self._by_pieces(message, drop, send) if large else send(message))
            start = None

        return give

    async def _by_pieces(self, message: Message, drop: Callable[[], None] | None, send: Send) -> None:
        sending = self._hold(message["body"], drop)
        try:
            for piece in _parted(sending.body):
                # ASGI knows bytes alone; our own server takes views of them.
                part = piece if drop is not None else bytes(piece)
                await send({**message, "body": part, "more_body": True})
                if sending.is_dropped:
                    return
                self._note_taken(sending)
            await send({**message, "body": sending.body[-LAST:]})
        finally:
            self._let_go(sending)

    def _has_room(self, body: bytes) -> bool:
        """Return whether another answer fits in, once those who take nothing are cut."""
        size = 0 if id(body) in self._times else len(body)
        for sending in list(self._under_way):
            if self.bytes + size <= self._most_bytes or self._clock() - sending.taken_at < PATIENCE:
                break
            self._cut(sending)
        return not self._under_way or self.bytes + size <= self._most_bytes

    def _hold(self, body: bytes, drop: Callable[[], None] | None) -> _Sending:
        sending = _Sending(body, drop, self._clock())
        self._under_way[sending] = None
        self._times[id(body)] += 1
        if self._times[id(body)] == 1:
            self.bytes += len(body)
        return sending

    def _note_taken(self, sending: _Sending) -> None:
        sending.taken_at = self._clock()
        self._under_way[sending] = self._under_way.pop(sending)

    def _let_go(self, sending: _Sending) -> None:
        if self._under_way.pop(sending, ...) is ...:
            return
        key = id(sending.body)
        self._times[key] -= 1
        if not self._times[key]:
            del self._times[key]
            self.bytes -= len(sending.body)

    def _cut(self, sending: _Sending) -> None:
        sending.is_dropped = True
        self._let_go(sending)
        if sending.drop is not None:
            sending.drop()


def _parted(body: bytes) -> Iterator[memoryview]:
    """Yield all of a large body but its last bytes."""
    view, place, size = memoryview(body)[:-LAST], 0, FIRST
    while place < len(view):
        yield view[place : place + size]
        place, size = place + size, PIECE


async def _refuse(scope: Scope, start: Message, send: Send) -> None:
    """Answer that there is no room, with the headers that name the request and who may read of it."""
    error = Crowded("Too many large answers are on their way to slow clients.", headers={"Retry-After": "2"})
    body = error.problem(scope["path"])
    told = {
        "Content-Type": PROBLEM,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **error.headers,
    }
    kept = [
        pair
        for pair in start["headers"]
        if pair[0] == b"x-request-id" or pair[0].startswith(b"access-control-")
    ]
    headers = [*kept, *((name.lower().encode(), value.encode()) for name, value in told.items())]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
