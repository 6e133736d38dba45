"""Count how many published articles have each section, tag, author, language and source, and read these
names.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from service.database import Session, insert
from service.http import pages
from service.published.models import (
    Kind,
    NameField,
    Published,
    PublishedName,
    PublishedSequence,
    PublishedTerm,
)

Names = frozenset[tuple[str, str]]
"""Fields, each with a value of it."""
NONE: Names = frozenset()
COUNTED_AS = 1
"""Raise this number whenever other names are to be counted."""
_OF_TERMS = (NameField.TAG, NameField.AUTHOR)


@dataclass(frozen=True, slots=True)
class Counted:
    """A name, how many published articles have it, and when the newest of them was published. More may have
    it if that is a minimum.
    """

    name: str
    count: int
    newest_at: datetime
    count_is_minimum: bool | None = None


def names_of(
    section: str | None, language: str | None, source: str | None, terms: frozenset[tuple[str, str]]
) -> Names:
    """Return the names that an article has."""
    own = {(field, value) for field, value in terms if field in _OF_TERMS}
    own.add((NameField.KIND.value, Kind.ARTICLE.value))
    columns = ((NameField.SECTION, section), (NameField.LANGUAGE, language), (NameField.SOURCE, source))
    own.update((field.value, value) for field, value in columns if value is not None)
    return frozenset(own)


def name_of_kind(kind: Kind) -> Names:
    """Return the name by which resources of a kind are counted."""
    return frozenset({(NameField.KIND.value, kind.value)})


def count_changes(session: Session, changes: Sequence[tuple[Names, Names]]) -> None:
    """Bring counts up to articles that had names and now have others. Holds the counter's lock."""
    by = Counter[tuple[str, str]]()
    for before, after in changes:
        by.update(after - before)
        by.subtract(before - after)
    rows = [
        {"field": field, "value": value, "count": count}
        for (field, value), count in sorted(by.items())
        if count
    ]
    if not rows:
        return
    session.write(_adding(insert(session, PublishedName)), rows)
    lessened = [value for (_, value), count in by.items() if count < 0]
    if lessened:
        session.write(
            delete(PublishedName).where(
                col(PublishedName.field).in_(list(NameField)),
                col(PublishedName.value).in_(lessened),
                col(PublishedName.count) <= 0,
            )
        )


@cache
def _adding(new: postgresql.Insert) -> postgresql.Insert:
    """Return an INSERT of names that adds to the count of a name that is there already."""
    added = {"count": col(PublishedName.count) + new.excluded["count"]}
    return new.on_conflict_do_update(index_elements=["field", "value"], set_=added)


def counts(session: Session, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return how many articles have each of some names; those that none has are left out."""
    # Not a list of pairs, because SQLite uses no index for one.
    rows = select(col(PublishedName.field), col(PublishedName.value), col(PublishedName.count)).where(
        col(PublishedName.field).in_({field for field, _ in wanted}),
        col(PublishedName.value).in_({value for _, value in wanted}),
    )
    found = {(field, value): count for field, value, count in session.execute(rows)}
    return {name: found[name] for name in wanted if name in found}


def kept(
    session: Session, field: NameField, after: str | None, limit: int, among: Sequence[str] = ()
) -> dict[str, int]:
    """Return the next names, in their order, with the counts that are kept: one more than the limit if there
    are more.
    """
    rows = select(col(PublishedName.value), col(PublishedName.count)).where(*_named(field, among))
    key = None if after is None else (after,)
    found = session.execute(pages.after(rows, [col(PublishedName.value)], key, limit, descending=False))
    return {row[0]: row[1] for row in found}


def page(
    session: Session, field: NameField, after: str | None, limit: int, among: Sequence[str] = ()
) -> list[Counted]:
    """Read names in their order, one more than the limit when there are more: all, or those of a list. The
    newest article of each is one step along an index.
    """
    of_section = select(func.max(col(Published.published_at))).where(
        col(Published.kind) == Kind.ARTICLE,
        col(Published.reason).is_(None),
        col(Published.section) == col(PublishedName.value),
    )
    of_term = select(func.max(col(PublishedTerm.published_at))).where(
        col(PublishedTerm.field) == field.value, col(PublishedTerm.value) == col(PublishedName.value)
    )
    newest = (
        (of_section if field is NameField.SECTION else of_term).correlate(PublishedName).scalar_subquery()
    )
    names = (
        select(col(PublishedName.value), col(PublishedName.count), newest.label("newest_at"))
        .where(*_named(field, among))
        .subquery()
    )
    # One that no article has any more is still to be counted.
    used = select(names).where(names.c.newest_at.is_not(None))
    key = None if after is None else (after,)
    rows = session.execute(pages.after(used, [names.c.value], key, limit, descending=False))
    return [Counted(*row) for row in rows]


def total(session: Session, field: NameField, among: Sequence[str] = ()) -> int:
    """Return how many names there are."""
    counted = select(func.count()).select_from(PublishedName).where(*_named(field, among))
    count: int = session.execute(counted).scalar_one()
    return count


def _named(field: NameField, among: Sequence[str]) -> list[ColumnElement[bool]]:
    found = [col(PublishedName.field) == field.value]
    return [*found, pages.one_of(col(PublishedName.value), among)] if among else found


def is_counted(session: Session) -> bool:
    """Return whether every name has been counted since the store was migrated or restored."""
    last = select(col(PublishedSequence.counted_at), col(PublishedSequence.counted_as))
    counted_at, counted_as = session.execute(last).one()
    return counted_at is not None and counted_as == COUNTED_AS


def have_counted_again(session: Session) -> None:
    """Have every name counted anew, because rows have changed otherwise than by a publish."""
    session.execute(update(PublishedSequence).values(counted_at=None))
