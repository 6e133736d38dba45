"""Filters of lists of published resources, as conditions on rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, func, null, or_, select
from sqlalchemy.orm import Mapped, aliased
from sqlalchemy.sql.functions import coalesce
from sqlmodel import col

from service.database import Session
from service.http.pages import Column, one_of
from service.published import keys
from service.published.models import Kind, NameField, Published, PublishedTerm
from service.published.terms import SHOWS
from service.tables import ANY_LANGUAGE, is_in_range, latest

Value = TypeVar("Value")
PAST_CONTRACT = "past_contract"
"""The option of a statement to which no contract is added: it reads which languages there are or how far an
index is walked, or states the conditions of the contract itself.
"""
MOST_LANGUAGES = 1_000
"""Languages of a store that are looked through for those of a range."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter of a list. Of several values one must fit; none narrows nothing."""

    section: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    image_id: tuple[UUID, ...] = ()
    published_after: datetime | None = None
    published_before: datetime | None = None
    updated_after: datetime | None = None
    q: str | None = None

    def terms(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return what is asked for of the published terms: fields, each with the values of which one must
        fit.
        """
        images = tuple(map(str, self.image_id))
        asked = (("tag", self.tag), ("author", self.author), (SHOWS, images))
        return [(field, values) for field, values in asked if values]

    def keys(self) -> list[str]:
        """Return the keys of the lists that this is a part of: by tag, or else by author, section or
        language. One of them is enough, because an article that alters any of its lists alters all.
        """
        named = (
            (NameField.TAG, self.tag),
            (NameField.AUTHOR, self.author),
            (NameField.SECTION, self.section),
        )
        for field, values in named:
            if values:
                return [keys.of_name(field, value) for value in values]
        if self.language and ANY_LANGUAGE not in self.language:
            return [keys.of_language(language) for language in self.language]
        return [keys.LISTED]

    def one_by_one(self) -> "list[Filter]":
        """Return a filter for each list of values that this one has."""
        asked = (
            Filter(image_id=self.image_id),
            Filter(tag=self.tag),
            Filter(author=self.author),
            Filter(source=self.source),
            Filter(section=self.section),
            Filter(language=self.language),
        )
        return [each for each in asked if each != Filter()]

    def has_times(self) -> bool:
        """Return whether it asks for times."""
        return not self.published_after is self.published_before is self.updated_after is None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The articles that a request names, in its order."""

    ids: tuple[UUID, ...] = ()
    slugs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether the request names any."""
        return bool(self.ids or self.slugs)

    def places(self, of_slugs: dict[str, UUID]) -> list[UUID]:
        """Return the ids in the order asked for, each once, given those of the slugs that are known."""
        found = [of_slugs[slug] for slug in self.slugs if slug in of_slugs]
        return list(dict.fromkeys([*self.ids, *found]))


def exact(session: Session, kind: Kind, wanted: Filter) -> Filter:
    """Return a filter with the languages of its language ranges: none when every language is wanted."""
    if not wanted.language:
        return wanted
    if ANY_LANGUAGE in wanted.language:
        return replace(wanted, language=())
    # The condition is built of languages. What the contract does not give, the list leaves out.
    known = values_of(session, col(Published.language), kind, MOST_LANGUAGES, past_contract=True)
    found = [language for language in known if is_in_range(language, wanted.language)]
    # A range that no language is in must not become a filter that narrows nothing.
    return replace(wanted, language=tuple(found) or wanted.language)


def live(kind: Kind) -> list[ColumnElement[bool]]:
    """Return the conditions that a live row must meet."""
    return [col(Published.kind) == kind, col(Published.reason).is_(None), has_not_ended(kind)]


def has_not_ended(kind: Kind, id_: Mapped[UUID] | None = None) -> ColumnElement[bool]:
    """Return the condition that the right to show a resource has not ended. Few rows have a right that ends
    and no tombstone yet: they are looked up once, and no index needs the time.
    """
    return (col(Published.id) if id_ is None else id_).not_in(over(kind))


@cache
def over(kind: Kind) -> Select[UUID]:
    """Return the query for the resources whose right has ended when it is asked. It is put together once,
    because that takes as long as a list of twenty cards.
    """
    ended = aliased(Published)
    time: BindParameter[datetime] = bindparam("ended_at", callable_=latest)
    return select(col(ended.id)).where(
        col(ended.kind) == kind, col(ended.reason).is_(None), col(ended.expires_at) <= time
    )


def have_ended(session: Session, kind: Kind) -> bool:
    """Return whether the right to show any resource of a kind has ended that has no tombstone yet."""
    ended = (
        col(Published.kind) == kind,
        col(Published.reason).is_(None),
        col(Published.expires_at) <= latest(),
    )
    return session.execute(select(col(Published.id)).where(*ended).limit(1)).first() is not None


def keep_until_next(session: Session, kind: Kind, at: datetime | None = None) -> None:
    """Let what a session makes be kept until the next end of a right to show a resource of a kind: the next
    after `at`, or after now.
    """
    ends = col(Published.expires_at)
    live = col(Published.kind) == kind, col(Published.reason).is_(None)
    next_end = select(func.min(ends)).where(*live, ends > (at or latest()))
    session.keep_until(session.execute(next_end).scalar_one())


def looked_up(kind: Kind, wanted: Filter) -> list[ColumnElement[bool]]:
    """Return the conditions, without full text and terms, that a row must meet which is looked up by its id.
    Languages are exact ones.
    """
    found = live(kind)
    found += [one_of(func.coalesce(column, null()), values) for column, values in columns(wanted)]
    found += between(unindexed(col(Published.published_at)), wanted)
    if wanted.updated_after is not None:
        found.append(unindexed(col(Published.updated_at)) > wanted.updated_after)
    return found


def met(kind: Kind, wanted: Filter) -> list[ColumnElement[bool]]:
    """Return the conditions, without full text, that a row must meet which is looked up by its id. Languages
    are exact ones.
    """
    return [*looked_up(kind, wanted), *(has_term(col(Published.id), *term) for term in wanted.terms())]


def unindexed(column: ColumnElement[Value] | Mapped[Value]) -> "coalesce[Value]":
    """Return a column by which no row is looked up: SQLite would read all that an index has of a value, to
    find among them the few whose ids are known.
    """
    return func.coalesce(column, null())


def columns(wanted: Filter) -> list[tuple[Column, tuple[str, ...]]]:
    """Return the columns that are asked for, each with the values of which one must fit."""
    asked = (
        (col(Published.section), wanted.section),
        (col(Published.language), wanted.language),
        (col(Published.source), wanted.source),
    )
    return [(column, values) for column, values in asked if values]


def between(time: Mapped[datetime] | ColumnElement[datetime], wanted: Filter) -> list[ColumnElement[bool]]:
    """Return when a resource must have been published, by a column that says when it was."""
    found: list[ColumnElement[bool]] = []
    if wanted.published_after is not None:
        found.append(time > wanted.published_after)
    if wanted.published_before is not None:
        found.append(time < wanted.published_before)
    return found


def has_term(id_: Mapped[UUID], field: str, values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a published article has one of some terms: a look-up for each article."""
    return or_(*(_has_one(id_, field, value) for value in dict.fromkeys(values)))


def _has_one(id_: Mapped[UUID], field: str, value: str) -> ColumnElement[bool]:
    # One look-up for each value: for a list of them SQLite reads all articles of each.
    term = aliased(PublishedTerm)
    return exists().where(col(term.field) == field, col(term.value) == value, col(term.id) == id_)


def values_of(
    session: Session, column: Column, kind: Kind, most: int, *, past_contract: bool = False
) -> list[str]:
    """Return the values of an indexed column, in order: one step along its index for each, however many rows
    have it. Past the session's contract, they are those of all rows: with it, no index tells them.
    """
    live = (col(Published.kind) == kind, col(Published.reason).is_(None))
    walk = select(func.min(column).label("value")).where(*live).cte("walk", recursive=True)
    beyond = select(func.min(column)).where(*live, column > walk.c.value).scalar_subquery()
    walk = walk.union_all(select(beyond).where(walk.c.value.is_not(None)))
    values = select(walk.c.value).where(walk.c.value.is_not(None)).limit(most)
    return list(session.execute(values, execution_options={PAST_CONTRACT: past_contract}).scalars())
