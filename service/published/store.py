"""How readers ask: one resource, a page of articles by filters and full text, or what has changed since a
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, null, select
from sqlalchemy.sql.selectable import TextualSelect
from sqlmodel import col

from service import pages
from service.database import Session
from service.published.answers import Row, id_of, shown
from service.published.models import Kind, Published, PublishedSlug, PublishedTerm
from service.published.numbering import TEXT
from service.published.query import Query, parse
from service.published.render import SHOWS
from service.published.withdrawn import NONE, WAITING, pictures, without

Sort = Literal["relevance", "-published_at", "published_at", "-updated_at"]
# The document of a row that has a card is not read.
_CARD = (case((col(Published.card).is_(None), col(Published.document)), else_=None), col(Published.card))
RANKED = 2_000
"""Full text is ranked among this many of the newest hits: ranking every hit of a common word costs a second
on a million.
"""
_TEXT_KEY = func.coalesce(col(Published.text_key), col(Published.seq))


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None narrows nothing."""

    section: str | None = None
    tag: str | None = None
    language: str | None = None
    author: str | None = None
    source: str | None = None
    image_id: UUID | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None
    updated_after: datetime | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of documents; `next_key` is the key of the last when there are more."""

    documents: list[bytes]
    next_key: tuple[int | datetime | UUID, ...] | None
    total: int | None
    without_card: frozenset[int] = frozenset()
    """Places of documents that stand for a card, because they were rendered before there were cards."""


def find(session: Session, kind: Kind, key: str) -> Row | None:
    """Find one resource by its id, or an article by any slug that it has had."""
    id_ = id_of(key)
    if id_ is None and kind is Kind.ARTICLE:
        id_ = session.execute(
            select(col(PublishedSlug.article_id)).where(col(PublishedSlug.slug) == key)
        ).scalar_one_or_none()
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
        WAITING,
    )
    statement: Select[*tuple[Any, ...]] = select(*columns).where(
        col(Published.kind) == kind, col(Published.id) == id_
    )
    row, withdrawn = session.execute(statement).one_or_none(), NONE
    if row is not None and row[-1]:
        withdrawn = pictures(session)
        row = session.execute(statement).one_or_none()
    return None if row is None else shown(Row(*row[:-1]), withdrawn)


def page(
    session: Session,
    kind: Kind,
    wanted: Filter,
    sort: Sort,
    after: Sequence[object] | None,
    limit: int,
    *,
    count: bool = False,
    cards: bool = False,
) -> Listed:
    """Read one page of what is public, in the order asked for, beginning after a key: documents, or cards."""
    conditions = [col(Published.reason).is_(None), *_conditions(wanted)]
    query = None if wanted.q is None else parse(wanted.q)
    if query is not None and not query:
        return Listed([], None, 0 if count else None)
    conditions.append(col(Published.kind) == kind)
    if query:
        conditions += _are_hits(TEXT.matching(session, query, newest=RANKED if sort == "relevance" else None))
    order, descending = _order(session, sort, query)
    total = (
        session.execute(select(func.count()).select_from(Published).where(*conditions)).scalar_one()
        if count
        else None
    )
    if _is_sorted(wanted, sort):
        # First which: what is sorted would else carry all of its documents along, of thousands to show
        # twenty.
        found = pages.after(
            select(col(Published.id)).where(*conditions).correlate(None),
            order,
            after,
            limit,
            descending=descending,
        )
        conditions = [col(Published.kind) == kind, col(Published.id).in_(found)]
    members = _CARD if cards else (col(Published.document), null())
    statement: Select[*tuple[Any, ...]] = select(WAITING, *members, *order).where(*conditions)
    statement = pages.after(statement, order, after, limit, descending=descending)
    rows, withdrawn = session.execute(statement).all(), NONE
    if rows and rows[0][0]:
        withdrawn = pictures(session)
        rows = session.execute(statement).all()
    more = len(rows) > limit
    found_documents = [row[2] or row[1] for row in rows[:limit]]
    if kind is Kind.ARTICLE:
        found_documents = [without(document, withdrawn) for document in found_documents]
    lacks = frozenset(place for place, row in enumerate(rows[:limit]) if cards and row[2] is None)
    return Listed(found_documents, tuple(rows[limit - 1][3:]) if more else None, total, lacks)


def _is_sorted(wanted: Filter, sort: Sort) -> bool:
    """Whether what is asked for is found in another order than it is shown in."""
    if sort == "-updated_at":
        return not (wanted.q is None and wanted.published_after is None and wanted.published_before is None)
    return not (wanted.q is None and wanted.updated_after is None)


def _order(session: Session, sort: Sort, query: Query | None) -> tuple[pages.Order, bool]:
    newest = [col(Published.published_at), col(Published.id)]
    if sort == "-updated_at":
        return [col(Published.updated_at), col(Published.id)], True
    if sort == "relevance" and query:
        hits = TEXT.matching(session, query, headline=True, newest=RANKED).cte("headline_hits")
        tier = case((_TEXT_KEY.in_(select(hits.c.key)), 1), else_=0)
        return [tier.label("tier"), *newest], True
    return newest, sort != "published_at"


def _are_hits(found: TextualSelect) -> list[ColumnElement[bool]]:
    """Join rows to their hits. A text under another key than its row's is one that an older version has left."""
    # Materialised, because SQLite would else look for each article among the hits.
    hits = found.cte("hits").prefix_with("MATERIALIZED")
    return [col(Published.id) == hits.c.id, hits.c.key == _TEXT_KEY]


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    equal = (
        (Published.section, wanted.section),
        (Published.language, wanted.language),
        (Published.source, wanted.source),
    )
    found: list[ColumnElement[bool]] = [col(column) == value for column, value in equal if value is not None]
    terms = (
        ("tag", wanted.tag),
        ("author", wanted.author),
        (SHOWS, None if wanted.image_id is None else str(wanted.image_id)),
    )
    found.extend(_has_term(name, value) for name, value in terms if value is not None)
    if wanted.published_after is not None:
        found.append(col(Published.published_at) > wanted.published_after)
    if wanted.published_before is not None:
        found.append(col(Published.published_at) < wanted.published_before)
    if wanted.updated_after is not None:
        found.append(col(Published.updated_at) > wanted.updated_after)
    return found


def _has_term(name: str, value: str) -> ColumnElement[bool]:
    ids = select(col(PublishedTerm.id)).where(
        col(PublishedTerm.field) == name, col(PublishedTerm.value) == value
    )
    return col(Published.id).in_(ids)


def sections(session: Session, limit: int) -> list[str]:
    """The sections of what is published, by name: one step along their index for each, however many articles
    they have.
    """
    smallest = select(func.min(col(Published.section))).where(
        col(Published.kind) == Kind.ARTICLE, col(Published.reason).is_(None)
    )
    found: list[str] = []
    while len(found) < limit:
        beyond = smallest if not found else smallest.where(col(Published.section) > found[-1])
        name = session.execute(beyond).scalar_one()
        if name is None:
            break
        found.append(name)
    return found


def changed_since(session: Session, seq: int, limit: int) -> list[tuple[Kind, UUID, int]]:
    """What has changed after a number, oldest first: (kind, id, seq)."""
    rows = (
        select(col(Published.kind), col(Published.id), col(Published.seq))
        .where(col(Published.seq) > seq)
        .order_by(col(Published.seq))
        .limit(limit)
    )
    return [(kind, id_, number) for kind, id_, number in session.execute(rows)]
