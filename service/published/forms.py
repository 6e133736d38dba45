"""The forms in which an article can be asked for: by `?format=`, or by `Accept`; and who writes each of them.

The rooms that know a form stand above the one that answers: each says here how it writes (`writes`). A form
is made of the same document that `json` is, so that none can show more than that.
"""

import enum
from collections.abc import Callable, Iterable
from functools import lru_cache

from starlette.types import Scope

from service.published.answers import Row
from service.settings import Settings


class Form(enum.StrEnum):
    """What an article can be answered as; `json` is this service's own."""

    JSON = "json"
    NINJS = "ninjs"
    JSONLD = "jsonld"


MEDIA_TYPES = {
    Form.JSON: "application/json",
    Form.NINJS: "application/ninjs+json",
    Form.JSONLD: "application/ld+json",
}
Writer = Callable[[bytes, Settings], bytes]
Tombstone = Callable[[Row, Settings], bytes]
_writers: dict[Form, Writer] = {}
_tombstones: dict[Form, Tombstone] = {}


def writes(form: Form) -> Callable[[Writer], Writer]:
    """Register what writes an article's document in one form."""

    def register(writer: Writer) -> Writer:
        _writers[form] = writer
        return writer

    return register


def buries(form: Form) -> Callable[[Tombstone], Tombstone]:
    """Register what writes that an article was withdrawn, where a form has words for it."""

    def register(tombstone: Tombstone) -> Tombstone:
        _tombstones[form] = tombstone
        return tombstone

    return register


def bury(form: Form, row: Row, settings: Settings) -> bytes | None:
    """The withdrawal of an article in a form; None where the form has no words for it."""
    return _tombstones[form](row, settings) if form in _tombstones else None


def write(form: Form, document: bytes, settings: Settings) -> bytes:
    """An article in a form, made of its document."""
    return document if form is Form.JSON else _writers[form](document, settings)


@lru_cache(1_000)
def preferred(accept: str) -> Form:
    """The form that `Accept` asks for (RFC 9110, 12.5.1): `json` unless another is named, and wanted no less."""
    wanted = {form: quality for form, quality in _named(accept.lower().split(",")) if quality > 0}
    return max(wanted, key=lambda form: (wanted[form], form is Form.JSON), default=Form.JSON)


def asked_by_accept(scope: Scope, accept: bytes) -> Scope:
    """A request for an article with the form that its `Accept` asks for in its query, so that a cache tells
    the forms apart.
    """
    path, query = scope["path"], scope["query_string"]
    form = preferred(accept.decode("latin-1"))
    if (
        form is Form.JSON
        or not path.startswith("/v1/articles/")
        or path.count("/") != 3
        or b"format=" in query
    ):
        return scope
    return {**scope, "query_string": query + b"&" * bool(query) + b"format=" + form.encode()}


def _named(ranges: Iterable[str]) -> Iterable[tuple[Form, float]]:
    known = {media_type: form for form, media_type in MEDIA_TYPES.items()}
    for each in ranges:
        media_type, *parameters = (part.strip() for part in each.split(";"))
        form = known.get(media_type)
        if form is not None:
            yield form, _quality(parameters)


def _quality(parameters: list[str]) -> float:
    said = next((part.partition("=")[2] for part in parameters if part.startswith("q=")), "1")
    try:
        return float(said)
    except ValueError:
        return 0.0
