"""The forms in which an article can be asked for by `?format=`, and who writes each of them.

The rooms that know a form stand above the one that answers: each says here how it writes (`writes`). A form
is made of the same document that `json` is, so that none can show more than that.
"""

import enum
from collections.abc import Callable

from service.published.answers import Row
from service.settings import Settings


class Form(enum.StrEnum):
    """A form in which an article can be answered; `json` is this service's own."""

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
