"""Ready answers for anonymous readers, in front of the router: a function of (URL, published sequence),
dropped key by key.

Pure ASGI, since every layer between the server and the bytes costs more than the bytes. A hit costs one check
for changes and one dictionary look-up. A miss for one resource is answered from one prepared read, still
before the router; everything else is answered by the router, and kept when the endpoint has said what its
answer depends on (`published.answers.depend`).
"""

import asyncio
import sys
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.codings import LEAST_COMPRESSED, compress, negotiate
from service.conditional import matches
from service.edge.cors import WITH_CREDENTIALS, PublicCors
from service.edge.logs import request_id
from service.errors import PROBLEM
from service.faults import DATABASE_FAULTS, answer_to
from service.published.answers import DEPENDS, UNTIL, answer_row, id_of
from service.published.forms import asked_by_accept
from service.published.models import Kind
from service.published.reader import MANY, Reader
from service.published.waiting import is_held
from service.published.watch import Watch
from service.settings import Settings

Headers = list[tuple[bytes, bytes]]
OVERHEAD = 600
"""Bytes that an entry costs beside its bodies."""
_DIRECT = {"/v1/articles/": Kind.ARTICLE, "/v1/images/": Kind.IMAGE, "/v1/captions/": Kind.CAPTION}
_KEPT = ("/v1/", "/feeds/", "/sitemaps/", "/read/")
_KEPT_STATUS = frozenset({200, 308, 404, 410})


class Coded(NamedTuple):
    """An answer in one content coding, ready for the wire; `unchanged` are the headers of its 304."""

    etag: bytes
    headers: Headers
    unchanged: Headers
    body: bytes


class Entry:
    """One answer, in every content coding that was asked for so far."""

    __slots__ = ("bodies", "body", "depends", "etag", "headers", "size", "status", "until")

    def __init__(
        self, status: int, headers: Headers, body: bytes, etag: str | None, depends: Iterable[str]
    ) -> None:
        self.status = status
        self.headers = [
            pair for pair in headers if pair[0] not in (b"etag", b"content-length", b"x-request-id")
        ]
        self.body = body
        self.etag = etag
        self.depends = tuple(depends)
        self.until: float | None = None
        self.bodies: dict[bytes, Coded] = {}
        self.size = OVERHEAD + len(body) + sum(len(name) + len(value) for name, value in self.headers)

    def coded(self, coding: bytes) -> Coded:
        """The answer in one content coding, made once. A strong ETag differs with the coding."""
        made = self.bodies.get(coding)
        if made is None:
            made = self.bodies[coding] = self._code(coding if len(self.body) >= LEAST_COMPRESSED else b"")
        return made

    def _code(self, coding: bytes) -> Coded:
        body, unchanged, etag = compress(self.body, coding), list(self.headers), b""
        if coding:
            unchanged.append((b"content-encoding", coding))
            self.size += len(body)
        if self.etag is not None:
            etag = self.etag.encode() if not coding else self.etag[:-1].encode() + b";" + coding + b'"'
            unchanged.append((b"etag", etag))
        headers = [*unchanged, (b"content-length", b"%d" % len(body))]
        return Coded(
            etag,
            headers,
            [pair for pair in unchanged if pair[0] not in (b"content-type", b"content-encoding")],
            body,
        )


