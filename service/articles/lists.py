"""Editors' lists: the working articles, drafts included, found as readers' lists are, by reading a bounded
number of entries of an index.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Label, Select, case, exists, func, literal, null, or_, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col

from service.articles.desk import TEXT
from service.articles.models import Article, ArticleSlug, ArticleTerm, Status
from service.database import Session
from service.http import pages
from service.http.pages import Total
from service.images.models import ImageUse
from service.published import walks
from service.published.filters import Chosen, Filter, between, unindexed
from service.published.hits import MOST_HITS, MOST_LOOKED_UP, MOST_PROBED, are_few, are_many
from service.published.looks import Within
from service.published.query import Query, parse
from service.published.store import Sort
from service.published.totals import MOST_COUNTED
from service.published.walks import Walk
from service.published.words import is_in_headline
from service.tables import ANY_LANGUAGE, text_enum

Conditions = list[ColumnElement[bool]]
Ids = Select[*tuple[UUID, ...]]
_IS_LIVE = col(Article.deleted_at).is_(None)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of working articles. `next_key` is where the next one begins, when there may be more."""

    articles: list[Article]
    next_key: tuple[datetime | UUID | int, ...] | None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A list as it is asked for. The trash is left out of it."""

    session: Session
    wanted: Filter
    status: Status | None
    query: Query | None
    by_update: bool = False


def page(
    session: Session,
    wanted: Filter,
    status: Status | None,
    sort: Sort,
    after: Sequence[object] | None,
    limit: int,
) -> Listed:
    """Read one page of working articles in the order asked for."""
    query = None if wanted.q is None else parse(wanted.q)
    if query is not None and not query:
        return Listed([], None)
    spelt_out = None if query is None else TEXT.spelt_out(session, query)
    asked = _Asked(session, wanted, status, spelt_out, by_update=sort == "-updated_at")
    order, descending = _order(session, sort, spelt_out)
    found, end = _found(asked, order, after, limit, ranked=sort == "relevance", descending=descending)
    # The ids first. Otherwise the database sorts thousands of rows with their bodies, to show twenty.
    shown = select(Article).where(col(Article.id).in_(found))
    ordered = shown.order_by(*(column.desc() if descending else column.asc() for column in order))
    articles = list(session.execute(ordered).scalars())
    if len(articles) > limit:
        return Listed(articles[:limit], _key_of(articles[limit - 1], sort, query))
    return Listed(articles, end)


def chosen(session: Session, wanted: Filter, status: Status | None, named: Chosen) -> list[Article]:
    """Return working articles that a request names, in its order, as far as the filter leaves them."""
    query = None if wanted.q is None else parse(wanted.q)
    if query is not None and not query:
        return []
    slugs = select(col(ArticleSlug.slug), col(ArticleSlug.article_id))
    of_slugs = session.execute(slugs.where(col(ArticleSlug.slug).in_(named.slugs))) if named.slugs else ()
    ids = named.places({row.slug: row.article_id for row in of_slugs})
    asked = _Asked(session, wanted, status, query)
    met = [_IS_LIVE, *_fits(asked)]
    rows = session.execute(select(Article).where(col(Article.id).in_(ids), *met)).scalars()
    found = {article.id: article for article in rows}
    return [found[id_] for id_ in ids if id_ in found]


def count(session: Session, wanted: Filter, status: Status | None) -> Total:
    """Count the working articles, up to a bound."""
    query = None if wanted.q is None else parse(wanted.q)
    if query is not None and not query:
        return Total(0)
    query = None if query is None else TEXT.spelt_out(session, query)
    asked = _Asked(session, wanted, status, query)
    few = _few(asked)
    if few is not None:
        number = select(func.count()).select_from(Article).where(*_met(asked), *few)
        return Total(session.execute(number).scalar_one())
    if query is None:
        return Total(*walks.count(session, _ways(asked), MOST_COUNTED))
    number = select(func.count()).select_from(Article)
    hits = _newest_hits(session, query, MOST_HITS)
    return Total(session.execute(number.where(*_met(asked), *hits)).scalar_one(), is_minimum=True)


def _found(
    asked: _Asked,
    order: pages.Order,
    after: Sequence[object] | None,
    limit: int,
    *,
    ranked: bool,
    descending: bool,
) -> tuple[Ids, pages.Key | None]:
    """Select the ids of a page, and say beyond which key nothing was looked at."""
    session, query = asked.session, asked.query
    few = _few(asked)
    if few is None and not (ranked and query):
        most = MOST_PROBED if query else pages.MOST_READ
        ways = _ways(asked)
        if len(ways) == 1 and not ways[0].fits:
            found = ways[0].within(after, None, descending=descending)
            plain = select(col(Article.id)).where(*found).correlate(None)
            return pages.after(plain, order, after, limit, descending=descending), None
        way = walks.along(session, ways, after, limit, descending=descending, most=most)
        return way.ids, way.end
    if few is None:
        assert query is not None
        few = _newest_hits(session, query, MOST_HITS)
    ids = select(col(Article.id)).where(*_met(asked), *few).correlate(None)
    unordered = [unindexed(column) for column in order]
    return pages.after(ids, unordered, after, limit, descending=descending), None


def _key_of(article: Article, sort: Sort, query: Query | None) -> tuple[datetime | UUID | int, ...]:
    """Return the key of an article in a list's order."""
    if sort == "-updated_at":
        return (article.updated_at, article.id)
    if sort == "relevance" and query:
        return (int(is_in_headline(query, article.headline)), article.listed_at, article.id)
    return (article.listed_at, article.id)


