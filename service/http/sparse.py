"""Leave out the members of a JSON document that `fields` does not name; `a,b.c` names a member of
a member.
"""

from typing import get_args, get_origin

import orjson
from pydantic import BaseModel, JsonValue

from service.errors import FieldProblem, Unprocessable

DEEPEST = 5
"""Names in a path: `data.body.image.renditions.href` is the longest that is asked for."""


class Wanted(dict[str, "Wanted"]):
    """The wanted members by name, each with its own wanted members. An empty one means all of them."""


def chosen(document: bytes, fields: str | None, shape: object) -> bytes:
    """Return a document of a shape with the members that `fields` names; without `fields`, as it is. Raises
    Unprocessable.
    """
    return document if fields is None else only(document, read(fields, shape))


def read(fields: str, shape: object) -> Wanted:
    """Read `fields` for documents of a shape, or of one of several. Raises Unprocessable for a member that
    no shape has.
    """
    wanted = Wanted()
    names = [name.strip() for name in fields.split(",") if name.strip()]
    if not names:
        raise _refused("must name at least one member")
    for name in names:
        path = name.split(".")
        if len(path) > DEEPEST or not _knows(shape, path):
            raise _refused(f"{name!r} is not a member of an item")
        _add(wanted, path)
    return wanted


def only(document: bytes, wanted: Wanted) -> bytes:
    """Return a document with the wanted members alone, in their order."""
    return orjson.dumps(_pruned(orjson.loads(document), wanted))


def _pruned(value: JsonValue, wanted: Wanted) -> JsonValue:
    if not wanted:
        return value
    if isinstance(value, list):
        return [_pruned(each, wanted) for each in value]
    if isinstance(value, dict):
        return {name: _pruned(member, wanted[name]) for name, member in value.items() if name in wanted}
    return value


def _add(wanted: Wanted, path: list[str]) -> None:
    first, *rest = path
    if not rest:
        wanted[first] = Wanted()
    elif wanted.get(first) != {}:  # The whole member is wanted already.
        _add(wanted.setdefault(first, Wanted()), rest)


def _knows(shape: object, path: list[str]) -> bool:
    """Tell whether a member is there, in any of the shapes that a value may have."""
    if not path:
        return True
    if get_origin(shape) is dict:
        return True
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        field = shape.model_fields.get(path[0])
        return field is not None and _knows(field.annotation, path[1:])
    return any(_knows(each, path) for each in get_args(shape))


def _refused(message: str) -> Unprocessable:
    problem = FieldProblem(place="query", pointer="/fields", message=message)
    return Unprocessable(f"fields: {message}.", errors=[problem])
