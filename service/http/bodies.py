"""Read JSON bodies within a budget. Large ones are read in a thread, so that no request holds up
the others.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from fastapi import Request
from fastapi._compat import ModelField
from pydantic import JsonValue, ValidationError
from starlette.concurrency import run_in_threadpool

from service.errors import BadRequest, FieldProblem, errors_of, join

SMALL = 8_192
"""Bytes of a body that is read in the event loop, in less than a millisecond."""
MOST_VALUES, MOST_MEMBERS = 150_000, 30_000
"""Values in one body, and members of objects among them: the largest table has as many cells, and three
hundred pictures with their sizes as many members. Each member may be an error.
"""
MOST_IN_ONE = 1_000
"""Members of one object: each that no shape knows is an error, and noting thirty thousand holds up all
threads.
"""
DEEPEST = 500
_SIGNS = (b":", b",", b"[", b"{")
_END_OF_NAME = re.compile(rb'"\s*:')


class RepeatedMember(BadRequest):
    """An object of the body has a member twice, and programs differ in which of the two they take. `errors`
    says which member.
    """

    title = "A member was given twice"


class TooManyValues(BadRequest):
    """The body has more values than any document of this service needs, or they are nested more deeply."""

    title = "Too many values"


Repeated = list[tuple[object, str]]
"""Objects that had a member twice, each with the name of that member."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A body that does not have the shape that was asked for. The endpoint refuses it in its turn: whether
    the caller may ask at all comes first.
    """

    body: JsonValue
    errors: list[Any]

    def __getattr__(self, name: str) -> object:
        """Let no shape be read from this object, whose members may all have defaults."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise ValueError("the body does not have the shape that was asked for")


async def read_json(request: Request, shape: ModelField | None) -> None:
    """Read the body, and leave it with the request, for FastAPI to find: in its shape, or as `Invalid`.

    Raises BadRequest, RepeatedMember, TooManyValues.
    """
    body = await request.body()
    if not body:
        return
    read = _read(body, shape) if len(body) <= SMALL else await run_in_threadpool(_read, body, shape)
    # Starlette keeps in it what it has parsed. The test of shapes fails if FastAPI looks elsewhere one day.
    request._json = read  # noqa: SLF001


async def parsed_aside(body: bytes) -> JsonValue:
    """Return the value of a JSON text, a large one parsed in a thread. Raises as `parsed`."""
    return parsed(body) if len(body) <= SMALL else await run_in_threadpool(parsed, body)


def parsed(body: bytes) -> JsonValue:
    """Return the value of a JSON text. Raises BadRequest, RepeatedMember, TooManyValues."""
    value = _parsed(body)
    # Each value but the first follows one of these signs, and each level begins with one of the last two.
    if sum(map(body.count, _SIGNS)) >= DEEPEST:
        bound(value)
    return value


def _read(body: bytes, shape: ModelField | None) -> object:
    value = parsed(body)
    if shape is None:
        return value
    try:
        # Its own `validate` lists all errors, however many. The test of shapes fails if this is another one
        # day.
        return shape._type_adapter.validate_python(value, from_attributes=True)  # noqa: SLF001
    except ValidationError as error:
        return Invalid(value, [{**item, "loc": ("body", *item["loc"])} for item in errors_of(error)])


def _parsed(body: bytes) -> JsonValue:
    # Counted before they are made, because the parser holds up all threads. Text has few brackets, and not
    # many colons and commas.
    if (
        body.count(b":") > 3 * MOST_MEMBERS
        or body.count(b"[") + body.count(b"{") > 2 * MOST_MEMBERS
        or body.count(b",") > 3 * MOST_VALUES
    ):
        raise TooManyValues(f"The body has more than {MOST_VALUES} values, or {MOST_MEMBERS} members.")
    repeated: Repeated = []
    try:
        # Given bytes, `loads` would take UTF-16 and halves of surrogate pairs too.
        text = body.decode("utf-8-sig")
        value: JsonValue = json.loads(
            text, object_pairs_hook=partial(_members, repeated), parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg}.") from None
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} begins no character.") from None
    except RecursionError:
        raise TooManyValues(f"The body is nested more than {DEEPEST} levels deep.") from None
    except ValueError:
        raise BadRequest("The body is not JSON: a number has too many digits.") from None
    refuse_repeated(value, repeated)
    return value


def _no_number(name: str) -> NoReturn:
    raise BadRequest(f"The body is not JSON: {name} is no number of JSON.")


def _members(repeated: Repeated, pairs: list[tuple[str, JsonValue]]) -> Mapping[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        # The object is kept, because its place is found by its identity.
        repeated.append((members, next(name for place, name in enumerate(names) if name in names[:place])))
    return members


def need_each_once(text: bytes, value: JsonValue) -> None:
    """Refuse a JSON text that has a member twice. `value` is what a faster parser made of it, which takes the
    last one. Raises as `parsed`.
    """
    # A colon follows each name. A text that seems to have more names than the value is parsed again.
    members = _count_members(value)
    if text.count(b":") > members and len(_END_OF_NAME.findall(text)) > members:
        parsed(text)


def _count_members(value: JsonValue) -> int:
    count, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            count += len(one)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return count


def refuse_repeated(value: JsonValue, repeated: Repeated) -> None:
    """Refuse a value in which an object had a member twice. Raises RepeatedMember."""
    if not repeated:
        return
    names = {id(members): name for members, name in repeated}
    left: list[tuple[str, JsonValue]] = [("", value)]
    for pointer, one in left:
        if id(one) in names:
            name = names[id(one)]
            raise RepeatedMember(
                f"An object has the member {name[:100]!r} twice.",
                errors=[FieldProblem(pointer=join(pointer, name), message="is there twice")],
            )
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        left += ((join(pointer, step), each) for step, each in inner)


def bound(value: JsonValue) -> None:
    """Refuse too many values, and too deep ones. Raises TooManyValues."""
    count, members, level, depth = 0, 0, [value], 0
    while level:
        depth += 1
        inner: list[JsonValue] = []
        for one in level:
            if isinstance(one, dict):
                members += len(one)
                if len(one) > MOST_IN_ONE:
                    raise TooManyValues(f"An object of the body has more than {MOST_IN_ONE} members.")
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        count += len(inner)
        if count > MOST_VALUES or members > MOST_MEMBERS:
            raise TooManyValues(f"The body has more than {MOST_VALUES} values, or {MOST_MEMBERS} members.")
        if depth > DEEPEST:
            raise TooManyValues(f"The body is nested more than {DEEPEST} levels deep.")
        level = inner
