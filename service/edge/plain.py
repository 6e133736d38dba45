"""Answer plain lists without the router, without a thread and without the ORM: the parameters are read as the
router reads them, and prepared statements read the page.

Whatever is not plain, and whatever is refused, is left to the router.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Scope

from service.ages import keep_until
from service.errors import ServiceError
from service.http.shortcuts import Arguments, NotPlain, Shortcut
from service.published.answers import DEPENDS
from service.published.plain import Question
from service.published.reader import DatabaseReader
from service.published.store import Listed


class PlainList(Protocol):
    """A list as it is asked for."""

    @property
    def question(self) -> Question: ...

    def answer(self, request: Request, listed: Listed) -> Response:
        """Answer with a page that was read."""


Understand = Callable[[Request, Arguments], PlainList | None]
"""Returns the list that an endpoint's arguments ask for; None for one that is not plain."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A plain list, and the request for it."""

    request: Request
    list: PlainList

    async def answer(self, reader: DatabaseReader) -> Response | None:
        """Read the list and return the answer; None when it has to be read in another way, and when the
        router is to refuse it.
        """
        read = await self.list.question.read(reader)
        if read is None:
            return None
        listed, until = read
        try:
            response = self.list.answer(self.request, listed)
        except ServiceError:
            return None
        keep_until(self.request.scope, until)
        return response


class PlainLists:
    """The plain lists of an app."""

    def __init__(
        self, app: ASGIApp, routers: Iterable[APIRouter], understand: Mapping[str, Understand]
    ) -> None:
        self._app = app
        routes = [route for each in routers for route in each.routes if isinstance(route, APIRoute)]
        self.ways = {
            route.path: (Shortcut(route), understand[route.path])
            for route in routes
            if route.methods == {"GET"} and route.path in understand
        }

    async def asked(self, scope: Scope, depends: set[str]) -> Asked | None:
        """Return the plain list that a request asks for. What its answer depends on goes into `depends`."""
        way = self.ways.get(scope["path"])
        if way is None:
            return None
        shortcut, understand = way
        # Nothing but the key plays a part in what others get.
        request = Request({**scope, "headers": [], "app": self._app, DEPENDS: depends})
        try:
            plain = understand(request, await shortcut.arguments(request))
        except (ServiceError, NotPlain):
            return None
        return None if plain is None else Asked(request, plain)
