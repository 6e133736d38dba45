"""Answer anonymous readers' lists without the router: the endpoint is called with its parameters as FastAPI
reads them, and whatever is not plain is left to the router.

The parameters are defined once: they are read by the very fields that FastAPI has made of the endpoint's
signature. What is left out is FastAPI's general way of solving dependencies, and visits to other threads.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, get_type_hints

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.ages import keep_until
from service.database import READ_FROM, Database, Session, open_session
from service.errors import ServiceError
from service.faults import DATABASE_FAULTS, refusal
from service.http import operations, routing
from service.http.callers import ANONYMOUS, known_caller
from service.http.problems import problem_response
from service.services import service

Arguments = dict[str, Any]
"""Arguments of a function by name: their types are those of its signature."""


class NotPlain(Exception):
    """The router has to look at this request."""


@dataclass(frozen=True, slots=True)
class _Later:
    """A function whose arguments are known, but for the session."""

    function: Callable[..., Any]
    arguments: Arguments
    session: str | None

    def known(self) -> Arguments:
        """Return its arguments, those that are functions of no session called."""
        return {
            name: value.function(**value.known()) if isinstance(value, _Later) else value
            for name, value in self.arguments.items()
        }

    def called(self, session: Session) -> Any:
        """Call it, and before it what it depends on."""
        known = {
            name: value.called(session) if isinstance(value, _Later) else value
            for name, value in self.arguments.items()
        }
        if self.session is not None:
            known[self.session] = session
        return self.function(**known)


@dataclass(frozen=True, slots=True)
class _Call:
    """A function as FastAPI calls it: `defaults` are its arguments for a request without parameters, `fields`
    read parameters by their names, and `needs` are what it depends on.
    """

    function: Callable[..., Any]
    is_async: bool
    defaults: Arguments
    fields: Mapping[str, Any]
    required: frozenset[str]
    needs: Mapping[str, "_Call"]
    request: str | None
    session: str | None


def _call_of(dependant: Dependant) -> _Call:
    """Examine a function once, because each of its twenty parameters costs a microsecond."""
    assert dependant.call is not None
    fields = {field.alias: field for field in dependant.query_params}
    required = frozenset(alias for alias, field in fields.items() if field.field_info.is_required())
    defaults = {field.name: field.get_default() for alias, field in fields.items() if alias not in required}
    # All requests share them.
    assert all(isinstance(value, Hashable) for value in defaults.values()), defaults
    needs, session = dict[str, _Call](), None
    for needed in dependant.dependencies:
        assert needed.name is not None
        if needed.call is open_session:
            session = needed.name
        elif needed.call is known_caller:
            defaults[needed.name] = ANONYMOUS
        else:
            needs[needed.name] = _call_of(needed)
    is_async = iscoroutinefunction(dependant.call)
    request = dependant.request_param_name
    return _Call(dependant.call, is_async, defaults, fields, required, needs, request, session)


class Shortcuts:
    """ASGI layer in front of the router, and behind the one that answers for faults: an anonymous GET without
    headers, such as the cache sends, is answered by the shortcut to its address.
    """

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self.app = app
        routes = [route for each in routers for route in each.routes if isinstance(route, APIRoute)]
        self.by_path = {route.path: Shortcut(route) for route in routes if _fits(route)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = None
        if scope["type"] == "http" and scope["method"] == "GET" and not scope["headers"]:
            shortcut = self.by_path.get(scope["path"])
            answer = None if shortcut is None else await shortcut.answer(scope)
        await (answer or self.app)(scope, receive, send)


class Shortcut:
    """The way to one endpoint."""

    def __init__(self, route: APIRoute) -> None:
        self._route = route
        self._call = _call_of(route.dependant)
        self.parameters = dict(routing.parameters(route.dependant))
        """The query parameters by name; true for those that may be given several times."""

    async def answer(self, scope: Scope) -> Response | None:
        """Return the endpoint's answer to an anonymous GET; None when the router has to give it."""
        scope["route"] = self._route
        request = Request(scope)
        database = service(request, Database)
        try:
            endpoint = await self._prepared(self._call, request, self._given(request))
            given_session: Session | None = scope.get(READ_FROM)
            if given_session is not None:
                return await to_thread.run_sync(_called, request, endpoint, given_session)
            async with database.admission.slot(writes=False):
                return await to_thread.run_sync(_work, database, request, endpoint)
        except DATABASE_FAULTS as fault:
            return problem_response(request, refusal(fault))
        except (ServiceError, NotPlain):
            return None  # The router meets the same, and answers it.

    async def arguments(self, request: Request) -> Arguments:
        """Return the arguments of the endpoint but for its session. Raises NotPlain, and ServiceError."""
        later = await self._prepared(self._call, request, self._given(request))
        return later.known()

    def _given(self, request: Request) -> Mapping[str, list[str]]:
        """Return the values of each parameter."""
        given: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            if name not in self.parameters or "\x00" in value:
                raise NotPlain
            given.setdefault(name, []).append(value)
        return given

    async def _prepared(self, call: _Call, request: Request, given: Mapping[str, list[str]]) -> _Later:
        """Return an endpoint, or what it depends on, with its arguments."""
        if not call.required <= given.keys():
            raise NotPlain
        arguments = {**call.defaults}
        for alias, values in given.items():
            if alias in call.fields:
                arguments[call.fields[alias].name] = self._value(call.fields[alias], values)
        if call.request is not None:
            arguments[call.request] = request
        for name, needed in call.needs.items():
            later = await self._prepared(needed, request, given)
            arguments[name] = await later.function(**later.arguments) if needed.is_async else later
        return _Later(call.function, arguments, call.session)

    def _value(self, field: Any, given: list[str]) -> Any:
        """Return the value of a parameter, read by FastAPI's field."""
        takes_many = self.parameters[field.alias]
        if len(given) > 1 and not takes_many:
            raise NotPlain
        value, errors = field.validate(given if takes_many else given[0])
        if errors:
            raise NotPlain
        return value


def _work(database: Database, request: Request, endpoint: _Later) -> Response:
    with database.reading() as session:
        return _called(request, endpoint, session)


def _called(request: Request, endpoint: _Later, session: Session) -> Response:
    answer: Response = endpoint.called(session)
    keep_until(request.scope, session.until)
    return answer


def _fits(route: APIRoute) -> bool:
    """Return whether there can be a shortcut to an endpoint: it answers GET at one address, for everybody,
    with a response of its own.
    """
    return (
        isinstance(route, routing.Route)
        and route.methods == {"GET"}
        and "{" not in route.path
        and get_type_hints(route.endpoint).get("return") is Response
        and not iscoroutinefunction(route.endpoint)
        and operations.required_scope(route) is None
        and _is_plain(route.dependant)
    )


def _is_plain(dependant: Dependant) -> bool:
    if dependant.call in (open_session, known_caller):
        return True
    others = dependant.header_params, dependant.cookie_params, dependant.body_params, dependant.path_params
    return not any(others) and all(map(_is_plain, dependant.dependencies))
