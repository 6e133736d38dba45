"""Have public answers made from a replica that has every change heard, and otherwise from the primary."""

from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.database import READ_FROM, Database, Session
from service.faults import DATABASE_FAULTS
from service.published.answers import DEPENDS
from service.published.reader import DatabaseReader
from service.published.replicas import Replica, Replicas

_NUMBERED = ("/v1/articles", "/v1/images", "/v1/captions", "/v1/sections", "/v1/tags", "/v1/authors")
_PAGES = ("/feeds/", "/sitemaps/", "/read/", "/search")
_MADE = frozenset({200, 308, 404, 410})


class FromReplicas:
    """The ASGI layer. An answer that a replica has made is sent when it says what it depends on, because that
    has a number. All others are made again, from the primary.
    """

    def __init__(self, app: ASGIApp, replicas: Replicas, reader: DatabaseReader, database: Database) -> None:
        self.app = app
        self._replicas = replicas
        self._reader = reader
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path != "/" and not path.startswith(_NUMBERED + _PAGES):
            await self.app(scope, receive, send)
            return
        opened = await self._opened()
        if opened is None:
            await self.app(scope, receive, send)
            return
        replica, session = opened
        depends: set[str] = set()
        # Whatever the router notes in its scope is of this try alone, until the answer is sent.
        tried: MutableMapping[str, Any] = {**scope, DEPENDS: depends, READ_FROM: session}
        sent = _Sent(send, depends, scope[DEPENDS])
        try:
            await self.app(tried, receive, sent)
        finally:
            await replica.end_session(self._database, session)
        if sent.is_taken:
            scope.update({**tried, DEPENDS: scope[DEPENDS]})
            return
        if sent.is_refused:
            replica.lose("it could not make an answer")
        await self.app(scope, receive, send)

    async def _opened(self) -> tuple[Replica, Session] | None:
        """Open a session on a replica that has every change that was heard. When nothing was heard for too
        long, ask the reader for the number, because it knows replicas too: a session on a primary that hangs
        would fail.
        """
        needed = self._replicas.needed
        try:
            return await self._replicas.open_session(await self._reader.seq() if needed is None else needed)
        except DATABASE_FAULTS:
            return None


class _Sent:
    """Passes on an answer that depends on what has a number, and drops any other."""

    def __init__(self, send: Send, depends: set[str], told: set[str]) -> None:
        self.is_taken = self.is_refused = False
        self._send = send
        self._depends = depends
        self._told = told

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_taken = bool(self._depends) and message["status"] in _MADE
            self.is_refused = message["status"] >= 500
            self._told.update(self._depends if self.is_taken else ())
        if self.is_taken:
            await self._send(message)