class WireCache:
    """The ASGI layer. `hits` and `misses` count; `bytes` is what the entries take.

    Behind it are `app`, for what is not for everybody, and `public`, whose answers do not say yet which
    origins may read them.
    """

    def __init__(
        self, app: ASGIApp, public: ASGIApp, settings: Settings, reader: Reader, watch: Watch
    ) -> None:
        self.app = app
        self.public = public
        self.settings = settings
        self.hits = self.misses = self.bytes = 0
        self._cors = PublicCors(settings)
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
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        if not _is_for_everybody(scope):
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if b"authorization" in headers:
            await self.app(scope, receive, send)
            return
        if b"+json" in (accept := headers.get(b"accept", b"")):
            scope = asked_by_accept(scope, accept)
        cors = self._cors.headers(headers.get(b"origin"))
        entry = await self._entry(scope, receive, send, cors)
        if entry is not None:
            coding = self._coding(headers.get(b"accept-encoding", b""))
            status, chosen, body = self._answer(scope, entry, coding, headers.get(b"if-none-match"))
            chosen = [*chosen, *cors, (b"x-request-id", request_id(scope))]
            await send({"type": "http.response.start", "status": status, "headers": chosen})
            await send({"type": "http.response.body", "body": body})

    async def _entry(self, scope: Scope, receive: Receive, send: Send, cors: Headers) -> Entry | None:
        """The entry for a request: a ready one, or a new one; None when the answer was sent and is not for
        keeping.
        """
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
            return await self._direct(key) or await self._routed(key, scope, receive, send, cors)
        except DATABASE_FAULTS as fault:
            self._seq = -1  # Whatever has changed meanwhile is still to be dealt with.
            error = answer_to(fault)
            told = {"Content-Type": PROBLEM, "Cache-Control": "no-store", **error.headers}
            headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
            return Entry(error.status, headers, error.problem(scope["path"]), None, ())

    async def _direct(self, key: tuple[str, bytes]) -> Entry | None:
        """Answer for one resource without the router."""
        path, query = key
        prefix, _, name = path.rpartition("/")
        kind = _DIRECT.get(prefix + "/")
        if (
            kind is None
            or query
            or not name
            or "\x00" in name
            or (kind is not Kind.ARTICLE and id_of(name) is None)
        ):
            return None
        caught_up = self._caught_up
        answer = answer_row(await self._reader.find(kind, name), kind, name, path, self.settings)
        entry = Entry(answer.status, list(answer.headers), answer.body, answer.etag, answer.depends)
        self._keep(key, entry, caught_up)
        return entry

    async def _routed(
        self, key: tuple[str, bytes], scope: Scope, receive: Receive, send: Send, cors: Headers
    ) -> Entry | None:
        caught_up = self._caught_up
        collected = _Collected(send, cors, dict(scope["headers"]).get(b"if-none-match"))
        # Asked plainly: conditions and codings are answered from the entry.
        headers = [pair for pair in scope["headers"] if pair[0] not in (b"accept-encoding", b"if-none-match")]
        request_id(scope)  # Known before the scope is copied: the log's line and the answer have the same.
        inner = {**scope, "headers": headers, DEPENDS: collected.depends}
        await self.public(inner, receive, collected)
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

    def _coding(self, accepted: bytes) -> bytes:
        """The content coding to answer in: the best of ours that the reader accepts."""
        if not accepted:
            return b""
        coding = self._codings.get(accepted)
        if coding is None:
            coding = negotiate(accepted.decode("latin-1"))
            if len(self._codings) < 1_000 and len(accepted) < 100:
                self._codings[accepted] = coding
        return coding

    def _answer(
        self, scope: Scope, entry: Entry, coding: bytes, known: bytes | None
    ) -> tuple[int, Headers, bytes]:
        """Status, headers and body: nothing new where the reader knows this very answer."""
        before = entry.size
        coded = entry.coded(coding)
        if entry.size != before and self._entries.get((scope["path"], scope["query_string"])) is entry:
            self._grow(entry.size - before)
        if (
            known is not None
            and coded.etag
            and (known == coded.etag or matches(known.decode("latin-1"), coded.etag.decode()))
        ):
            return 304, coded.unchanged, b""
        return entry.status, coded.headers, coded.body


class _Collected:
    """Takes a router's answer: keeps it when it says what it depends on; else passes it on, unless it is
    `known` already.
    """

    def __init__(self, send: Send, cors: Headers, known: bytes | None) -> None:
        self.depends: set[str] = set()
        self._send = send
        self._cors = cors
        self._known = known
        self._is_unchanged = False
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and self.depends and message["status"] in _KEPT_STATUS:
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
        elif message["type"] == "http.response.start":
            await self._send(self._passed_on(message))
        else:
            await self._send({**message, "body": b""} if self._is_unchanged else message)

    def _passed_on(self, start: Message) -> Message:
        headers = [*start["headers"], *self._cors]
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

    def entry(self) -> Entry | None:
        """The answer as an entry, if it is for keeping."""
        if self._start is None:
            return None
        headers = list(self._start["headers"])
        etag = next((value.decode() for name, value in headers if name == b"etag"), None)
        return Entry(self._start["status"], headers, bytes(self._body), etag, self.depends)


def _is_for_everybody(scope: Scope) -> bool:
    """Whether a request, if it comes without a token, is answered the same for everybody."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path: str = scope["path"]
    return (
        (path == "/" or path.startswith(_KEPT))
        and not path.startswith(WITH_CREDENTIALS)
        and not is_held(scope)
    )


def _without_body(send: Send) -> Send:
    """Answer HEAD as GET, without the body."""

    async def headless(message: Message) -> None:
        # A server that reads files itself would send the path instead.
        if message["type"] in ("http.response.body", "http.response.pathsend"):
            message = {
                "type": "http.response.body",
                "body": b"",
                "more_body": message.get("more_body", False),
            }
        await send(message)

    return headless
