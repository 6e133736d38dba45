"""Requests written out as an ASGI server hands them in: any header, as often as wanted, in any spelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import brotli
import zstandard
from anyio import sleep_forever
from starlette.types import Message

from service.edge.cache import WireCache
from tests.serving import Store

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answered:
    """What was sent in answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> bytes:
        """The body without its content coding."""
        match self.headers.get("content-encoding") if self.body else None:
            case "br":
                return brotli.decompress(self.body)
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(self.body)
        return self.body


def cache_of(store: Store) -> WireCache:
    assert isinstance(store.app, WireCache)
    return store.app


def scope_of(method: str, path: str, query: str = "", headers: Headers = (), **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"copydesk.example"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
        **more,
    }


def messages(store: Store, scope: dict[str, Any]) -> list[Message]:
    """Hand a request in, and return what is sent in answer."""
    sent: list[Message] = []
    requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        # Nothing more comes, and the client stays.
        return requests.pop() if requests else await sleep_forever()

    async def send(message: Message) -> None:
        sent.append(message)

    store.portal.call(store.app, scope, receive, send)
    return sent


def ask(store: Store, path: str, query: str = "", headers: Headers = (), method: str = "GET") -> Answered:
    start, *bodies = messages(store, scope_of(method, path, query, headers))
    told: dict[str, str] = {}
    for name, value in start["headers"]:
        key = name.decode().lower()
        told[key] = f"{told[key]}, {value.decode('latin-1')}" if key in told else value.decode("latin-1")
    return Answered(start["status"], told, b"".join(message["body"] for message in bodies))
