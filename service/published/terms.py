"""The terms by which articles are found, and by which a picture is public: those of published rows, and those
that a transaction gives them with its numbers.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete
from sqlmodel import col, select

from service.database import Session, insert
from service.published import ahead
from service.published.models import PublishedTerm
from service.published.names import Names, count_changes

SHOWS = "image"
"""The term under which an article is found by an image that it shows."""
_TERMS = select(PublishedTerm.id, PublishedTerm.field, PublishedTerm.value).where(
    col(PublishedTerm.id).in_(bindparam("ids", expanding=True))
)

Terms = Mapping[UUID, frozenset[tuple[str, str]]]


@dataclass(slots=True)
class TermChanges:
    """Terms to be written: the articles that lose those that they had, rows of new ones, and the names that
    articles had and have.
    """

    gone: list[UUID] = field(default_factory=list)
    rows: list[dict[str, object]] = field(default_factory=list)
    counted: list[tuple[Names, Names]] = field(default_factory=list)

    def add(self, others: "TermChanges") -> None:
        """Write others too."""
        self.gone += others.gone
        self.rows += others.rows
        self.counted += others.counted

    def write(self, session: Session) -> None:
        """Write them, and count the names."""
        if self.gone:
            session.write(delete(PublishedTerm).where(col(PublishedTerm.id).in_(self.gone)))
        if self.rows:
            session.write(insert(session, PublishedTerm), self.rows)
        count_changes(session, self.counted)


def terms_of(session: Session, ids: Collection[UUID]) -> dict[UUID, frozenset[tuple[str, str]]]:
    """Return the terms by which articles are found."""
    if not ids:
        return {}
    found: dict[UUID, set[tuple[str, str]]] = {}
    for id_, name, value in session.connection().execute(_TERMS, {"ids": list(ids)}):
        found.setdefault(id_, set()).add((name, value))
    return {id_: frozenset(terms) for id_, terms in found.items()}


def shown_by(terms: Collection[tuple[str, str]]) -> set[UUID]:
    """Return the images that an article with these terms shows."""
    return {UUID(value) for name, value in terms if name == SHOWS}


def shown(session: Session, images: Collection[UUID]) -> set[UUID]:
    """Return those of the images that some published article shows."""
    if not images:
        return set()
    given = session.gathered.new_terms
    by_others = [col(PublishedTerm.id).not_in(given)] if given else []
    values = select(PublishedTerm.value).where(*_shows(images), *by_others).distinct()
    found = {UUID(value) for value in session.exec(values)}
    if (premises := ahead.noted_in(session)) is not None:
        premises.note_shown(images, given, found)
    return found.union(*(shown_by(terms).intersection(images) for terms in given.values()))


def shown_in(
    session: Session, images: Collection[UUID], articles: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """Return the (image, article) pairs in which one of these published articles shows one of
    these images.
    """
    if not images or not articles:
        return set()
    given = session.gathered.new_terms
    found = {
        (image, id_) for id_ in given.keys() & set(articles) for image in shown_by(given[id_]) & set(images)
    }
    if others := set(articles) - given.keys():
        terms = select(PublishedTerm.value, PublishedTerm.id).where(
            *_shows(images), col(PublishedTerm.id).in_(others)
        )
        theirs = {(UUID(value), article) for value, article in session.exec(terms)}
        if (premises := ahead.noted_in(session)) is not None:
            premises.note_shown_in({(image, article) for image in images for article in others}, theirs)
        found |= theirs
    return found


def _shows(images: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return col(PublishedTerm.field) == SHOWS, col(PublishedTerm.value).in_([str(image) for image in images])
