"""Find a page along an index that lies in its order, and read no more than a bounded number of entries for
it.

For `IN (…)`, and for a term that is looked up by id, a database reads everything that fits, and sorts it, to
show a page. Walks read about as many entries as the page shows. A walk whose entries must meet other
conditions too ends after `pages.MOST_READ` of them: the page may then be short, and the next one begins
there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.published import entitled, filters, names
from service.published.filters import PAST_CONTRACT, Filter
from service.published.models import Kind, NameField, Published, PublishedTerm
from service.published.terms import SHOWS

Conditions = Sequence[ColumnElement[bool]]
NO_CONDITIONS: Conditions = ()
Entries = Select[*tuple[Any, ...]]
Part = tuple[str, tuple[str, ...]]
"""A column or field of terms, and the values of which one must fit."""
_COLUMNS: Mapping[str, pages.Column] = {
    "section": col(Published.section),
    "language": col(Published.language),
    "source": col(Published.source),
}
FIELDS = (*_COLUMNS, NameField.TAG.value, NameField.AUTHOR.value)
"""The names of parts whose values are names."""
_READ_AS_THEY_LIE = {PAST_CONTRACT: True}
"""The option of statements that find out how far a page or count may read: with the conditions of a contract,
they would read on until enough entries meet these.
"""
_SHOWING = 1_000
"""Articles that are taken to show a picture, because nobody counts them."""


@dataclass(frozen=True, slots=True)
class Walk:
    """Entries of an index that lies in the order of a time and an id: those of one value, `where`, and
    between two times; and what else they must meet. `given` says that a contract gives the row.
    """

    at: Mapped[datetime]
    id: Mapped[UUID]
    where: Conditions
    fits: Conditions
    begin: datetime | None = None
    end: datetime | None = None
    given: Conditions = NO_CONDITIONS

    @property
    def order(self) -> pages.Order:
        """Return the columns in whose order it lies."""
        return [self.at, self.id]

    @property
    def entries(self) -> Entries:
        """Select all of its entries."""
        return self.between(None, None, descending=True)

    def between(self, after: Sequence[Any] | None, end: pages.Key | None, *, descending: bool) -> Entries:
        """Select its entries, to which the caller adds that they come after one key, and not
        behind another.
        """
        entries: Entries = select(self.at.label("at"), self.id.label("id"))
        return entries.where(*self.within(after, end, descending=descending))

    def within(self, after: Sequence[Any] | None, end: pages.Key | None, *, descending: bool) -> Conditions:
        """Return the conditions on its entries, as far as these two keys do not say the same."""
        first, last = (end, after) if descending else (after, end)
        # Of two conditions on one side SQLite may choose the one that leaves more to be read.
        found = [*self.where]
        if self.begin is not None and not (first is not None and first[0] > self.begin):
            found.append(self.at > self.begin)
        if self.end is not None and not (last is not None and last[0] < self.end):
            found.append(self.at < self.end)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """The ids of a page, and one more. What is beyond `end`, a time and an id, was not looked at; None: all
    was.
    """

    ids: Select[*tuple[UUID, ...]]
    end: pages.Key | None


def newest_ids(session: Session, kind: Kind, wanted: Filter, limit: int) -> Select[*tuple[UUID, ...]]:
    """Select the ids of the newest, and one more, in their order. Languages of the filter are exact ones."""
    return along(session, best(session, kind, wanted), None, limit, descending=True).ids


def is_plain(wanted: Filter, *, by_update: bool) -> bool:
    """Return whether rows in an order are what is asked for, because an index of theirs lies in it."""
    asked = parts(wanted)
    if len(asked) > 1 or wanted.terms() or any(len(values) > 1 for _, values in asked):
        return False
    if by_update:
        is_between = wanted.published_after is not None or wanted.published_before is not None
        return not is_between and not (wanted.section or wanted.language)
    return wanted.updated_after is None


def is_of_one_part(wanted: Filter) -> bool:
    """Return whether the entries of one part's indexes are what is asked for, without a look at any row."""
    return len(parts(wanted)) <= 1 and wanted.updated_after is None


def along(
    session: Session,
    walks: Sequence[Walk],
    after: Sequence[object] | None,
    limit: int,
    *,
    descending: bool,
    most: int = pages.MOST_READ,
) -> Page:
    """Walk to a page that begins after a key. Entries that must meet other conditions are read up
    to `most`.
    """
    end = (
        _end(session, walks, after, most, descending=descending)
        if any(walk.fits or walk.given for walk in walks)
        else None
    )
    return Page(ids(walks, after, limit, end, descending=descending), end)


