"""List names, with a bound on what is read under a contract, of which nobody counts the names beforehand.

A contract that gives all articles of the names it gives needs no count of its own. One that gives few
articles has these read. Of any other, the newest articles of each name are looked at: a name is left out if
none of them is given, and its count is a minimum if it has more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, Subquery, func, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from service.contracts import Contract
from service.database import Session
from service.http import pages
from service.http.pages import Total
from service.published import entitled, filters, names, walks
from service.published.entitled import narrow
from service.published.filters import PAST_CONTRACT, Filter
from service.published.models import Kind, NameField, Published, PublishedTerm
from service.published.names import Counted

MOST_GIVEN = 300
"""Articles that a contract gives, all of whose names are counted."""
MOST_READ = pages.MOST_READ
"""Articles that are looked at for a page of names."""
MOST_NAMES = 200
OF_EACH = 20
"""Articles of a name that are looked at, at the least."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of names, and the name after which the next one begins. `is_sure` says that no name is left out
    that the contract gives.
    """

    found: list[Counted]
    next: str | None = None
    is_sure: bool = True


def page(session: Session, field: NameField, after: str | None, limit: int) -> Page:
    """Read names in their order. Under a contract a page may be short, and the next one leads on."""
    contract = session.contract
    if entitled.gives_none(session, Kind.ARTICLE):
        return Page([])
    if contract is None or _gives_whole(contract, field):
        return _cut(names.page(session, field, after, limit, _among(contract, field)), limit)
    given = _given(session, field)
    if given is None:
        return _looked_at(session, contract, field, after, limit)
    key = None if after is None else (after,)
    rows = session.execute(pages.after(select(given), [given.c.value], key, limit, descending=False))
    return _cut([Counted(*row) for row in rows], limit)


def total(session: Session, field: NameField) -> Total:
    """Return how many names there are."""
    contract = session.contract
    if entitled.gives_none(session, Kind.ARTICLE):
        return Total(0)
    if contract is None or _gives_whole(contract, field):
        return Total(names.total(session, field, _among(contract, field)))
    given = _given(session, field)
    if given is not None:
        return Total(session.execute(select(func.count()).select_from(given)).scalar_one())
    first = _looked_at(session, contract, field, None, MOST_NAMES)
    return Total(len(first.found), first.next is not None or not first.is_sure)


def sections(session: Session) -> set[str | None]:
    """Return the sections of which the session's contract gives articles, and None if it gives some that are
    in no section.
    """
    found: set[str | None] = {None} if _gives_nameless(session) else set()
    one = page(session, NameField.SECTION, None, MOST_NAMES)
    found |= {each.name for each in one.found}
    while one.next is not None:
        one = page(session, NameField.SECTION, one.next, MOST_NAMES)
        found |= {each.name for each in one.found}
    return found


def _gives_nameless(session: Session) -> bool:
    """Return whether the contract may give articles without a section. The newest of them are looked at."""
    contract = session.contract
    if contract is None or contract.sections or entitled.gives_none(session, Kind.ARTICLE):
        return False
    row = aliased(Published)
    nameless = (col(row.kind) == Kind.ARTICLE, col(row.reason).is_(None), col(row.section).is_(None))
    newest = select(col(row.id)).where(*nameless).order_by(col(row.published_at).desc(), col(row.id).desc())
    ids = newest.limit(MOST_READ).cte("newest").prefix_with("MATERIALIZED")
    given = (*_live(), col(Published.id) == ids.c.id, entitled.gives(contract))
    options = {PAST_CONTRACT: True}
    found = session.execute(select(col(Published.id)).where(*given).limit(1), execution_options=options)
    return found.first() is not None or pages.is_more_than(
        session, select(ids.c.id).execution_options(**options), MOST_READ - 1
    )


def _gives_whole(contract: Contract, field: NameField) -> bool:
    """Return whether a contract gives every article of each name that it gives."""
    if contract.languages or contract.tags or contract.sources:
        return False
    return not contract.sections or field is NameField.SECTION


def _among(contract: Contract | None, field: NameField) -> Sequence[str]:
    """Return the only names that a contract can give; none if it could give any."""
    return contract.sections if contract is not None and field is NameField.SECTION else ()


def _cut(found: list[Counted], limit: int) -> Page:
    return Page(found[:limit], found[limit - 1].name if len(found) > limit else None)


def _given(session: Session, field: NameField) -> Subquery | None:
    """Select the names of all that a contract gives, counted; None if it may give many articles."""
    wanted = filters.exact(session, Kind.ARTICLE, narrow(session, Kind.ARTICLE, Filter()))
    few = walks.few(session, Kind.ARTICLE, wanted, MOST_GIVEN)
    if few is None:
        return None
    is_section = field is NameField.SECTION
    name = col(Published.section) if is_section else col(PublishedTerm.value)
    columns: Sequence[Any] = (name.label("value"), func.count(), func.max(col(Published.published_at)))
    named = select(*columns).where(*_live(), name.is_not(None), walks.among(few))
    if not is_section:
        # By its field, SQLite would read all terms, and look for each among the few articles.
        is_field = filters.unindexed(col(PublishedTerm.field)) == field.value
        is_of = (col(PublishedTerm.id) == col(Published.id)) & is_field
        named = named.join_from(Published, PublishedTerm, is_of)
    return named.group_by(name).subquery()


def _live() -> list[ColumnElement[bool]]:
    return [col(Published.kind) == Kind.ARTICLE, col(Published.reason).is_(None)]


def _looked_at(session: Session, contract: Contract, field: NameField, after: str | None, limit: int) -> Page:
    """Return the next names of which the newest articles are given, as far as these may be read."""
    kept = names.kept(session, field, after, MOST_NAMES, _among(contract, field))
    taken = _within_bound(kept)
    if not taken:
        return Page([])
    each = _of_each(list(taken.values()))
    entries = _entries(field, taken, each)
    # The contract's own condition is stated here: added to the entries, it would have more of them read.
    counted: Select[*tuple[Any, ...]] = (
        select(entries.c.value, func.count(), func.max(col(Published.published_at)))
        .join_from(entries, Published, col(Published.id) == entries.c.id)
        .where(*_live(), entitled.gives(contract))
        .group_by(entries.c.value)
    )
    rows = session.execute(counted, execution_options={PAST_CONTRACT: True})
    by_name = {row[0]: Counted(*row) for row in rows}
    found = [
        replace(by_name[name], count_is_minimum=True) if count > each else by_name[name]
        for name, count in taken.items()
        if name in by_name
    ]
    is_sure = all(name in by_name for name, count in taken.items() if count > each)
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].name, is_sure)
    return Page(found, list(taken)[-1] if len(kept) > len(taken) else None, is_sure)


def _within_bound(kept: Mapping[str, int]) -> dict[str, int]:
    """Return the first names of which as many articles may be looked at as must be."""
    taken, read = dict[str, int](), 0
    for name, count in kept.items():
        read += min(count, OF_EACH)
        if read > MOST_READ or len(taken) == MOST_NAMES:
            break
        taken[name] = count
    return taken


def _of_each(counts: list[int]) -> int:
    """Return how many articles of a name are looked at, so that names with few leave more to the others."""
    left = MOST_READ
    for place, count in enumerate(sorted(counts)):
        share = left // (len(counts) - place)
        if count > share:
            return share
        left -= count
    return max(counts)


def _entries(field: NameField, taken: Mapping[str, int], each: int) -> CTE:
    """Select names with the ids of their newest articles."""
    row, term = aliased(Published), aliased(PublishedTerm)
    if field is NameField.SECTION:
        name, at, id_ = col(row.section), col(row.published_at), col(row.id)
        where = [col(row.kind) == Kind.ARTICLE, col(row.reason).is_(None)]
    else:
        name, at, id_ = col(term.value), col(term.published_at), col(term.id)
        where = [col(term.field) == field.value]
    entries: Select[*tuple[Any, ...]] = select(name.label("value"), id_.label("id")).where(*where)
    small = [value for value, count in taken.items() if count <= each]
    found = [entries.where(pages.one_of(name, small)).limit(MOST_READ)] if small else []
    found += [
        entries.where(name == value).order_by(at.desc(), id_.desc()).limit(each)
        for value, count in taken.items()
        if count > each
    ]
    both = union_all(*(select(one.subquery()) for one in found))
    return both.cte("newest").prefix_with("MATERIALIZED")
