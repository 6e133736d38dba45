"""Say what the holder of a token is entitled to, and judge resources by it."""

import enum
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field, StrictInt

from service.tables import LanguageRange, Line, Shape, Time, is_in_range, latest

MOST = 1_000
"""Values of one member of a contract."""


class ContractKind(enum.StrEnum):
    """A kind of resource that a contract may give."""

    ARTICLE = "article"
    IMAGE = "image"
    CAPTION = "caption"


class PictureRight(enum.StrEnum):
    """The pictures that a contract gives. `own` are those without a source: the house's own."""

    ALL = "all"
    OWN = "own"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a resource by which filters and contracts judge it. A resource may lack each of them."""

    section: str | None = None
    language: str | None = None
    source: str | None = None
    tags: frozenset[str] = frozenset()

    @property
    def mark(self) -> str:
        """Return the hash that tells these facts from others."""
        told = repr((self.section, self.language, self.source, sorted(self.tags)))
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


NO_FACTS = Facts()
LONGEST_EARLY = 720
"""Hours before its time from which on an article may be given: thirty days."""
Values = Annotated[list[Line], Field(max_length=MOST)]


def _is_none(hours: int) -> bool:
    # Older versions of the service, which may serve beside this one, refuse a member that they do not know.
    return hours == 0


class Contract(Shape):
    """The entitlement of the holder of a token. Of several values of a member one must fit; an empty member
    narrows nothing. A resource that lacks what a member asks for is left out.
    """

    sections: Values = Field(default_factory=list, examples=[["Sport"]])
    languages: Annotated[list[LanguageRange], Field(max_length=MOST)] = Field(
        default_factory=list, description="language ranges: `zh` gives `zh-Hans` too", examples=[["sv"]]
    )
    tags: Values = Field(default_factory=list, description="of which an article has one", examples=[[]])
    sources: Values = Field(default_factory=list, examples=[[]])
    kinds: Annotated[list[ContractKind], Field(min_length=1, max_length=50)] = Field(
        default_factory=lambda: list(ContractKind), description="what is given at all"
    )
    pictures: PictureRight = Field(
        default=PictureRight.ALL,
        description="own: those without a source. The others are left out of articles",
    )
    early_hours: StrictInt = Field(
        default=0,
        ge=0,
        le=LONGEST_EARLY,
        description="how long before its time an article is given at `/v1/embargoed-articles`; absent: never",
        examples=[12],
        exclude_if=_is_none,
    )
    until: Time | None = Field(default=None, description="when it ends: from then on it gives nothing")

    def mark(self, store: UUID) -> UUID:
        """Return the store's id under this contract. Cursors hold it, so that a cursor of another contract is
        refused.
        """
        ended = " ended" if self.has_ended(latest()) else ""
        return uuid5(store, self.model_dump_json() + ended)

    def has_ended(self, at: datetime) -> bool:
        """Return whether the contract gives nothing any more at a time."""
        return self.until is not None and self.until <= at

    def admits(self, kind: str, facts: Facts) -> bool:
        """Return whether the contract gives a resource of a kind with these facts, before its end."""
        if kind not in self.kinds or not self._gives_as_picture(kind, facts.source):
            return False
        return (
            (not self.sections or facts.section in self.sections)
            and (not self.languages or _is_in(facts.language, self.languages))
            and (not self.sources or facts.source in self.sources)
            and (not self.tags or not facts.tags.isdisjoint(self.tags))
        )

    def gives_picture(self, source: str | None) -> bool:
        """Return whether the contract gives the pictures of a source in the articles that it gives."""
        return self.pictures is PictureRight.ALL or (self.pictures is PictureRight.OWN and source is None)

    def _gives_as_picture(self, kind: str, source: str | None) -> bool:
        if kind == ContractKind.IMAGE:
            return self.gives_picture(source)
        return kind == ContractKind.ARTICLE or self.pictures is PictureRight.ALL


def _is_in(language: str | None, ranges: list[str]) -> bool:
    return language is not None and is_in_range(language, ranges)
