"""Ready answers for anonymous readers, in front of the router: a function of a request's normal form and the
published sequence, dropped key by key.

Pure ASGI, because every layer between the server and the bytes costs more than the bytes. A hit costs one
check for changes and one dictionary look-up. A miss for one resource is answered from one prepared read,
still before the router. Everything else is answered by the router, and kept when the endpoint has said what
its answer depends on (`published.answers.depend`).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TypeVar
from uuid import UUID

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.ages import AGAIN, UNTIL, control
from service.edge.collected import Collected
from service.edge.cors import WITH_CREDENTIALS, PublicCors
from service.edge.entries import CacheEntry, Coded, Entries, Headers, Key
from service.edge.flights import Flight, Flights, StillBeingMade
from service.edge.logs import request_id
from service.edge.making import Making, TooMuchToMake, is_large
from service.edge.normal import Given, normal_form
from service.edge.outflow import LARGE, Outflow
from service.edge.pace import Pace
from service.edge.plain import PlainLists
from service.edge.safety import Safety
from service.errors import PROBLEM, BadRequest, ServiceError
from service.faults import DATABASE_FAULTS, answer_to
from service.http.conditional import matches
from service.http.negotiation import choose_coding
from service.published import keys, moves
from service.published.answers import DEPENDS, answer_row, id_of
from service.published.models import Kind, Reason
from service.published.reader import MANY, Changes, DatabaseReader
from service.published.watch import Watch
from service.published.withdrawn import PICTURES_SQL
from service.settings import Settings
from service.sync.stream import ADDRESS as STREAM

_DIRECT = {"/v1/articles/": Kind.ARTICLE, "/v1/images/": Kind.IMAGE, "/v1/captions/": Kind.CAPTION}
_KEPT = ("/v1/", "/feeds/", "/sitemaps/", "/read/", "/search", "/openapi.")
FOR_FOLLOWERS = ("/v1/changes", "/v1/changes/mirror")
LOOKS_EVERY = 1.0
"""Seconds after which the next request looks for changes, if there are any, even when it has no answer to
lose.
"""
Found = TypeVar("Found")
_VARIES_BY_ID = (b"vary", b"X-Request-ID")
"""Goes with an id of the client's own, so that no cache in between gives it to others."""