def ids(
    walks: Sequence[Walk],
    after: Sequence[object] | None,
    limit: int,
    end: pages.Key | None = None,
    *,
    descending: bool,
) -> Select[*tuple[UUID, ...]]:
    """Select the ids of a page that begins after a key, in their order, up to an end."""
    first = []
    for walk in walks:
        fits = walk.fits if end is None else [*walk.fits, pages.up_to(walk.order, end, descending=descending)]
        entries = walk.between(after, end, descending=descending).where(*fits)
        first.append(pages.after(entries, walk.order, after, limit, descending=descending))
    # SQLite takes no order within a union, but in a query of its own.
    together = (
        union(*(select(each.subquery()) for each in first)).subquery("walks")
        if len(first) > 1
        else first[0].subquery("walk")
    )
    order = [together.c.at, together.c.id]
    return pages.after(select(together.c.id), order, None, limit, descending=descending)


def _end(
    session: Session, walks: Sequence[Walk], after: Sequence[object] | None, most: int, *, descending: bool
) -> pages.Key | None:
    """Return the key that all walks reach without reading too much; None where all may go to their ends."""
    lasts = []
    for number, walk in enumerate(walks):
        last = last_two(walk, after, max(most // len(walks), 1), descending=descending).subquery()
        lasts.append(select(literal(number).label("number"), last.c.at, last.c.id))
    ends: dict[int, list[pages.Key]] = {}
    statement = union_all(*lasts) if len(lasts) > 1 else lasts[0]
    for number, at, id_ in session.execute(statement, execution_options=_READ_AS_THEY_LIE):
        ends.setdefault(number, []).append((at, id_))
    nearest = max if descending else min
    # The second of two says that there is more behind the first.
    cut = [nearest(found) for found in ends.values() if len(found) > 1]
    return nearest(cut) if cut else None


def last_two(walk: Walk, after: Sequence[object] | None, most: int, *, descending: bool) -> Entries:
    """Select the last of the first entries of a walk after a key, and the one behind it."""
    entries = walk.between(after, None, descending=descending)
    return pages.last_two(entries, walk.order, after, most, descending=descending)


def best(session: Session, kind: Kind, wanted: Filter) -> list[Walk]:
    """Return walks by time of publication that read little: those of the rarest values that are asked for."""
    asked = parts(wanted)
    part = _rarest(session, asked) if len(asked) > 1 else next(iter(asked), None)
    return of_part(kind, wanted, part, given(session, kind, wanted))


def of_part(kind: Kind, wanted: Filter, part: Part | None, given: Conditions = NO_CONDITIONS) -> list[Walk]:
    """Return walks by time of publication along one part of a filter; None: along all rows."""
    if part is None:
        return [_of_rows(kind, wanted, None, given)]
    name, values = part
    if name in _COLUMNS:
        return [_of_rows(kind, wanted, (name, value), given) for value in values]
    return [_of_term(kind, wanted, name, value, given) for value in values]


def given(session: Session, kind: Kind, wanted: Filter) -> Conditions:
    """Return the condition of the session's contract, unless the filter leaves only what it gives."""
    if session.contract is None or entitled.covers(session, kind, wanted):
        return []
    return [entitled.gives(session.contract)]


def by_update(kind: Kind, wanted: Filter, given: Conditions = NO_CONDITIONS) -> list[Walk]:
    """Return walks by time of the last update."""
    fits = [
        *(
            pages.one_of(func.coalesce(_COLUMNS[field], null()), values)
            for field, values in parts(wanted)
            if field in _COLUMNS and field != "source"
        ),
        *filters.between(col(Published.published_at), wanted),
        *(filters.has_term(col(Published.id), *term) for term in wanted.terms()),
    ]
    at, id_ = col(Published.updated_at), col(Published.id)
    sources = [[_COLUMNS["source"] == value] for value in dict.fromkeys(wanted.source)] or [[]]
    return [
        Walk(at, id_, [*filters.live(kind), *one], fits, begin=wanted.updated_after, given=given)
        for one in sources
    ]


def few(
    session: Session, kind: Kind, wanted: Filter, most: int = pages.MOST_READ
) -> Select[*tuple[UUID, ...]] | None:
    """Select ids, in no order, so few that each may be looked at, of which all that are asked for are some;
    None if many resources meet each of the conditions alone.
    """
    alone = [Filter(updated_after=wanted.updated_after)] * (wanted.updated_after is not None)
    ways = [by_update(kind, each) for each in alone]
    if wanted.published_after is not None or wanted.published_before is not None:
        times = Filter(published_after=wanted.published_after, published_before=wanted.published_before)
        ways.append([_of_rows(kind, times, None, [])])
    ways += [best(session, kind, each) for each in wanted.one_by_one()]
    for walks in ways:
        found: list[Entries] = [walk.entries.with_only_columns(walk.id.label("id")) for walk in walks]
        ids = select((union_all(*found) if len(found) > 1 else found[0]).subquery().c.id)
        if not pages.is_more_than(session, ids.execution_options(**_READ_AS_THEY_LIE), most):
            return ids.distinct()
    return None


def among(few: Select[*tuple[UUID, ...]]) -> ColumnElement[bool]:
    """Return the condition that a row is one of few, which are looked up."""
    # Materialised, because SQLite would else look for each article among these.
    return col(Published.id) == few.cte("few").prefix_with("MATERIALIZED").c.id


def count(session: Session, walks: Sequence[Walk], most: int) -> tuple[int, bool]:
    """Count what walks find among their first entries, `most` in all; and return whether they have more
    entries.
    """
    statement = counting(walks, most)
    fits, *read = session.execute(statement, execution_options=_READ_AS_THEY_LIE).one()
    return min(fits or 0, most), max(read) > most // len(walks)


def counting(walks: Sequence[Walk], most: int) -> Select[*tuple[Any, ...]]:
    """Return the query for how many of the first entries of walks fit, and how many each walk has."""
    each = most // len(walks)
    found: list[Entries] = [
        walk.entries.with_only_columns(
            literal(number).label("number"),
            walk.id.label("id"),
            case((and_(true(), *walk.fits, *walk.given), 1), else_=0).label("fits"),
        ).limit(each + 1)
        for number, walk in enumerate(walks)
    ]
    several = len(found) > 1
    entries = (union_all(*(select(one.subquery()) for one in found)) if several else found[0]).subquery()
    # An article may have two of the values.
    fitting = (
        func.count(case((entries.c.fits == 1, entries.c.id)).distinct())
        if several
        else func.sum(entries.c.fits)
    )
    lengths = [func.count(case((entries.c.number == number, 1))) for number in range(len(found))]
    return select(fitting, *lengths)


def parts(wanted: Filter) -> list[Part]:
    """Return the terms and columns that are asked for, each with the values of which one must
    fit, each once.
    """
    columns = ((name, getattr(wanted, name)) for name in _COLUMNS)
    asked = [*wanted.terms(), *columns]
    return [(name, tuple(dict.fromkeys(values))) for name, values in asked if values]


def _rarest(session: Session, asked: Sequence[Part]) -> Part:
    counts = names.counts(session, [(field, value) for field, values in asked for value in values])
    return rarest(counts, asked)


def rarest(counts: Mapping[tuple[str, str], int], asked: Sequence[Part]) -> Part:
    """Return the part that the fewest articles have, as far as they are counted."""
    return min(
        asked,
        key=lambda part: (
            _SHOWING if part[0] == SHOWS else sum(counts.get((part[0], value), 0) for value in part[1])
        ),
    )


def _of_rows(kind: Kind, wanted: Filter, part: tuple[str, str] | None, given: Conditions) -> Walk:
    """Walk published rows, those that have one value of a column, or all."""
    at, id_ = col(Published.published_at), col(Published.id)
    fits = [
        *(
            pages.one_of(func.coalesce(_COLUMNS[field], null()), values)
            for field, values in parts(wanted)
            if field in _COLUMNS and (part is None or field != part[0])
        ),
        *(filters.has_term(id_, *term) for term in wanted.terms()),
    ]
    if wanted.updated_after is not None:
        fits.append(col(Published.updated_at) > wanted.updated_after)
    where = [*filters.live(kind), *([] if part is None else [_COLUMNS[part[0]] == part[1]])]
    return Walk(at, id_, where, fits, wanted.published_after, wanted.published_before, given)


def _of_term(kind: Kind, wanted: Filter, name: str, value: str, given: Conditions) -> Walk:
    """Walk the articles of a term: only those of published articles are there. Whether a contract gives them
    is looked up, because the term knows nothing of it.
    """
    own = aliased(PublishedTerm)
    at, id_ = col(own.published_at), col(own.id)
    fits = [filters.has_term(id_, each, values) for each, values in wanted.terms() if each != name]
    if given or filters.columns(wanted) or wanted.updated_after is not None:
        fits.append(exists().where(*filters.looked_up(kind, wanted), *given, col(Published.id) == id_))
    where = [col(own.field) == name, col(own.value) == value, filters.has_not_ended(kind, id_)]
    return Walk(at, id_, where, fits, wanted.published_after, wanted.published_before)
