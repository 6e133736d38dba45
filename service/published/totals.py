"""Count what a list has on all of its pages: from the counts that are kept, or along an index, up
to a bound.
"""

from dataclasses import replace
from functools import lru_cache

from sqlalchemy import Select, func, select
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.http.pages import Total
from service.published import filters, names, walks
from service.published.filters import Filter
from service.published.hits import MOST_KNOWN, Hits, joined, materialized
from service.published.looks import Look
from service.published.models import Kind, NameField, Published, PublishedName

MOST_COUNTED = pages.MOST_READ
"""Entries of an index that are read for a total that nobody keeps."""

_SEVERAL = frozenset({NameField.TAG.value, NameField.AUTHOR.value})
_COUNTED = frozenset(field.value for field in NameField)


def of_list(session: Session, kind: Kind, wanted: Filter) -> Total:
    """Count what a filter without full text leaves. Its languages are exact ones."""
    kept = _kept(session, kind, wanted)
    if kept is not None:
        return Total(kept)
    ids = walks.few(session, kind, wanted)
    if ids is not None:
        met = filters.met(kind, wanted)
        number = select(func.count()).select_from(Published).where(*met, walks.among(ids))
        return Total(session.execute(number).scalar_one())
    return Total(*walks.count(session, walks.best(session, kind, wanted), MOST_COUNTED))


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


def _kept(session: Session, kind: Kind, wanted: Filter) -> int | None:
    """Return the count that is kept for a kind, or for names that no article has two of; None if there is
    none.
    """
    if session.contract is not None:
        return None
    parts = walks.parts(wanted)
    if not parts:
        asked = [(NameField.KIND.value, kind.value)]
    elif kind is not Kind.ARTICLE or len(parts) > 1 or parts[0][0] not in _COUNTED:
        return None
    else:
        ((field, values),) = parts
        asked = [(field, value) for value in values]
        if field in _SEVERAL and len(asked) > 1:
            return None
    if wanted.has_times() or filters.have_ended(session, kind) or not names.is_counted(session):
        return None
    return sum(names.counts(session, asked).values())
