"""Cut all published articles into files of 50,000, section by section, oldest first.

A file is named by the key of its first article, so that what is published later leaves the older files as
they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_
from sqlmodel import col

from service.database import Session
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
    """Every file, found by one walk along the index of sections."""
    number = func.row_number().over(partition_by=col(Published.section), order_by=_KEY).label("number")
    numbered = select(col(Published.section), *_KEY, number).where(*live(Kind.ARTICLE)).subquery()
    first = session.execute(select(numbered).where((numbered.c.number - 1) % longest == 0))
    # Sorted here: databases disagree where none comes, and about letters.
    found = sorted(first, key=lambda row: (row.section or "", row.number))
    return [Part(row.section, None if row.number == 1 else (row.published_at, row.id)) for row in found]


def read_part(session: Session, part: Part, longest: int = LONGEST) -> list[ListedArticle]:
    """The articles of one file."""
    columns: Sequence[Any] = (col(Published.id), col(Published.slug), col(Published.updated_at))
    of_section = (
        col(Published.section).is_(None) if part.section is None else col(Published.section) == part.section
    )
    keep_until_next(session, Kind.ARTICLE)
    statement = select(*columns).where(*live(Kind.ARTICLE), of_section).order_by(*_KEY).limit(longest)
    if part.start is not None:
        start = tuple_(*(literal(value, column.type) for value, column in zip(part.start, _KEY, strict=True)))
        statement = statement.where(tuple_(*_KEY) >= start)
    return [ListedArticle(*row) for row in session.execute(statement)]