class WireCache:
    """The ASGI layer. `hits` counts the answers from memory, `misses` those that were made.

    Behind it are `app`, for what is not for everybody, and `public`, whose answers do not say yet which
    origins may read them. `public` gets nothing of a request but its key.
    """

    def __init__(
        self,
        app: ASGIApp,
        public: ASGIApp,
        settings: Settings,
        reader: DatabaseReader,
        watch: Watch,
        lists: PlainLists | None = None,
    ) -> None:
        self.outflow = Outflow(settings.answer_bytes)
        self.making = Making(settings)
        self.pace = Pace(2 * settings.database_pool_size)
        self.app = app
        self.public = public
        self.settings = settings
        self._safety = Safety(settings)
        self.entries = Entries(settings.cache_bytes)
        self.hits = self.misses = 0
        self._cors = PublicCors(settings)
        self.lists = lists
        self._reader = reader
        self._watch = watch
        self._seq = -1
        self._set_backs = 0
        self._is_behind, self._looked_at = False, float("-inf")
        self._catching_up = asyncio.Lock()
        self._caught_up = self._looks_begun = self._last_look = 0
        self._withdrawn: set[str] = set()
        """Pictures that are left out of answers whose articles have not changed."""
        self.flights = Flights(settings.request_deadline)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        try:
            scope, given = normal_form(scope)
        except BadRequest as error:
            await self._refuse(error, scope, send)
            return
        if not _is_for_everybody(scope, given):
            await self._private(scope, given, receive, self.outflow.bounded(scope, send))
            return
        id_ = request_id(scope)
        added = [*self._cors.headers(given.get(b"origin")), (b"x-request-id", id_)]
        if given.get(b"x-request-id") == id_:
            added.append(_VARIES_BY_ID)
        known = given.get(b"if-none-match")
        key = (scope["path"], scope["query_string"])
        entry = await self._entry(key, scope, receive, send, added, known)
        if entry is not None:
            coding = choose_coding(given.get(b"accept-encoding", b""))
            coded = entry.bodies.get(coding) or await self._code(key, entry, coding)
            if (left := entry.left()) is not None:
                coded = coded.lasting(self._control(left))
            if len(coded.body) > LARGE:
                send = self.outflow.bounded(scope, send)
            await _send(entry.status, coded, known, added, send)

    async def _refuse(self, error: ServiceError, scope: Scope, send: Send) -> None:
        refused = _problem(error, scope["path"])
        added = [*self._cors.headers(None), (b"x-request-id", request_id(scope))]
        await _send(refused.status, refused.code("", refused.body), None, self._safety.completed(added), send)

    async def _private(self, scope: Scope, given: Given, receive: Receive, send: Send) -> None:
        """Have the router answer one caller alone."""
        if scope["method"] != "GET" or not is_large(scope["query_string"]) or _waits(scope, given):
            await self.app(scope, receive, send)
            return
        try:
            await self.making.have_made(self.app, scope, receive, send)
        except TooMuchToMake as error:
            await self._refuse(error, scope, send)

    def _control(self, left: float) -> bytes:
        settings = self.settings
        return control(settings.public_max_age, settings.public_stale_while_revalidate, left).encode()

    async def _code(self, key: Key, entry: CacheEntry, coding: str) -> Coded:
        body = await self.making.compressed(entry.body, entry.coding(coding))
        return entry.bodies.get(coding) or self.entries.code(key, entry, coding, body)

    async def _entry(
        self,
        key: Key,
        scope: Scope,
        receive: Receive,
        send: Send,
        added: Headers,
        known: bytes | None,
    ) -> CacheEntry | None:
        """Return a ready entry or a new one; None when the answer was sent and is for this client alone."""
        try:
            if self._watch.changed(self._seq) or self._watch.set_backs != self._set_backs:
                self._is_behind = True
            if self._is_behind and self._must_catch_up(key):
                await self._catch_up()
            entry = self.entries.get(key)
            if entry is not None:
                self.hits += 1
                return entry
            make = partial(self._make, key, scope, receive, send, added, known)
            return await self.flights.once(key, lambda: self._caught_up, make)
        except (TooMuchToMake, StillBeingMade) as error:
            return self._refusal(error, scope)
        except DATABASE_FAULTS as fault:
            return self._lost(fault, scope)

    def _must_catch_up(self, key: Key) -> bool:
        """Return whether a request waits for what has changed. One for which there is no answer need not,
        because it reads after the change, but is not to leave the changes to pile up.
        """
        is_late = self._seq < 0 or time.monotonic() > self._looked_at + LOOKS_EVERY
        return is_late or self.entries.get(key) is not None or self.flights.reads(key)

    async def _make(
        self,
        key: Key,
        scope: Scope,
        receive: Receive,
        send: Send,
        added: Headers,
        known: bytes | None,
        flight: Flight,
    ) -> CacheEntry | None:
        """Make an answer, or the refusal that all who wait for it get."""
        self.misses += 1
        try:
            entry = await self._direct(key, flight) or await self._plain(key, scope, flight)
            if entry is not None:
                return entry
            async with self.making.turn(scope):
                collected = Collected(self.outflow.bounded(scope, send), added, known, flight)
                return await self._routed(key, scope, receive, collected, flight)
        except DATABASE_FAULTS as fault:
            return self._lost(fault, scope)

    def _lost(self, fault: Exception, scope: Scope) -> CacheEntry:
        self._seq = -1  # Whatever has changed meanwhile is still to be dealt with.
        return self._refusal(answer_to(fault), scope)

    def _refusal(self, error: ServiceError, scope: Scope) -> CacheEntry:
        refused = _problem(error, scope["path"])
        refused.headers = self._safety.completed(refused.headers)
        return refused

    async def _direct(self, key: Key, flight: Flight) -> CacheEntry | None:
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
        row = await self._read(flight, lambda: self._reader.find(kind, name))
        answer = answer_row(row, kind, name, path, self.settings)
        headers = self._safety.completed(answer.headers)
        entry = CacheEntry(answer.status, headers, answer.body, answer.etag)
        self._name(entry, answer.keys, answer.depends)
        entry.until = answer.until.timestamp() if answer.until else None
        self._keep(key, entry, flight)
        return entry

    async def _plain(self, key: Key, scope: Scope, flight: Flight) -> CacheEntry | None:
        """Answer for a plain list without the router."""
        depends: set[str] = set()
        asked = None if self.lists is None else await self.lists.asked(scope, depends)
        if asked is None:
            return None
        response = await self._read(flight, lambda: asked.answer(self._reader))
        if response is None:
            return None
        headers = self._safety.completed(response.raw_headers)
        entry = CacheEntry(response.status_code, headers, bytes(response.body), response.headers["etag"])
        self._name(entry, asked.request.scope.get(keys.KEYS), depends)
        entry.until = asked.request.scope.get(UNTIL)
        self._keep(key, entry, flight)
        return entry

    async def _read(self, flight: Flight, read: Callable[[], Awaitable[Found]]) -> Found:
        """Read in the event loop, when it is its turn."""
        async with self.pace:
            flight.read_at = self._caught_up
            try:
                return await read()
            except DATABASE_FAULTS:
                self.pace.let_all_go()
                raise

    async def _routed(
        self, key: Key, scope: Scope, receive: Receive, collected: Collected, flight: Flight
    ) -> CacheEntry | None:
        flight.read_at = self._caught_up
        # Without a header: conditions and codings are answered from the entry, and nothing else may play a
        # part in what others get.
        inner = {**scope, "headers": [], DEPENDS: collected.depends}
        await self.public(inner, receive, collected)
        entry = collected.entry()
        if entry is not None:
            entry.until, entry.again = inner.get(UNTIL), inner.get(AGAIN)
            if collected.depends:
                self._name(entry, inner.get(keys.KEYS), collected.depends)
                self._keep(key, entry, flight)
        return entry

    def _name(self, entry: CacheEntry, named: Iterable[str] | None, depends: Iterable[str]) -> None:
        """Give an entry the keys by which it is dropped, here and by a cache in front: those that its
        endpoint has named, or else those of what it depends on.
        """
        entry.keys = tuple(named or map(keys.of_dependency, depends))
        entry.headers += keys.header(self.settings, entry.keys)

    def _keep(self, key: Key, entry: CacheEntry, flight: Flight) -> None:
        # An answer that was read before a change, which has been dealt with meanwhile, may show the state
        # before that change.
        if flight.read_at == self._caught_up:
            self.entries.keep(key, entry)

    def forget(self) -> None:
        """Drop every ready answer, because rows are others under the same numbers."""
        self._caught_up += 1
        self.entries.clear()

    async def _catch_up(self) -> None:
        """Drop what depends on anything that has changed since the last time. One look is enough for all who
        asked before it began.
        """
        asked = self._looks_begun
        async with self._catching_up:
            if self._last_look > asked:
                return
            self._looks_begun += 1
            set_backs = self._watch.set_backs
            self._is_behind, self._looked_at = False, time.monotonic()
            seq, changes = await self._reader.changes(self._seq)
            # The numbers may have gone back and risen again since.
            is_set_back = seq < self._seq or set_backs != self._set_backs
            if changes or is_set_back:
                self._caught_up += 1
            concerned = _concerned(changes, self._seq)
            is_told = len(changes) <= MANY and keys.EVERYTHING not in concerned and not is_set_back
            if await self._has_gone(changes) or not is_told:
                self.entries.clear()
            self.entries.drop(concerned)
            self._seq, self._set_backs = seq, set_backs
            self._last_look = self._looks_begun

    async def _has_gone(self, changes: Changes) -> bool:
        """Return whether a picture was withdrawn, or may be shown again, before its articles are rendered for
        it.
        """
        pictures = {
            id_: reason == Reason.WITHDRAWN for kind, id_, reason, *_ in changes if kind == Kind.IMAGE
        }
        waiting: set[str] = set()
        if pictures or self._seq < 0:
            waiting = {UUID(str(id_)).hex for id_, *_ in await self._reader.rows(PICTURES_SQL)}
        withdrawn = {id_ for id_, is_withdrawn in pictures.items() if is_withdrawn}
        again = self._withdrawn & (pictures.keys() - withdrawn - waiting)
        self._withdrawn = (self._withdrawn - again) | withdrawn | waiting
        return bool(withdrawn or again or waiting)


