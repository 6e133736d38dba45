"""Queries of readers: one resource, a page of articles by filters and full text, or the changes since a
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.http.pages import Total
from service.published import entitled, filters, rows, selection, totals, walks
from service.published.answers import Row, id_of, shown
from service.published.filters import Chosen, Filter
from service.published.hits import Hits
from service.published.masked import masked
from service.published.models import Kind, Published, PublishedSlug
from service.published.numbering import TEXT
from service.published.query import parse
from service.published.rows import Found, Part, Statement
from service.published.selection import Asked, Read
from service.published.withdrawn import WAITING, Gone, pictures

Sort = Literal["relevance", "-published_at", "published_at", "-updated_at"]
MOST_KNOWN = 200
"""Queries that are kept put together, of the lists that were asked for last: some megabytes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of rows; `next_key` is the key of the last when there are more."""

    documents: list[bytes]
    """Empty where the card is all that was read."""
    cards: list[bytes | None]
    """None for rows that were rendered before there were cards, or where none was read."""
    next_key: tuple[int | datetime | UUID, ...] | None
    total: Total | None
    ids: tuple[UUID, ...] = ()


def find(session: Session, kind: Kind, key: str) -> Row | None:
    """Find one resource by its id, or an article by any slug that it has had."""
    id_ = id_of(key)
    if id_ is None and kind is Kind.ARTICLE:
        id_ = _article_of(session, key)
    if id_ is None:
        return None
    # More columns than SQLAlchemy's overloads have types for.
    columns: Sequence[Any] = (
        Published.kind,
        Published.id,
        Published.version,
        Published.reason,
        Published.detail,
        Published.etag,
        Published.document,
        Published.slug,
        Published.expires_at,
        Published.good_until,
        WAITING,
    )
    statement: Statement = select(*columns).where(col(Published.kind) == kind, col(Published.id) == id_)
    row, gone = session.execute(statement).one_or_none(), Gone(contract=session.contract)
    if row is not None and row[-1]:
        gone = pictures(session)
        row = session.execute(statement).one_or_none()
    if row is None:
        return None
    found = shown(Row(*row[:-1]), gone)
    session.keep_until(found.until)
    return found


def _article_of(session: Session, slug: str) -> UUID | None:
    """Return the article that has a slug, or has had it. A mirror that begins anew may know the slug of one
    article and its mask of another: the slug goes first, as in `reader.py`.
    """
    of_slug = select(col(PublishedSlug.article_id)).where(col(PublishedSlug.slug) == bindparam("slug"))
    found = session.execute(of_slug, {"slug": slug}).scalar_one_or_none()
    if found is None and session.database.settings.mirror_of is not None:
        found = session.execute(of_slug, {"slug": masked(slug)}).scalar_one_or_none()
    return found


def page(
    session: Session,
    kind: Kind,
    wanted: Filter,
    sort: Sort,
    after: Sequence[object] | None,
    limit: int,
    *,
    count: bool = False,
    part: Part = "documents",
) -> Listed:
    """Read one page of what is public, in the order asked for, beginning after a key."""
    query = None if wanted.q is None else parse(wanted.q)
    given = entitled.of_given_pictures(session, wanted)
    if (query is not None and not query) or given is None or entitled.gives_none(session, kind, given):
        return Listed([], [], None, Total(0) if count else None)
    part = _part(session, part)
    wanted = filters.exact(session, kind, entitled.narrow(session, kind, given))
    is_alone = replace(wanted, q=None) == Filter()
    hits = Hits(session, TEXT.spelt_out(session, query), is_alone) if query else None
    key = None if after is None else tuple(after)
    if hits is None and _is_known(session, kind, wanted, sort):
        read = Read(rows.read(session, kind, known(kind, wanted, sort, key, limit, part)))
    else:
        read = _read(session, kind, wanted, hits, sort, key, limit, part)
    total = _total(session, kind, wanted, hits) if count else None
    next_key = read.rows[limit - 1].key if len(read.rows) > limit else read.end
    return _listed(read.rows[:limit], next_key, total)


def _part(session: Session, part: Part) -> Part:
    """Return what is read for a list. A card does not tell the source of its picture, by which a contract may
    leave the picture out: the card is then made of the document without it.
    """
    return "documents" if Gone(contract=session.contract).hides else part


def _is_known(session: Session, kind: Kind, wanted: Filter, sort: Sort) -> bool:
    """Return whether the query for a page follows from the filter alone."""
    if not entitled.covers(session, kind, wanted):
        return False
    is_free = session.contract is None
    return is_plain(wanted, sort) if is_free else walks.is_plain(wanted, by_update=sort == "-updated_at")


def is_plain(wanted: Filter, sort: Sort) -> bool:
    """Return whether the query for a page of everybody's follows from the filter alone."""
    by_update = sort == "-updated_at"
    return walks.is_plain(wanted, by_update=by_update) or (not by_update and walks.is_of_one_part(wanted))


