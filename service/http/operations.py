"""Describe every operation in the OpenAPI document beside its own shapes: who may call it, under which
conditions, and the problems that it may answer with.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from service import errors
from service.errors import PROBLEM, ServiceError
from service.scopes import Scope

Described = dict[str, Any]
"""A piece of the OpenAPI document, in the type that FastAPI takes it in."""
Responses = dict[int | str, Described]
_IF_MATCH = "the ETag that was read: the change is made to that version only. `*` changes whatever is there"
_IF_NONE_MATCH = "ETags that are known: 304 when one of them is still good"
_IDEMPOTENCY_KEY = (
    "any text of your own for this request: sent again with it, it is not done again, and answered as the"
    " first time"
)


@dataclass(frozen=True, slots=True)
class Description:
    """The description of one operation."""

    text: str
    responses: Responses
    extra: Described


def describe(route: APIRoute) -> Description:
    """Read off a route's dependencies what there is to be said."""
    scope, has_token = required_scope(route), knows_callers(route)
    extra = deepcopy(route.openapi_extra or {})
    for content in extra.get("requestBody", {}).get("content", {}).values():
        if route.body_field is not None and (examples := route.body_field.field_info.examples):
            content.setdefault("example", examples[0])
    extra["parameters"] = [*extra.get("parameters", []), *_headers(route, has_token=has_token)]
    if has_token and scope is None:
        extra["security"] = [*extra.get("security", []), {}]
    if scope is not None:
        # OpenAPI has a place for scopes of OAuth alone.
        extra["security"] = [{"HTTPBearer": []}]
        extra["x-required-scope"] = str(scope)
    text = route.description if scope is None else f"{route.description}\n\nNeeds the scope `{scope}`."
    responses: dict[int | str, Described] = {
        kind.status: _response(kind) for kind in _kinds(route, has_token=has_token)
    }
    unchanged: dict[int | str, Described] = (
        {304: {"description": "What was named in If-None-Match is still good."}}
        if _may_be_unchanged(route)
        else {}
    )
    return Description(text, unchanged | responses, extra)


def required_scope(route: APIRoute) -> Scope | None:
    """Return the scope that this endpoint asks for."""
    asked = (getattr(each.call, "scope", None) for each in needed(route.dependant))
    return next((scope for scope in asked if isinstance(scope, Scope)), None)


def knows_callers(route: APIRoute) -> bool:
    """Return whether an endpoint asks who calls."""
    return any(isinstance(each.call, SecurityBase) for each in needed(route.dependant))


def needed(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependency and all that it depends on."""
    yield dependant
    for inner in dependant.dependencies:
        yield from needed(inner)


def _is_one_of(route: APIRoute, *methods: str) -> bool:
    return not set(methods).isdisjoint(route.methods or ())


def _is_conditional(route: APIRoute) -> bool:
    # An endpoint that is not given its request cannot look at the conditions in it.
    return _is_one_of(route, "PUT", "PATCH", "DELETE") and route.dependant.request_param_name is not None


def _may_be_unchanged(route: APIRoute) -> bool:
    return _is_one_of(route, "GET") and route.dependant.request_param_name is not None


def _headers(route: APIRoute, *, has_token: bool) -> Iterator[Described]:
    declared = {field.alias.lower() for field in route.dependant.header_params}
    if _is_conditional(route):
        yield _header("If-Match", _IF_MATCH)
    if _may_be_unchanged(route):
        yield _header("If-None-Match", _IF_NONE_MATCH)
    if _is_one_of(route, "POST") and has_token and "idempotency-key" not in declared:
        yield _header("Idempotency-Key", _IDEMPOTENCY_KEY)


def _header(name: str, text: str) -> Described:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": text,
        "schema": {"type": "string"},
    }


def _kinds(route: APIRoute, *, has_token: bool) -> Iterator[type[ServiceError]]:
    has_body = route.body_field is not None or "requestBody" in (route.openapi_extra or {})
    yield errors.BadRequest
    if has_token:
        yield from (errors.Unauthorized, errors.Forbidden)
    if route.dependant.path_params:
        yield from (errors.NotFound, errors.Gone)
    if not _is_one_of(route, "GET"):
        yield errors.Conflict
    if _is_conditional(route):
        yield from (errors.PreconditionFailed, errors.PreconditionRequired)
    if has_body:
        yield from (errors.TooLarge, errors.UnsupportedMediaType)
    if has_body or any(each.query_params for each in needed(route.dependant)):
        yield errors.Unprocessable


def _response(kind: type[ServiceError]) -> Described:
    example = {
        "type": f"/problems/{kind.slug()}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.__doc__,
        "instance": "/v1/…",
    }
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": kind.title, "content": content}
