"""Count what a list has on all of its pages: from the counts that are kept, or along an index, up
to a bound.
"""

from dataclasses import replace
from functools import lru_cache

from sqlalchemy import BigInteger, ScalarSelect, Select, and_, case, cast, func, not_, select
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.http.pages import Total, one_of
from service.published import filters, names, walks
from service.published.filters import Filter
from service.published.hits import MOST_KNOWN, Hits, joined, materialized
from service.published.looks import Look
from service.published.models import Kind, NameField, Published, PublishedName, PublishedSequence

MOST_COUNTED = pages.MOST_READ
"""Entries of an index that are read for a total that nobody keeps."""

_SEVERAL = frozenset({NameField.TAG.value, NameField.AUTHOR.value})
_COUNTED = frozenset(field.value for field in NameField)


def of_list(session: Session, kind: Kind, wanted: Filter) -> Total:
    """Count what a filter without full text leaves. Its languages are exact ones."""
    kept = _kept(session, kind, wanted)
    if kept is not None:
        return Total(kept)
    if is_walked(wanted) and session.contract is None:
        return walked_total(session.execute(select(of_walk(kind, wanted))).scalar_one())
    ids = walks.few(session, kind, wanted)
    if ids is not None:
        met = filters.met(kind, wanted)
        number = select(func.count()).select_from(Published).where(*met, walks.among(ids))
        return Total(session.execute(number).scalar_one())
    return Total(*walks.count(session, walks.best(session, kind, wanted), MOST_COUNTED))


def is_walked(wanted: Filter) -> bool:
    """Return whether the entries of one index are what a filter leaves, so that a total is their number."""
    return walks.is_of_one_part(wanted) and all(len(values) == 1 for _, values in walks.parts(wanted))


def of_walk(kind: Kind, wanted: Filter) -> ScalarSelect[int]:
    """Return the query for the number of entries of the one index that has what a filter leaves, and no
    others; at the most one more than are counted.
    """
    (walk,) = walks.of_part(kind, wanted, next(iter(walks.parts(wanted)), None))
    entries = walk.entries.limit(MOST_COUNTED + 1).subquery()
    return select(func.count()).select_from(entries).scalar_subquery()


def walked_total(number: int) -> Total:
    """Return the total that a number of entries tells."""
    return Total(min(number, MOST_COUNTED), number > MOST_COUNTED)


def of_hits(session: Session, kind: Kind, wanted: Filter, hits: Hits) -> Total:
    """Count what a filter leaves of the texts in which words are found. Its languages are exact ones."""
    is_minimum = not hits.are_few
    number = _hits_of(hits.counted(), kind, replace(wanted, q=None))
    return Total(session.execute(number, hits.values()).scalar_one(), is_minimum)


@lru_cache(MOST_KNOWN)
def _hits_of(look: Look, kind: Kind, wanted: Filter) -> Select[*tuple[int, ...]]:
    """Put together the query for how many hits a filter leaves. It is kept as those for pages are."""
    met = [*filters.met(kind, wanted), *joined(materialized(look.found()))]
    return select(func.count()).select_from(Published).where(*met)


def of_sections(session: Session) -> dict[str | None, int] | None:
    """Return how many articles each section has, and how many have none (`None`): as it is kept, whatever a
    contract gives. Return None where that does not hold now.
    """
    if filters.have_ended(session, Kind.ARTICLE) or not names.is_counted(session):
        return None
    rows = select(col(PublishedName.value), col(PublishedName.count)).where(
        col(PublishedName.field) == NameField.SECTION.value
    )
    found: dict[str | None, int] = {row[0]: row[1] for row in session.execute(rows)}
    name = (NameField.KIND.value, Kind.ARTICLE.value)
    found[None] = names.counts(session, [name]).get(name, 0) - sum(found.values())
    return {section: count for section, count in found.items() if count > 0}


def of_names(kind: Kind, asked: names.Names) -> ScalarSelect[int | None]:
    """Return the query for the count that is kept of names of which no resource has two; NULL where that does
    not hold now.
    """
    is_kept = and_(
        col(PublishedSequence.counted_at).is_not(None),
        col(PublishedSequence.counted_as) == names.COUNTED_AS,
        not_(filters.over(kind).exists()),
    )
    fields, values = ([*{*each}] for each in zip(*asked, strict=True))
    count = (
        select(cast(func.sum(col(PublishedName.count)), BigInteger))
        .where(one_of(col(PublishedName.field), fields), one_of(col(PublishedName.value), values))
        .scalar_subquery()
    )
    kept = case((is_kept, func.coalesce(count, 0)), else_=None)
    return select(kept).select_from(PublishedSequence).scalar_subquery()


def counted_names(kind: Kind, wanted: Filter) -> names.Names | None:
    """Return the names whose counts make the total of a list; None for a list of which no count is kept."""
    parts = walks.parts(wanted)
    if wanted.has_times():
        return None
    if not parts:
        return names.name_of_kind(kind)
    if kind is not Kind.ARTICLE or len(parts) > 1 or parts[0][0] not in _COUNTED:
        return None
    ((field, values),) = parts
    if field in _SEVERAL and len(values) > 1:
        return None
    return frozenset((field, value) for value in values)


def _kept(session: Session, kind: Kind, wanted: Filter) -> int | None:
    """Return the count that is kept for a list; None if there is none."""
    asked = counted_names(kind, wanted) if session.contract is None else None
    if asked is None:
        return None
    found: int | None = session.execute(select(of_names(kind, asked))).scalar_one()
    return found
