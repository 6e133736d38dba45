"""Ready answers for anonymous readers, in front of the router: a function of (URL, published sequence), dropped key by key.

Pure ASGI, since every layer between the server and the bytes costs more than the bytes. A hit costs one check for changes and
one dictionary look-up. A miss for one resource is answered from one prepared read, still before the router; everything else is
answered by the router, and kept when the endpoint has said what its answer depends on (`published.answers.depend`).
"""

import asyncio
import gzip
import sqlite3
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable

import brotli
import psycopg
import zstandard
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.conditional import matches
from service.errors import PROBLEM, Unavailable
from service.logs import request_id
from service.published.answers import DEPENDS, UNTIL, answer_row, id_of
from service.published.forms import asked_by_accept
from service.published.models import Kind
from service.published.reader import MANY, Reader
from service.published.waiting import is_held
from service.published.watch import Watch
from service.settings import Settings

Headers = list[tuple[bytes, bytes]]
LEAST_COMPRESSED = 400
OVERHEAD = 600
"""Bytes that an entry costs beside its bodies."""
_DIRECT = {"/v1/articles/": Kind.ARTICLE, "/v1/images/": Kind.IMAGE, "/v1/captions/": Kind.CAPTION}
_KEPT = ("/v1/", "/feeds/", "/sitemaps/", "/read/")
_KEPT_STATUS = frozenset({200, 308, 404, 410})
_CODINGS = (b"br", b"zstd", b"gzip")


class Entry:
    """One answer, in every content coding that was asked for so far."""

    __slots__ = ("bodies", "body", "depends", "etag", "headers", "size", "status", "until")

    def __init__(self, status: int, headers: Headers, body: bytes, etag: str | None, depends: Iterable[str]) -> None:
        self.status = status
        self.headers = [pair for pair in headers if pair[0] not in (b"etag", b"content-length", b"x-request-id")]
        self.body = body
        self.etag = etag
        self.depends = tuple(depends)
        self.until: float | None = None
        self.bodies: dict[bytes, tuple[bytes, Headers, bytes]] = {}
        self.size = OVERHEAD + len(body) + sum(len(name) + len(value) for name, value in self.headers)

    def coded(self, coding: bytes) -> tuple[bytes, Headers, bytes]:
        """The (ETag, headers, body) for one content coding, made once. A strong ETag differs with the coding."""
        made = self.bodies.get(coding)
        if made is None:
            made = self.bodies[coding] = self._code(coding if len(self.body) >= LEAST_COMPRESSED else b"")
        return made

    def _code(self, coding: bytes) -> tuple[bytes, Headers, bytes]:
        body, headers, etag = _compress(self.body, coding), list(self.headers), b""
        if coding:
            headers.append((b"content-encoding", coding))
            self.size += len(body)
        if self.etag is not None:
            etag = self.etag.encode() if not coding else self.etag[:-1].encode() + b";" + coding + b'"'
            headers.append((b"etag", etag))
        return etag, headers, body


def _compress(body: bytes, coding: bytes) -> bytes:
    if coding == b"br":
        compressed: bytes = brotli.compress(body, quality=5)
        return compressed
    if coding == b"zstd":
        return zstandard.compress(body, 6)
    return gzip.compress(body, 6, mtime=0) if coding == b"gzip" else body


