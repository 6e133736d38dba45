"""A JSON Merge Patch (RFC 7396) as the whole that it asks for, and members that only the service sets."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, JsonValue, ValidationError

from service.errors import FieldProblem, Unprocessable, errors_of

Whole = TypeVar("Whole", bound=BaseModel)


def merged(
    shape: type[Whole],
    stored: BaseModel,
    patch: dict[str, JsonValue],
    *,
    defaulted: Collection[str] = (),
) -> Whole:
    """Return the stored content with the patch applied: absent members stay, null removes, objects are merged
    member by member.

    A member that cannot be null is refused with null, because its default is seldom what was meant: it would
    enable a webhook, or send it every kind. `defaulted` members take their default instead, as the tags of an
    article do, whose default is none.
    """
    known = {info.alias or name for name, info in shape.model_fields.items()}
    whole: dict[str, JsonValue] = orjson.loads(stored.model_dump_json(include=known))
    for name, value in patch.items():
        if value is None and name in defaulted:
            whole.pop(name, None)
        else:
            # A null stays, so that the shape says whether that member can be removed.
            whole[name] = None if value is None else _merge(whole.get(name), value)
    try:
        return shape.model_validate(whole)
    except ValidationError as error:
        raise invalid(error, whole) from None


def invalid(error: ValidationError, body: object) -> RequestValidationError:
    """Return the refusal of a body that was not read by the framework."""
    return RequestValidationError(
        [{**item, "loc": ("body", *item["loc"])} for item in errors_of(error)],
        body=body,
    )


def _merge(stored: JsonValue, patch: JsonValue) -> JsonValue:
    if not isinstance(patch, dict):
        return patch
    whole = dict(stored) if isinstance(stored, dict) else {}
    for name, value in patch.items():
        if value is None:
            whole.pop(name, None)
        else:
            whole[name] = _merge(whole.get(name), value)
    return whole


def refuse_changes(given: BaseModel, stored: BaseModel, names: Iterable[str]) -> None:
    """Refuse members that only the service sets where they differ from what is stored; equal ones are
    welcome.

    `names` are those of `given`; a member with an alias has that name in `stored`.
    """
    differing = []
    for name in names:
        alias = type(given).model_fields[name].alias or name
        if name in given.model_fields_set and getattr(given, name) != getattr(stored, alias):
            differing.append(alias)
    refuse_differing(differing)


def refuse_differing(names: Sequence[str]) -> None:
    """Refuse members that only the service sets and that were given otherwise than they are stored."""
    if names:
        message = "is set by the service and differs from what is stored"
        problems = [FieldProblem(pointer=f"/{name}", message=message) for name in names]
        raise Unprocessable(f"{problems[0].pointer} {message}.", errors=problems)