@lru_cache(MOST_KNOWN)
def known(
    kind: Kind, wanted: Filter, sort: Sort, after: pages.Key | None, limit: int, part: Part
) -> Statement:
    """Put together the query for a page that follows from its filter. It is kept, because SQLAlchemy takes
    longer to put it together than SQLite takes to carry it out.
    """
    by_update = sort == "-updated_at"
    order, descending = _order(sort)
    if by_update:
        ways = walks.by_update(kind, wanted)
    else:
        ways = walks.of_part(kind, wanted, next(iter(walks.parts(wanted)), None))
    if walks.is_plain(wanted, by_update=by_update):
        conditions = ways[0].within(after, None, descending=descending)
    else:
        ids = walks.ids(ways, after, limit, descending=descending)
        conditions = [col(Published.kind) == kind, col(Published.id).in_(ids)]
    statement = rows.reading(part, *order).where(*conditions)
    return pages.after(statement, order, after, limit, descending=descending)


def _read(
    session: Session,
    kind: Kind,
    wanted: Filter,
    hits: Hits | None,
    sort: Sort,
    after: pages.Key | None,
    limit: int,
    part: Part,
) -> Read:
    """Read any other page."""
    order, descending = _order(sort)
    by_update = sort == "-updated_at"
    asked = Asked(
        session, kind, wanted, order, after, limit, descending=descending, by_update=by_update, part=part
    )
    if hits is None:
        return selection.by_filter(asked)
    return selection.by_relevance(asked, hits) if sort == "relevance" else selection.by_words(asked, hits)


def _total(session: Session, kind: Kind, wanted: Filter, hits: Hits | None) -> Total:
    if hits is None:
        return totals.of_list(session, kind, wanted)
    return totals.of_hits(session, kind, wanted, hits)


def _listed(found: Sequence[Found], next_key: tuple[Any, ...] | None, total: Total | None) -> Listed:
    ids = tuple(each.key[-1] for each in found)  # the id ends every order
    return Listed([each.document for each in found], [each.card for each in found], next_key, total, ids)


def _order(sort: Sort) -> tuple[pages.Order, bool]:
    if sort == "-updated_at":
        return [col(Published.updated_at), col(Published.id)], True
    return [col(Published.published_at), col(Published.id)], sort != "published_at"


def sections(session: Session, limit: int) -> list[str]:
    """Return the sections of what is published, by name."""
    return filters.values_of(session, col(Published.section), Kind.ARTICLE, limit)


def chosen(session: Session, wanted: Filter, named: Chosen, part: Part = "documents") -> Listed:
    """Read the articles that a request names, in its order, as far as they are public and the filter leaves
    them.
    """
    slugs = select(col(PublishedSlug.slug), col(PublishedSlug.article_id)).where(
        col(PublishedSlug.slug).in_(named.slugs)
    )
    ids = named.places({row.slug: row.article_id for row in session.execute(slugs)} if named.slugs else {})
    query = None if wanted.q is None else parse(wanted.q)
    if query is not None and not query:
        return Listed([], [], None, Total(0))
    part = _part(session, part)
    wanted = filters.exact(session, Kind.ARTICLE, wanted)
    found = filters.met(Kind.ARTICLE, wanted)
    if query:
        found.append(Hits(session, query, is_alone=False).probed())
    statement = rows.reading(part, col(Published.id)).where(*found, col(Published.id).in_(ids))
    by_id = {row.key[0]: row for row in rows.read(session, Kind.ARTICLE, statement)}
    ordered = [by_id[id_] for id_ in ids if id_ in by_id]
    return _listed(ordered, None, Total(len(ordered)))


def changed_since(session: Session, seq: int, limit: int) -> list[tuple[Kind, UUID, int]]:
    """Return the changes after a number, oldest first: (kind, id, seq)."""
    changes = (
        select(col(Published.kind), col(Published.id), col(Published.seq))
        .where(col(Published.seq) > seq)
        .order_by(col(Published.seq))
        .limit(limit)
    )
    return [(kind, id_, number) for kind, id_, number in session.execute(changes)]