def _concerned(changes: Changes, since: int) -> set[str]:
    """Return the keys of all answers that changes since a number concern."""
    return {
        key
        for kind, id_, _, seq, written in changes
        for key in keys.of_change(kind, UUID(id_), moves.since(written, seq, since))
    }


def _is_for_everybody(scope: Scope, given: Given) -> bool:
    """Return whether every client without a token gets the same answer to this request."""
    if scope["method"] != "GET" or b"authorization" in given:
        return False
    path: str = scope["path"]
    return (
        (path == "/" or path.startswith(_KEPT))
        and not path.startswith(WITH_CREDENTIALS)
        and not _waits(scope, given)
    )


def _waits(scope: Scope, given: Given) -> bool:
    """Return whether a request waits for changes, as a stream or for the next one."""
    path: str = scope["path"]
    if path == "/v1/changes" and b"accept" in given:
        return True
    return path == STREAM or (path in FOR_FOLLOWERS and b"wait=" in scope["query_string"])


def _problem(error: ServiceError, path: str) -> CacheEntry:
    """Return a refusal as an entry that is not kept."""
    told = {"Content-Type": PROBLEM, "Cache-Control": "no-store", **error.headers}
    headers = [(name.lower().encode(), value.encode()) for name, value in told.items()]
    return CacheEntry(error.status, headers, error.problem(path), None)


async def _send(status: int, coded: Coded, known: bytes | None, added: Headers, send: Send) -> None:
    """Send an answer, or that the client knows it already."""
    headers, body = coded.headers, coded.body
    if (
        known is not None
        and coded.etag
        and (known == coded.etag or matches(known.decode("latin-1"), coded.etag.decode()))
    ):
        status, headers, body = 304, coded.unchanged, b""
    await send({"type": "http.response.start", "status": status, "headers": headers + added})
    await send({"type": "http.response.body", "body": body})


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
