"""Find the newest of what a filter leaves, along an index that lies in their order.

For `IN (…)`, and for a term that is looked up by id, a database reads everything that fits, and sorts it, to show a
page. Walks read about as many rows as the page shows.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select, true, union
from sqlalchemy.orm import aliased
from sqlmodel import col

from service import pages
from service.published import filters
from service.published.filters import Filter
from service.published.models import Kind, Published, PublishedTerm

Walk = tuple[Select[*tuple[Any, ...]], pages.Order]
"""A SELECT of times and ids, and the columns in whose order it lies."""


def newest(
    kind: Kind, wanted: Filter, after: Sequence[object] | None, limit: int, *, descending: bool
) -> Select[*tuple[UUID, ...]] | None:
    """Select the ids of one page by time of publication, and one more; None where the rows of the page are as
    near. Languages of the filter are exact ones.
    """
    found = _walks(kind, wanted)
    return _first(found, after, limit, descending=descending) if found else None


def newest_ids(kind: Kind, wanted: Filter, limit: int) -> Select[*tuple[UUID, ...]]:
    """Select the ids of the newest, and one more, in their order. Languages of the filter are exact ones."""
    found = _walks(kind, wanted) or [_of_column(kind, wanted, true())]
    return _first(found, None, limit, descending=True)


def _first(
    walks: Sequence[Walk], after: Sequence[object] | None, limit: int, *, descending: bool
) -> Select[*tuple[UUID, ...]]:
    first = [pages.after(walk, order, after, limit, descending=descending) for walk, order in walks]
    # SQLite takes no order within a union, but in a query of its own.
    together = (
        union(*(select(each.subquery()) for each in first)).subquery("walks")
        if len(first) > 1
        else first[0].subquery("walk")
    )
    order = [together.c.at, together.c.id]
    return pages.after(select(together.c.id), order, None, limit, descending=descending)


def _walks(kind: Kind, wanted: Filter) -> list[Walk]:
    terms = wanted.terms()
    if terms:
        (field, values), *others = terms
        return [_of_term(kind, wanted, field, value, others) for value in values]
    several = next(((column, values) for column, values in filters.columns(wanted) if len(values) > 1), None)
    if several is None:
        return []
    column, values = several
    return [_of_column(kind, wanted, column == value) for value in values]


def _of_column(kind: Kind, wanted: Filter, condition: ColumnElement[bool]) -> Walk:
    order = [col(Published.published_at), col(Published.id)]
    walk: Select[*tuple[Any, ...]] = select(order[0].label("at"), order[1].label("id"))
    return walk.where(condition, *filters.conditions(kind, wanted)), order


def _of_term(
    kind: Kind, wanted: Filter, field: str, value: str, others: Sequence[tuple[str, tuple[str, ...]]]
) -> Walk:
    """Walk the articles of a term: only those of published articles are there."""
    own = aliased(PublishedTerm)
    found = [
        col(own.field) == field,
        col(own.value) == value,
        *filters.between(col(own.published_at), wanted),
        filters.has_not_ended(kind, col(own.id)),
    ]
    for name, values in others:
        other = aliased(PublishedTerm)
        among = pages.one_of(col(other.value), values)
        found.append(exists().where(col(other.field) == name, among, col(other.id) == col(own.id)))
    if filters.columns(wanted) or wanted.updated_after is not None:
        found.append(exists().where(*filters.conditions(kind, wanted), col(Published.id) == col(own.id)))
    order = [col(own.published_at), col(own.id)]
    return select(order[0].label("at"), order[1].label("id")).where(*found), order