class WireCache:
    """The ASGI layer. `hits` and `misses` count; `bytes` is what the entries take."""

    def __init__(self, app: ASGIApp, settings: Settings, reader: Reader, watch: Watch) -> None:
        self.app = app
        self.settings = settings
        self.hits = self.misses = self.bytes = 0
        self._reader = reader
        self._watch = watch
        self._seq = -1
        self._catching_up = asyncio.Lock()
        self._caught_up = 0
        self._entries: OrderedDict[tuple[str, bytes], Entry] = OrderedDict()
        self._by_dependency: dict[str, set[tuple[str, bytes]]] = {}
        self._codings: dict[bytes, bytes] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if scope["method"] != "GET" or not (scope["path"] == "/" or scope["path"].startswith(_KEPT)) or is_held(scope):
            await self.app(scope, receive, send)
            return
        accepted = known = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                await self.app(scope, receive, send)
                return
            if name == b"accept-encoding":
                accepted = value
            elif name == b"if-none-match":
                known = value
            elif name == b"accept" and b"+json" in value:
                scope = asked_by_accept(scope, value)
        entry = await self._entry(scope, receive, send)
        if entry is not None:
            await self._answer(scope, send, entry, self._coding(accepted), known)

    async def _entry(self, scope: Scope, receive: Receive, send: Send) -> Entry | None:
        """The entry for a request: a ready one, or a new one; None when the answer was sent and is not for keeping."""
        key = (scope["path"], scope["query_string"])
        try:
            if self._watch.changed(self._seq):
                await self._catch_up()
            entry = self._entries.get(key)
            if entry is not None and (entry.until is None or entry.until > time.time()):
                self._entries.move_to_end(key)
                self.hits += 1
                return entry
            self.misses += 1
            return await self._direct(key) or await self._routed(key, scope, receive, send)
        except (psycopg.Error, sqlite3.Error):
            error = Unavailable("The database did not answer.", headers={"Retry-After": "2"})
            headers = [(b"content-type", PROBLEM.encode()), (b"retry-after", b"2"), (b"cache-control", b"no-store")]
            return Entry(error.status, headers, error.problem(scope["path"]), None, ())

    async def _direct(self, key: tuple[str, bytes]) -> Entry | None:
        """Answer for one resource without the router."""
        path, query = key
        prefix, _, name = path.rpartition("/")
        kind = _DIRECT.get(prefix + "/")
        if kind is None or query or not name or "\x00" in name or (kind is not Kind.ARTICLE and id_of(name) is None):
            return None
        caught_up = self._caught_up
        answer = answer_row(await self._reader.find(kind, name), kind, name, path, self.settings)
        entry = Entry(answer.status, list(answer.headers), answer.body, answer.etag, answer.depends)
        self._keep(key, entry, caught_up)
        return entry

    async def _routed(self, key: tuple[str, bytes], scope: Scope, receive: Receive, send: Send) -> Entry | None:
        caught_up = self._caught_up
        collected = _Collected(send)
        # Asked plainly: conditions and codings are answered from the entry.
        headers = [pair for pair in scope["headers"] if pair[0] not in (b"accept-encoding", b"if-none-match")]
        request_id(scope)  # Known before the scope is copied: the log's line and the answer have the same.
        inner = {**scope, "headers": headers, DEPENDS: collected.depends}
        await self.app(inner, receive, collected)
        entry = collected.entry()
        if entry is not None:
            entry.until = inner.get(UNTIL)
            self._keep(key, entry, caught_up)
        return entry

    def _keep(self, key: tuple[str, bytes], entry: Entry, caught_up: int) -> None:
        # What was read before a change that has been dealt with since might be from before that change.
        entry.size += sys.getsizeof(key[0]) + len(key[1])
        if caught_up != self._caught_up or entry.size * 8 > self.settings.cache_bytes:
            return
        self._drop(key)
        self._entries[key] = entry
        for dependency in entry.depends:
            self._by_dependency.setdefault(dependency, set()).add(key)
        self._grow(entry.size)

    def _grow(self, size: int) -> None:
        self.bytes += size
        while self.bytes > self.settings.cache_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        for dependency in entry.depends:
            keys = self._by_dependency[dependency]
            keys.discard(key)
            if not keys:
                del self._by_dependency[dependency]

    async def _catch_up(self) -> None:
        """Drop what depends on anything that has changed since the last time."""
        async with self._catching_up:
            seq = await self._reader.seq()
            changes = await self._reader.changes(self._seq) if seq != self._seq else []
            if changes:
                self._caught_up += 1
            if len(changes) > MANY:
                self._clear()
            for dependency in {name for kind, id_ in changes for name in (f"{kind}:{id_}", f"{kind}:*")}:
                for key in list(self._by_dependency.get(dependency, ())):
                    self._drop(key)
            self._seq = max(seq, self._seq)

    def _clear(self) -> None:
        self._entries.clear()
        self._by_dependency.clear()
        self.bytes = 0

    def _coding(self, accepted: bytes | None) -> bytes:
        """The content coding to answer in: the best of ours that the reader accepts."""
        if accepted is None:
            return b""
        coding = self._codings.get(accepted)
        if coding is None:
            coding = negotiate(accepted.decode("latin-1"))
            if len(self._codings) < 1_000 and len(accepted) < 100:
                self._codings[accepted] = coding
        return coding

    async def _answer(self, scope: Scope, send: Send, entry: Entry, coding: bytes, known: bytes | None) -> None:
        before = entry.size
        etag, headers, body = entry.coded(coding)
        if entry.size != before and self._entries.get((scope["path"], scope["query_string"])) is entry:
            self._grow(entry.size - before)
        id_ = (b"x-request-id", request_id(scope))
        if known is not None and etag and (known == etag or matches(known.decode("latin-1"), etag.decode())):
            headers = [pair for pair in headers if pair[0] not in (b"content-type", b"content-encoding")]
            await send({"type": "http.response.start", "status": 304, "headers": [*headers, id_]})
            await send({"type": "http.response.body", "body": b""})
            return
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": entry.status, "headers": [*headers, length, id_]})
        await send({"type": "http.response.body", "body": body})


class _Collected:
    """Takes a router's answer: keeps it when it says what it depends on, and passes it on as it comes when not."""

    def __init__(self, send: Send) -> None:
        self.depends: set[str] = set()
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.depends and message["status"] in _KEPT_STATUS:
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
        else:
            await self._send(message)

    def entry(self) -> Entry | None:
        """The answer as an entry, if it is for keeping."""
        if self._start is None:
            return None
        headers = list(self._start["headers"])
        etag = next((value.decode() for name, value in headers if name == b"etag"), None)
        return Entry(self._start["status"], headers, bytes(self._body), etag, self.depends)


def negotiate(accepted: str) -> bytes:
    """Choose a content coding by Accept-Encoding (RFC 9110, 12.5.3): the reader's preference, ours among equals."""
    quality: dict[str, float] = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.partition(";")
        quality[name.strip()] = _quality(parameters)
    ranked = [(quality.get(coding.decode(), quality.get("*", 0.0)), -place, coding) for place, coding in enumerate(_CODINGS)]
    best, _, coding = max(ranked)
    return coding if best > 0 and best >= quality.get("identity", 0.0) else b""


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def _without_body(send: Send) -> Send:
    """Answer HEAD as GET, without the body."""

    async def headless(message: Message) -> None:
        # A server that reads files itself would send the path instead.
        if message["type"] in ("http.response.body", "http.response.pathsend"):
            message = {"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)}
        await send(message)

    return headless
