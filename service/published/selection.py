"""Read the rows of a page by the way that reads the fewest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, null, select
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.published import filters, rows, walks
from service.published.filters import Filter
from service.published.hits import (
    FIRST,
    LAST,
    MOST_HITS,
    MOST_KNOWN,
    MOST_LOOKED_UP,
    MOST_PROBED,
    TEXT_KEY,
    Hits,
    Window,
    joined,
    materialized,
    tier,
)
from service.published.looks import Look, Within
from service.published.models import Kind, Published
from service.published.rows import Found, Part, Statement
from service.published.walks import Walk


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it is asked for. The languages of its filter are exact ones."""

    session: Session
    kind: Kind
    wanted: Filter
    order: pages.Order
    after: pages.Key | None
    limit: int
    descending: bool
    by_update: bool
    part: Part


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a page, and one more. What is beyond `end` was not looked at; None: everything was."""

    rows: list[Found]
    end: pages.Key | None = None


@dataclass(frozen=True, slots=True)
class _Form:
    """All that a statement which reads hits is put together of, but the words and where the hits begin."""

    look: Look
    is_last_read: bool
    kind: Kind
    wanted: Filter
    after: pages.Key | None
    limit: int
    part: Part
    descending: bool
    by_update: bool
    by_tier: bool


def by_filter(asked: Asked) -> Read:
    """Read a page by a filter without full text that is not plain."""
    session, kind, wanted = asked.session, asked.kind, asked.wanted
    # Few rows that are found in another order are sorted.
    if asked.by_update or wanted.updated_after is not None:
        few = walks.few(session, kind, wanted)
        if few is not None:
            return _read(asked, _sorted(asked, *filters.met(kind, wanted), walks.among(few)))
    ways = (
        walks.by_update(kind, wanted, walks.given(session, kind, wanted))
        if asked.by_update
        else walks.best(session, kind, wanted)
    )
    return _walked(asked, ways, pages.MOST_READ)


def by_relevance(asked: Asked, hits: Hits) -> Read:
    """Read a page of hits, those in headlines first, and each of these two from the newest on."""
    if hits.are_sorted:
        return _all(asked, hits, by_tier=True)
    few = walks.few(asked.session, asked.kind, asked.wanted, MOST_LOOKED_UP)
    if few is None:
        return _by_tiers(asked, hits)
    met = filters.met(asked.kind, asked.wanted)
    asked = replace(asked, order=[hits.tier().label("tier"), *asked.order])
    return _read(asked, _sorted(asked, *met, walks.among(few), hits.probed()))


def _by_tiers(asked: Asked, hits: Hits) -> Read:
    """Read a page of hits in headlines, the newest first, and then of the others."""
    place, after = (1, None) if asked.after is None else (asked.after[0], asked.after[1:])
    found: list[Found] = []
    if place == 1:
        first = _newest_hits(replace(asked, after=after), hits.only(Within.HEADLINES))
        found += _keyed(first.rows, 1)
        if len(found) > asked.limit or first.end is not None:
            return Read(found, None if first.end is None else (1, *first.end))
        after = None
    asked = replace(asked, after=after, limit=asked.limit - len(found))
    rest = _newest_hits(asked, hits.only(Within.BODIES))
    found += _keyed(rest.rows, 0)
    return Read(found, None if rest.end is None else (0, *rest.end))


def _keyed(found: Iterable[Found], place: int) -> list[Found]:
    return [replace(row, key=(place, *row.key)) for row in found]


def by_words(asked: Asked, hits: Hits) -> Read:
    """Read a page of hits in the order of a time."""
    if hits.are_sorted or (asked.by_update and hits.are_few):
        return _all(asked, hits)
    few = walks.few(asked.session, asked.kind, asked.wanted, MOST_LOOKED_UP)
    if few is not None:
        met = filters.met(asked.kind, asked.wanted)
        return _read(asked, _sorted(asked, *met, walks.among(few), hits.probed()))
    if asked.by_update:
        ways = walks.by_update(asked.kind, asked.wanted, walks.given(asked.session, asked.kind, asked.wanted))
        ways = [replace(walk, fits=[*walk.fits, hits.probed()]) for walk in ways]
        return _walked(asked, ways, MOST_PROBED)
    return _newest_hits(asked, hits)


def _newest_hits(asked: Asked, hits: Hits) -> Read:
    """Read a page along the index of words, in which texts lie in the order of their times."""
    start = _start(asked)
    for most in hits.windows:
        window = hits.window(start, most, descending=asked.descending)
        found, last = _in_window(asked, window)
        end = window.end(last)
        if end is None or _is_outside(asked, end):
            return Read(found)
        if start is not None and (end >= start if asked.descending else end <= start):
            # All of these are of one moment: the index does not tell in which order.
            continue
        found = [row for row in found if (row.key >= end if asked.descending else row.key <= end)]
        if len(found) > asked.limit or most >= MOST_HITS:
            return Read(found, end)
    return _all(asked, hits)


def _all(asked: Asked, hits: Hits, *, by_tier: bool = False) -> Read:
    """Read a page of all hits."""
    window = hits.all()
    if by_tier:
        window = replace(window, values=hits.values(Within.HEADLINES))
    return Read(_in_window(asked, window, by_tier=by_tier)[0])


def _in_window(asked: Asked, window: Window, *, by_tier: bool = False) -> tuple[list[Found], int | None]:
    """Read the first rows of a page that are in a window, and the last key that was looked at."""
    form = _Form(
        window.look,
        window.is_read,
        asked.kind,
        replace(asked.wanted, q=None),
        asked.after,
        asked.limit,
        asked.part,
        asked.descending,
        asked.by_update,
        by_tier,
    )
    found = rows.read(asked.session, asked.kind, _known(form), window.values)
    last = window.last_of(asked.session) if window.is_read or not found else found[0].key[0]
    return [replace(row, key=row.key[1:]) for row in found], last


@lru_cache(MOST_KNOWN)
def _known(form: _Form) -> Statement:
    """Put together the query for the rows of a window. It is kept, because SQLAlchemy takes longer to put it
    together than SQLite takes to carry it out.
    """
    hits = materialized(form.look.found())
    time = col(Published.updated_at if form.by_update else Published.published_at)
    order: list[Any] = [time, col(Published.id)]
    if form.by_tier:
        headlines = replace(form.look, within=Within.HEADLINES).found().cte("headline_hits")
        order.insert(0, tier(TEXT_KEY.in_(select(headlines.c.key))).label("tier"))
    ids = select(col(Published.id)).where(*filters.met(form.kind, form.wanted), *joined(hits)).correlate(None)
    unindexed = [filters.unindexed(column) for column in order]
    ids = pages.after(ids, unindexed, form.after, form.limit, descending=form.descending)
    last: Any = null()
    if not form.is_last_read:
        last = select(hits.c.key).limit(1).offset((form.look.most or 1) - 1).scalar_subquery()
    statement = rows.reading(form.part, last, *order)
    statement = statement.where(col(Published.kind) == form.kind, col(Published.id).in_(ids))
    return pages.after(statement, order, form.after, form.limit, descending=form.descending)


def _start(asked: Asked) -> pages.Key | None:
    """Return the key behind which hits are looked for: that of the page, or the nearest time that
    is wanted.
    """
    if asked.after is not None:
        return asked.after
    if asked.descending:
        before = asked.wanted.published_before
        return None if before is None else (before, FIRST)
    begin = asked.wanted.published_after
    return None if begin is None else (begin, LAST)


def _is_outside(asked: Asked, end: pages.Key) -> bool:
    """Return whether all that comes behind a key is of times that are not wanted."""
    begin, before = asked.wanted.published_after, asked.wanted.published_before
    if asked.descending:
        return begin is not None and end[0] <= begin
    return before is not None and end[0] >= before


def _walked(asked: Asked, ways: Sequence[Walk], most: int) -> Read:
    page = walks.along(asked.session, ways, asked.after, asked.limit, descending=asked.descending, most=most)
    return _read(asked, page.ids, page.end)


def _sorted(asked: Asked, *conditions: ColumnElement[bool]) -> Select[*tuple[UUID, ...]]:
    """Select which rows are on a page, in no other order than it has: what is sorted whole would carry all of
    its documents along, of thousands to show twenty.
    """
    ids = select(col(Published.id)).where(*conditions).correlate(None)
    order = [filters.unindexed(column) for column in asked.order]
    return pages.after(ids, order, asked.after, asked.limit, descending=asked.descending)


def _read(asked: Asked, ids: Select[*tuple[UUID, ...]], end: pages.Key | None = None) -> Read:
    statement = rows.reading(asked.part, *asked.order)
    statement = statement.where(col(Published.kind) == asked.kind, col(Published.id).in_(ids))
    statement = pages.after(statement, asked.order, asked.after, asked.limit, descending=asked.descending)
    return Read(rows.read(asked.session, asked.kind, statement), end)