def _order(session: Session, sort: Sort, query: Query | None) -> tuple[pages.Order, bool]:
    newest = [col(Article.listed_at), col(Article.id)]
    if sort == "-updated_at":
        return [col(Article.updated_at), col(Article.id)], True
    if sort == "relevance" and query:
        if are_many(session, TEXT, query):
            is_found = TEXT.has(session, query, col(Article.text_key), col(Article.id), Within.HEADLINES)
        else:
            found = TEXT.matching(session, query, within=Within.HEADLINES, newest=MOST_HITS)
            is_found = col(Article.text_key).in_(select(found.cte("headline_hits").c.key))
        return [case((is_found, 1), else_=0), *newest], True
    return newest, sort != "published_at"


def _ways(asked: _Asked) -> list[Walk]:
    """Return walks along the index that lies in the order of the list."""
    wanted, at, id_ = asked.wanted, col(Article.listed_at), col(Article.id)
    if asked.by_update:
        return [Walk(col(Article.updated_at), id_, [_IS_LIVE], _fits(asked), begin=wanted.updated_after)]
    pieces: list[Conditions] = [[]]
    rest = asked
    if asked.status not in {None, Status.PUBLISHED}:
        pieces, rest = [_of_status(asked)], replace(asked, status=None)
    elif wanted.section:
        pieces = [[col(Article.section) == section] for section in dict.fromkeys(wanted.section)]
        rest = replace(asked, wanted=replace(wanted, section=()))
    begin, end = wanted.published_after, wanted.published_before
    return [Walk(at, id_, [_IS_LIVE, *one], _fits(rest), begin, end) for one in pieces]


def _of_status(asked: _Asked) -> Conditions:
    # Both databases must see that these are in the index of what is not published.
    status = col(Article.status)
    return [
        status == asked.status,
        status != literal(Status.PUBLISHED, text_enum(Status), literal_execute=True),
    ]


def _fits(asked: _Asked) -> Conditions:
    """Return the conditions that a row of a walk must meet."""
    hits = [] if asked.query is None else [_is_hit(asked.session, asked.query)]
    return [*_met(asked), *hits]


def _met(asked: _Asked) -> Conditions:
    """Return the conditions, without full text, that a live row must meet which is looked up."""
    wanted = asked.wanted
    columns = ((col(Article.section), wanted.section), (col(Article.source), wanted.source))
    found = [pages.one_of(unindexed(column), values) for column, values in columns if values]
    if wanted.language and ANY_LANGUAGE not in wanted.language:
        found.append(pages.in_ranges(unindexed(col(Article.language)), wanted.language))
    if asked.status is not None:
        found.append(unindexed(col(Article.status)) == asked.status)
    published_at: ColumnElement[datetime] = func.coalesce(col(Article.published_at), null())
    found += between(published_at, wanted)
    if wanted.updated_after is not None and not asked.by_update:
        found.append(unindexed(col(Article.updated_at)) > wanted.updated_after)
    for field, values in (("tag", wanted.tag), ("author", wanted.author)):
        if values:
            found.append(or_(*(_has_term(field, value) for value in dict.fromkeys(values))))
    if wanted.image_id:
        found.append(or_(*(_shows(image) for image in dict.fromkeys(wanted.image_id))))
    return found


