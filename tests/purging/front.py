"""A cache in front of a store that honours keys and ignores time, and is called as the caches of
others are.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@dataclass(frozen=True)
class Heard:
    """A call as it came, and when."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def keys(self) -> list[str]:
        """The keys to drop, wherever this kind of call has them."""
        if self.method == "BAN":
            return self.headers["surrogate-key"].split(" ")
        told = json.loads(self.body)
        return next(told[name] for name in ("keys", "surrogate_keys", "tags") if name in told)


class Caller(ThreadingHTTPServer):
    """Takes calls; `answer` says with what, `heard` holds those that were taken."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")
        self.heard: list[Heard] = []
        self.refused = 0
        self.act: Callable[[list[str]], None] = lambda _: None

    @property
    def keys(self) -> list[str]:
        """All keys in the order in which they came."""
        return [key for call in list(self.heard) for key in call.keys]

    def take(self, call: Heard) -> None:
        """Keep a call, and do what it says."""
        if self.answer[0] >= 300:
            self.refused += 1
            return
        self.act(call.keys)
        self.heard.append(call)


class _Handler(BaseHTTPRequestHandler):
    server: Caller

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self.server.take(Heard(self.command, self.path, headers, body, time.time()))
        status, more, said = self.server.answer
        self.send_response(status)
        for name, value in {**more, "content-length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def do_BAN(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def called() -> Iterator[Caller]:
    """Take calls for as long as the block lasts."""
    with Caller() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Cache:
    """Keeps what it is asked for until a key says otherwise. `changed` and `unchanged` count what was dropped
    and asked for again, by whether the origin then answered otherwise.
    """

    origin: Callable[[str], httpx.Response]
    kept: dict[str, httpx.Response] = field(default_factory=dict)
    dropped: dict[str, httpx.Response] = field(default_factory=dict)
    changed: int = 0
    unchanged: int = 0
    needless: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, address: str) -> httpx.Response:
        """Answer from the cache, or else from the origin, whose answer may come late."""
        found = self.kept.get(address)
        if found is not None:
            return found
        fresh = self.origin(address)
        if fresh.headers["cache-control"].startswith("public"):
            with self._lock:
                self.kept[address] = fresh
                before = self.dropped.pop(address, None)
                if before is not None:
                    self._count(address, was_needless=same(before, fresh))
        return fresh

    def _count(self, address: str, *, was_needless: bool) -> None:
        if not was_needless:
            self.changed += 1
            return
        self.unchanged += 1
        self.needless[address] = self.needless.get(address, 0) + 1

    def drop(self, keys: list[str]) -> None:
        """Drop each answer that names one of the keys."""
        wanted = set(keys)
        with self._lock:
            for address, answer in list(self.kept.items()):
                if wanted & set(answer.headers["surrogate-key"].split(" ")):
                    self.dropped[address] = self.kept.pop(address)

    def stale(self) -> list[str]:
        """Return the addresses that the origin answers otherwise."""
        return [address for address, answer in self.kept.items() if not same(answer, self.origin(address))]


def same(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether two answers are the same to a reader."""
    return (one.status_code, one.content, one.headers.get("location")) == (
        other.status_code,
        other.content,
        other.headers.get("location"),
    )
