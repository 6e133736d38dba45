"""Keep where the files of large sections begin, so that the index need not walk a section after each change.

To find where the next file begins, as many entries of the index are read as a file holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, select, tuple_
from sqlmodel import col

from service.database import Session
from service.published.filters import live
from service.published.models import Epoch, Kind, Published, PublishedSequence

LONGEST = 50_000
"""Addresses in one file (sitemaps.org, "Sitemap index files")."""
MOST_LOOKED_AT = 1_000
"""Changes that are looked at to find whether the files still begin where they did."""
Key = tuple[datetime, UUID]
KEY: Sequence[Any] = (col(Published.published_at), col(Published.id))


@dataclass(frozen=True, slots=True)
class Place:
    """A number of the feed, and the epoch in which it was given."""

    epoch: int
    seq: int


@dataclass(frozen=True, slots=True)
class _Walked:
    """The starts of all files but each section's first; `room` is how many changes its last file takes for
    certain.
    """

    place: Place
    starts: Mapping[str | None, Sequence[Key]]
    room: int

    @property
    def newest(self) -> Key:
        """The key from which on every section has its last file."""
        return max(starts[-1] for starts in self.starts.values())


class Starts:
    """The starts of the files of large sections, as they were walked last. They hold until an article in an
    older file has changed, or a last file may be full.

    An article that leaves an older file, for another section or time, is not noticed. Until the next walk
    the file reads on into the next one, and both list some articles.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self.longest = longest
        self._walked: _Walked | None = None

    def of_sections(
        self, session: Session, place: Place, counts: Mapping[str | None, int]
    ) -> Mapping[str | None, Sequence[Key]]:
        """Return where the files of each section that has more than one begin, without its first. The place
        was read before the counts: a change between them then counts twice, and is not missed.
        """
        large = {section: count for section, count in counts.items() if count > self.longest}
        if not large:
            return {}
        if session.contract is not None:
            return {section: self._walk(session, section) for section in large}
        known = self._walked and _followed(session, self._walked, place)
        if known is None or not large.keys() <= known.starts.keys():
            starts = {section: self._walk(session, section) for section in large}
            known = _Walked(place, starts, self._room(large, starts))
        self._walked = known
        return {section: known.starts[section] for section in large}

    def _room(self, counts: Mapping[str | None, int], starts: Mapping[str | None, Sequence[Key]]) -> int:
        return min(self.longest * (len(starts[section]) + 1) - count for section, count in counts.items())

    def _walk(self, session: Session, section: str | None) -> list[Key]:
        found: list[Key] = []
        while True:
            start = found[-1] if found else None
            following = session.execute(from_start(section, start, KEY).offset(self.longest).limit(1)).first()
            if following is None:
                return found
            found.append((following.published_at, following.id))


def from_start(section: str | None, start: Key | None, columns: Sequence[Any]) -> Select[Any]:
    """Select the articles of a section from the beginning of a file on, oldest first; `start` is None for
    the section's first file.
    """
    column = col(Published.section)
    of_section = column.is_(None) if section is None else column == section
    statement = select(*columns).where(*live(Kind.ARTICLE), of_section).order_by(*KEY)
    if start is None:
        return statement
    key = tuple_(*(literal(value, column.type) for value, column in zip(start, KEY, strict=True)))
    return statement.where(tuple_(*KEY) >= key)


def place_of(session: Session) -> Place:
    """Return the number of the last change."""
    epoch = select(func.max(col(Epoch.number))).scalar_subquery()
    seq, number = session.execute(select(col(PublishedSequence.seq), epoch)).one()
    return Place(number, seq)


def _followed(session: Session, walked: _Walked, place: Place) -> _Walked | None:
    """Return what was walked, up to a later place; None if the files may begin elsewhere since."""
    if walked.place.epoch != place.epoch:
        return None
    seq = col(Published.seq)
    since = select(col(Published.kind), *KEY).where(seq > walked.place.seq, seq <= place.seq).order_by(seq)
    rows = session.execute(since.limit(MOST_LOOKED_AT + 1)).all()
    changed = [(at, id_) for kind, at, id_ in rows if kind is Kind.ARTICLE]
    room = walked.room - len(changed)
    if len(rows) > MOST_LOOKED_AT or room < 0 or any(key < walked.newest for key in changed):
        return None
    return replace(walked, place=place, room=room)