def _has_term(field: str, value: str) -> ColumnElement[bool]:
    term = aliased(ArticleTerm)
    own = col(term.article_id) == col(Article.id)
    return exists().where(col(term.field) == field, col(term.value) == value, own)


def _shows(image: UUID) -> ColumnElement[bool]:
    use = aliased(ImageUse)
    return exists().where(col(use.image_id) == image, col(use.article_id) == col(Article.id))


def _is_hit(session: Session, query: Query) -> ColumnElement[bool]:
    return TEXT.has(session, query, col(Article.text_key), col(Article.id))


def _newest_hits(session: Session, query: Query, most: int | None) -> Conditions:
    """Join rows to the newest texts that a query finds."""
    # Materialised, because SQLite would else look for each article among the hits.
    is_among = most is not None and are_many(session, TEXT, query)
    found = TEXT.among(query, MOST_HITS) if is_among else TEXT.matching(session, query, newest=most)
    hits = found.cte("hits").prefix_with("MATERIALIZED")
    return [col(Article.id) == hits.c.id, hits.c.key == col(Article.text_key), _IS_LIVE]


def _few(asked: _Asked) -> Conditions | None:
    """Return the condition that a row is one of some, so few that each may be looked at, among which are all
    that are asked for; None if many articles meet each of the conditions alone.
    """
    session, query = asked.session, asked.query
    if query is not None and not are_many(session, TEXT, query) and are_few(session, TEXT, query):
        return _newest_hits(session, query, None)
    most = pages.MOST_READ if query is None else MOST_LOOKED_UP
    for ids in _alone(asked):
        if not pages.is_more_than(session, ids, most):
            few = select(ids.subquery().c.id).distinct().cte("few").prefix_with("MATERIALIZED")
            hits = [] if query is None else [_is_hit(session, query)]
            return [col(Article.id) == few.c.id, _IS_LIVE, *hits]
    return None


def _alone(asked: _Asked) -> Iterator[Ids]:
    """Select the articles that meet each of the conditions which an index finds, but those that the list is
    in the order of.
    """
    wanted = asked.wanted
    id_: Label[UUID] = col(Article.id).label("id")
    for image in [wanted.image_id] * bool(wanted.image_id):
        yield _any_of(
            select(col(ImageUse.article_id).label("id")).where(col(ImageUse.image_id) == one) for one in image
        )
    for field, values in (("tag", wanted.tag), ("author", wanted.author)):
        if values:
            of_term: Ids = select(col(ArticleTerm.article_id).label("id")).where(
                col(ArticleTerm.field) == field
            )
            yield _any_of(of_term.where(col(ArticleTerm.value) == value) for value in values)
    if asked.status not in {None, Status.PUBLISHED} and _is_narrowed(asked):
        yield select(id_).where(_IS_LIVE, *_of_status(asked))
    if wanted.source:
        # All of them, because the index of sources has the trash too.
        yield _any_of(select(id_).where(col(Article.source) == source) for source in wanted.source)
    if wanted.section and _is_narrowed(asked):
        of_sections = (col(Article.section) == section for section in wanted.section)
        yield _any_of(select(id_).where(one, _IS_LIVE) for one in of_sections)
    if wanted.updated_after is not None and not asked.by_update:
        yield select(id_).where(col(Article.updated_at) > wanted.updated_after, _IS_LIVE)
    if (wanted.published_after, wanted.published_before) != (None, None) and _is_narrowed(asked):
        yield select(id_).where(*between(col(Article.listed_at), wanted), _IS_LIVE)


def _is_narrowed(asked: _Asked) -> bool:
    """Return whether a walk in the order of the list would pass what does not fit."""
    return asked.by_update or len(_fits(asked)) > 1 or bool(asked.wanted.source)


def _any_of(found: Iterable[Ids]) -> Ids:
    each = list(found)
    return each[0] if len(each) == 1 else select(union_all(*each).subquery().c.id)
