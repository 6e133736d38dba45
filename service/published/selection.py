"""Select the rows of a page, in whichever way reads few of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.published import filters, walks
from service.published.filters import Filter
from service.published.hits import FIRST, LAST, MOST_HITS, MOST_LOOKED_UP, MOST_PROBED, Hits
from service.published.models import Kind, Published
from service.published.walks import Walk
from service.published.words import Within

Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it is asked for. The languages of its filter are exact ones."""

    session: Session
    kind: Kind
    wanted: Filter
    order: pages.Order
    after: Sequence[object] | None
    limit: int
    descending: bool
    by_update: bool


@dataclass(frozen=True, slots=True)
class Selected:
    """The conditions on the rows of a page. What is beyond `end` was not looked at; None: everything was."""

    conditions: Conditions
    end: pages.Key | None = None


def by_filter(asked: Asked) -> Selected:
    """Select a page by a filter without full text that is not plain."""
    session, kind, wanted = asked.session, asked.kind, asked.wanted
    # What is found in another order than it is shown in is sorted, if there is little of it.
    if asked.by_update or wanted.updated_after is not None:
        few = walks.few(session, kind, wanted)
        if few is not None:
            return _selected(asked, _sorted(asked, *filters.met(kind, wanted), walks.among(few)))
    ways = (
        walks.by_update(kind, wanted, walks.given(session, kind, wanted))
        if asked.by_update
        else walks.best(session, kind, wanted)
    )
    return _walked(asked, ways, pages.MOST_READ)


def by_relevance(asked: Asked, hits: Hits) -> Selected:
    """Select a page of hits, those in headlines first, and each of these two from the newest on."""
    met = filters.met(asked.kind, asked.wanted)
    if hits.are_sorted:
        return _selected(asked, _sorted(asked, *met, *hits.joined(hits.newest(None))))
    few = walks.few(asked.session, asked.kind, asked.wanted, MOST_LOOKED_UP)
    if few is not None:
        return _selected(asked, _sorted(asked, *met, walks.among(few), hits.probed()))
    return _by_tiers(asked, hits, met)


def _by_tiers(asked: Asked, hits: Hits, met: Conditions) -> Selected:
    """Select a page of hits in headlines, the newest first, and then of the others."""
    tier, after = (1, None) if asked.after is None else (asked.after[0], asked.after[1:])
    found: list[UUID] = []
    by_time = replace(asked, order=asked.order[1:], after=after)
    if tier == 1:
        first = _newest_hits(by_time, hits.only(Within.HEADLINES), met)
        found += asked.session.execute(select(col(Published.id)).where(*first.conditions)).scalars()
        if len(found) > asked.limit or first.end is not None:
            end = None if first.end is None else (1, *first.end)
            return Selected([col(Published.kind) == asked.kind, col(Published.id).in_(found)], end)
        by_time = replace(by_time, after=None)
    rest = _newest_hits(by_time, hits.only(Within.BODIES), met)
    found += asked.session.execute(select(col(Published.id)).where(*rest.conditions)).scalars()
    end = None if rest.end is None else (0, *rest.end)
    return Selected([col(Published.kind) == asked.kind, col(Published.id).in_(found)], end)


def by_words(asked: Asked, hits: Hits) -> Selected:
    """Select a page of hits in the order of a time."""
    met = filters.met(asked.kind, asked.wanted)
    if hits.are_sorted or (asked.by_update and hits.are_few):
        return _selected(asked, _sorted(asked, *met, *hits.joined(hits.newest(None))))
    few = walks.few(asked.session, asked.kind, asked.wanted, MOST_LOOKED_UP)
    if few is not None:
        return _selected(asked, _sorted(asked, *met, walks.among(few), hits.probed()))
    if asked.by_update:
        ways = walks.by_update(asked.kind, asked.wanted, walks.given(asked.session, asked.kind, asked.wanted))
        ways = [replace(walk, fits=[*walk.fits, hits.probed()]) for walk in ways]
        return _walked(asked, ways, MOST_PROBED)
    return _newest_hits(asked, hits, met)


def _newest_hits(asked: Asked, hits: Hits, met: Conditions) -> Selected:
    """Select a page along the index of words, in which texts lie in the order of their times."""
    start = _start(asked)
    for most in hits.windows:
        window = hits.window(start, most, descending=asked.descending)
        end = window.end
        if end is None or _is_outside(asked, end):
            return _selected(asked, _sorted(asked, *met, *hits.joined(window.found)))
        if start is not None and (end >= start if asked.descending else end <= start):
            # All of these are of one moment: the index does not tell in which order.
            continue
        order = [filters.unindexed(column) for column in asked.order]
        within = pages.up_to(order, end, descending=asked.descending)
        ids = _sorted(asked, *met, *hits.joined(window.found), within)
        found = asked.session.execute(ids).scalars().all()
        if len(found) > asked.limit or most >= MOST_HITS:
            return Selected([col(Published.kind) == asked.kind, col(Published.id).in_(found)], end)
    return _selected(asked, _sorted(asked, *met, *hits.joined(hits.newest(None))))


def _start(asked: Asked) -> pages.Key | None:
    """Return the key behind which hits are looked for: that of the page, or the nearest time that
    is wanted.
    """
    if asked.after is not None:
        return tuple(asked.after)
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


def _walked(asked: Asked, ways: Sequence[Walk], most: int) -> Selected:
    page = walks.along(asked.session, ways, asked.after, asked.limit, descending=asked.descending, most=most)
    return _selected(asked, page.ids, page.end)


def _sorted(asked: Asked, *conditions: ColumnElement[bool]) -> Select[*tuple[UUID, ...]]:
    """Select which rows are on a page, in no other order than it has: what is sorted whole would carry all of
    its documents along, of thousands to show twenty.
    """
    ids = select(col(Published.id)).where(*conditions).correlate(None)
    order = [filters.unindexed(column) for column in asked.order]
    return pages.after(ids, order, asked.after, asked.limit, descending=asked.descending)


def _selected(asked: Asked, ids: Select[*tuple[UUID, ...]], end: pages.Key | None = None) -> Selected:
    return Selected([col(Published.kind) == asked.kind, col(Published.id).in_(ids)], end)
