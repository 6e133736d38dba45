"""Take a router's answer, which is for all who ask for the same, or for one client alone."""

from starlette.types import Message, Send

from service.edge.entries import CacheEntry, Headers
from service.edge.flights import Flight
from service.errors import Unavailable
from service.http.conditional import matches

_KEPT_STATUS = frozenset({200, 308, 404, 410})


class Collected:
    """Takes a router's answer: holds it when it says what it depends on, or that the service cannot answer
    anybody now; else passes it on, unless it is `known` already.
    """

    def __init__(self, send: Send, added: Headers, known: bytes | None, flight: Flight) -> None:
        self.depends: set[str] = set()
        self._send = send
        self._added = added
        self._known = known
        self._flight = flight
        self._is_unchanged = False
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self._is_for_all(message["status"]):
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
        elif message["type"] == "http.response.start":
            self._flight.is_for_one = True
            self._flight.end()
            await self._send(self._passed_on(message))
        else:
            await self._send({**message, "body": b""} if self._is_unchanged else message)

    def _is_for_all(self, status: int) -> bool:
        if status == Unavailable.status:
            self.depends.clear()
            return True
        return bool(self.depends) and status in _KEPT_STATUS

    def _passed_on(self, start: Message) -> Message:
        # The log's layer has named the request in it already.
        headers = [pair for pair in start["headers"] if pair[0] != b"x-request-id"] + self._added
        etag = dict(start["headers"]).get(b"etag")
        if start["status"] == 200 and etag is not None and self._known is not None:
            self._is_unchanged = matches(self._known.decode("latin-1"), etag.decode())
        if not self._is_unchanged:
            return {**start, "headers": headers}
        return {
            **start,
            "status": 304,
            "headers": [pair for pair in headers if pair[0] not in (b"content-type", b"content-length")],
        }

    def entry(self) -> CacheEntry | None:
        """Return the answer as an entry, if it is for all who ask for it."""
        if self._start is None:
            return None
        headers = list(self._start["headers"])
        etag = next((value.decode() for name, value in headers if name == b"etag"), None)
        return CacheEntry(self._start["status"], headers, b"".join(self._parts), etag)
