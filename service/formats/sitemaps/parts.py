"""Cut all published articles into files of 50,000, section by section, oldest first.

A file is named by the key of its first article, so that what is published later leaves the older files as
they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from service.database import Session
from service.formats.sitemaps.starts import LONGEST, Key, Starts, from_start, place_of
from service.published import named, totals
from service.published.filters import keep_until_next, live
from service.published.models import Kind, Published


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


def all_parts(session: Session, starts: Starts) -> list[Part]:
    """Return every file. Only sections with more articles than one file takes are read for it."""
    place = place_of(session)
    counts = _counts(session)
    later = starts.of_sections(session, place, counts)
    # Sorted here: databases disagree where none comes, and about letters.
    return [
        Part(section, start)
        for section in sorted(counts, key=lambda name: name or "")
        for start in (None, *later.get(section, ()))
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


def read_part(session: Session, part: Part, longest: int = LONGEST) -> list[ListedArticle]:
    """Return the articles of one file."""
    columns: Sequence[Any] = (col(Published.id), col(Published.slug), col(Published.updated_at))
    keep_until_next(session, Kind.ARTICLE)
    rows = session.execute(from_start(part.section, part.start, columns).limit(longest))
    return [ListedArticle(*row) for row in rows]
