"""The outcome of rendering a resource, and the change that takes a number when it differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.contracts import NO_FACTS, Facts
from service.database import Session
from service.published.models import Kind, Published, Reason
from service.published.words import Words


@dataclass(frozen=True, slots=True)
class Rendered:
    """The public document of one resource, and the values by which it is found."""

    id: UUID
    version: int
    document: bytes
    published_at: datetime
    updated_at: datetime
    slug: str | None = None
    slugs: frozenset[str] = frozenset()
    section: str | None = None
    language: str | None = None
    source: str | None = None
    terms: frozenset[tuple[str, str]] = frozenset()
    words: Words | None = None
    card: bytes | None = None
    negative: bytes | None = None
    expires_at: datetime | None = None
    good_until: datetime | None = None
    captioned: frozenset[UUID] = frozenset()
    """The images that an article shows with captions of its own, which are public by this article."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A resource that the public may not see, or no longer."""

    id: UUID
    version: int
    reason: Reason
    detail: str | None = None


Scope = tuple[str | None, str | None]
"""A section and a language, each of which a resource may lack."""


@dataclass(frozen=True, slots=True)
class Change:
    """One public change as it is numbered: a tombstone when `reason` is set. `before` is where the resource
    was, if it was. `moved` are the keys of the lists that it joins, leaves or moves in; `moves` is what the
    row says of these and of earlier ones.
    """

    seq: int
    kind: Kind
    id: UUID
    version: int
    reason: Reason | None
    detail: str | None
    changed_at: datetime
    document: bytes
    place: Scope
    before: Scope | None
    facts: Facts = NO_FACTS
    """The facts of the resource; of a tombstone, those that its last live row had."""
    former: Facts | None = None
    """The facts of before, if it was public."""
    moved: frozenset[str] = frozenset()
    moves: str | None = None


def is_found_differently(new: Rendered, old: Published, terms: frozenset[tuple[str, str]]) -> bool:
    """Return whether an article is found in other lists, or at another place in them, than the published row,
    which has these terms.
    """
    if (new.slug, new.section, new.language, new.source, new.published_at, new.expires_at) != (
        old.slug,
        old.section,
        old.language,
        old.source,
        old.published_at,
        old.expires_at,
    ):
        return True
    return new.terms != terms


Listener = Callable[[Session, Sequence[Change]], None]
Outcome = Rendered | Removed
