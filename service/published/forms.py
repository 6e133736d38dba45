"""Name the forms in which an article can be asked for by `?format=`, and hold the writer of each.

The rooms that know a form stand above the one that answers: `service/rooms.py` names their writers. A form
is made of the same document that `json` is, so that none can show more than that.
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Forms:
    """The writers of the forms of others, and of the withdrawals that a form has words for."""

    writers: Mapping[Form, Writer]
    tombstones: Mapping[Form, Tombstone]

    def write(self, form: Form, document: bytes, settings: Settings) -> bytes:
        """Return an article in a form, made of its document."""
        return document if form is Form.JSON else self.writers[form](document, settings)

    def bury(self, form: Form, row: Row, settings: Settings) -> bytes | None:
        """Return the withdrawal of an article in a form; None where the form has no words for it."""
        return self.tombstones[form](row, settings) if form in self.tombstones else None
