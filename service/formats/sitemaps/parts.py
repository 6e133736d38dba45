"""Cut all published articles into files of 50,000, section by section, oldest first.

A file is named by the key of its first article, so that what is published later leaves the older files as
they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select, tuple_
from sqlmodel import col

from service.database import Session
from service.published import named, totals
from service.published.filters import keep_until_next, live
from service.published.models import Kind, Published

LONGEST = 50_000
"""Addresses in one file (sitemaps.org, "Sitemap index files")."""
Key = tuple[datetime, UUID]
_KEY: Sequence[Any] = (col(Published.published_at), col(Published.id))


@dataclass(frozen=True, slots=True)
class Part:
    """One file: a section, and the key of its first article; None where it begins at the
    section's beginning.
    """

    section: str | None
    start: Key | None = None


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """The facts of an article that a sitemap shows."""

    id: UUID
    slug: str | None
    updated_at: datetime


def all_parts(session: Session, longest: int = LONGEST) -> list[Part]:
    """Return every file. Only sections with more articles than one file takes are read for it, once along
    their index.
    """
    counts = _counts(session)
    # Sorted here: databases disagree where none comes, and about letters.
    return [
        Part(section, start)
        for section in sorted(counts, key=lambda name: name or "")
        for start in _starts(session, section, counts[section], longest)
    ]


def _counts(session: Session) -> Mapping[str | None, int]:
    """Return how many articles each section has, and none: as they are kept, or else counted along the
    index. Under a contract they are the sections of which it gives some, and all articles of these count.
    """
    kept = totals.of_sections(session)
    if kept is not None and session.contract is not None:
        given = named.sections(session)
        return {section: count for section, count in kept.items() if section in given}
    if kept is not None:
        return kept
    section = col(Published.section)
    rows = session.execute(select(section, func.count()).where(*live(Kind.ARTICLE)).group_by(section))
    return {row[0]: row[1] for row in rows}


def _starts(session: Session, section: str | None, count: int, longest: int) -> Iterator[Key | None]:
    """Yield the key at which each file of a section begins."""
    start: Key | None = None
    yield start
    while count > longest:
        following = session.execute(_from(Part(section, start), _KEY).offset(longest).limit(1)).first()
        if following is None:
            return
        start = (following.published_at, following.id)
        yield start


def read_part(session: Session, part: Part, longest: int = LONGEST) -> list[ListedArticle]:
    """Return the articles of one file."""
    columns: Sequence[Any] = (col(Published.id), col(Published.slug), col(Published.updated_at))
    keep_until_next(session, Kind.ARTICLE)
    return [ListedArticle(*row) for row in session.execute(_from(part, columns).limit(longest))]


def _from(part: Part, columns: Sequence[Any]) -> Select[Any]:
    """Select the articles of a section from the beginning of a file on."""
    section = col(Published.section)
    of_section = section.is_(None) if part.section is None else section == part.section
    statement = select(*columns).where(*live(Kind.ARTICLE), of_section).order_by(*_KEY)
    if part.start is None:
        return statement
    start = tuple_(*(literal(value, column.type) for value, column in zip(part.start, _KEY, strict=True)))
    return statement.where(tuple_(*_KEY) >= start)
