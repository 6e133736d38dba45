"""The editors' side of finding articles: terms, full text and uses of the working articles,
drafts included.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, func, literal
from sqlmodel import col, select

from service.articles.body import Embed, ImageBlock, as_text, images_of
from service.articles.models import Article, ArticleSlug, ArticleTerm, ArticleWrite, Status
from service.database import Session, insert
from service.errors import FieldProblem, Gone, NotFound
from service.http import pages
from service.images import resolve, uses
from service.images.models import ImageUse
from service.images.resolve import Pictures
from service.images.uses import Use
from service.published.answers import id_of
from service.published.filters import Chosen, Filter
from service.published.query import parse
from service.published.store import Sort
from service.published.words import TextIndex, Words, is_in_headline

TEXT = TextIndex("article_text", tick=timedelta(seconds=1), tie_bits=30)
"""Articles lie in it in the order in which they were created, which nothing changes."""

_IN_TERMS = frozenset({"tags", "authors"})
_IN_USES = frozenset({"body", "lead_image_id", "deleted_at"})
_IN_WORDS = _IN_TERMS | {
    "headline",
    "summary",
    "byline",
    "dateline",
    "section",
    "language",
    "body",
    "lead_image_id",
}
"""The members of an article that its terms, its uses of pictures, and its text are made of."""


def words_of(article: Article, pictures: Pictures) -> Words:
    """Return the words of an article that the desk's search looks through, captions of its
    pictures included.
    """
    people = [author.name for author in article.authors]
    rest = [
        article.summary,
        article.byline,
        *people,
        article.dateline,
        article.section,
        *article.tags,
        as_text(article.body),
        *_captions(article, pictures),
    ]
    return Words(article.headline, "\n".join(part for part in rest if part))


def _captions(article: Article, pictures: Pictures) -> Iterator[str | None]:
    placed = [(block.image_id, block.caption_id) for block in article.body if isinstance(block, ImageBlock)]
    lead = [] if article.lead_image_id is None else [(article.lead_image_id, None)]
    for image_id, caption_id in dict.fromkeys([*lead, *placed]):
        caption = pictures.caption(
            image_id, article_id=article.id, language=article.language, caption_id=caption_id
        )
        if caption is not None:
            yield from (caption.text, caption.alt_text)


def images_in(article: Article) -> list[UUID]:
    """The images that an article shows."""
    return [*images_of(article.body), *([article.lead_image_id] if article.lead_image_id else [])]


def index_new(session: Session, articles: Sequence[Article], pictures: Pictures | None = None) -> None:
    """Write what new articles are found by. Their pictures are looked up unless they are given."""
    # The terms refer to the articles' rows.
    session.flush()
    _put_terms(session, articles)
    _put_words(session, articles, pictures)
    uses.replace(session, [_use(article) for article in articles], are_new=True)


def index(
    session: Session,
    articles: Sequence[Article],
    changed: frozenset[str],
    pictures: Pictures | None = None,
) -> None:
    """Bring what articles are found by up to what they are, as far as these members have changed in them.
    Their pictures are looked up unless they are given.
    """
    ids = [article.id for article in articles]
    if changed & _IN_TERMS:
        session.execute(delete(ArticleTerm).where(col(ArticleTerm.article_id).in_(ids)))
        _put_terms(session, articles)
    if changed & _IN_WORDS:
        TEXT.drop(session, [(article.text_key, article.id) for article in articles])
        _put_words(session, articles, pictures)
    if changed & _IN_USES:
        uses.replace(session, [_use(article) for article in articles])
    else:
        uses.rename(session, [_use(article) for article in articles])


def _put_terms(session: Session, articles: Sequence[Article]) -> None:
    rows = [
        {"field": name, "value": value, "article_id": article.id}
        for article in articles
        for name, value in sorted(_terms(article))
    ]
    if rows:
        session.execute(insert(session, ArticleTerm), rows)


def _put_words(session: Session, articles: Sequence[Article], pictures: Pictures | None = None) -> None:
    if pictures is None:
        pictures = resolve.load(session, {image for article in articles for image in images_in(article)})
    TEXT.put(session, ((article.text_key, article.id, words_of(article, pictures)) for article in articles))


def index_words(session: Session, ids: Collection[UUID], *, place: bool = False) -> None:
    """Cut the texts of articles anew. `place` puts them into their order, which an older version did not."""
    if not ids:
        return
    known = select(Article).where(col(Article.id).in_(ids)).order_by(col(Article.id)).with_for_update()
    articles = session.exec(known.execution_options(populate_existing=True)).all()
    TEXT.drop(session, [(article.text_key, article.id) for article in articles])
    if place:
        keys = TEXT.place(session, {article.id: article.created_at for article in articles})
        for article in articles:
            article.text_key = keys[article.id]
        session.flush()
    _put_words(session, articles)


def _terms(article: Article) -> set[tuple[str, str]]:
    return {*(("tag", tag) for tag in article.tags), *(("author", author.name) for author in article.authors)}


def _use(article: Article) -> Use:
    images = [] if article.deleted_at else images_in(article)
    return Use(article.id, article.slug, article.headline, str(article.status), frozenset(images))


def reference_problems(
    write: ArticleWrite, article_id: UUID, pictures: Pictures, embed_hosts: Sequence[str]
) -> Iterator[FieldProblem]:
    """Return the members of an article that refer to something that this store cannot show."""
    if write.lead_image_id is not None and write.lead_image_id not in pictures.images:
        yield FieldProblem(pointer="/lead_image_id", message="names no image of this store")
    for place, block in enumerate(write.body):
        if isinstance(block, ImageBlock):
            captions = pictures.captions_in(block.image_id, article_id)
            if block.image_id not in pictures.images:
                yield FieldProblem(pointer=f"/body/{place}/image_id", message="names no image of this store")
            elif block.caption_id is not None and block.caption_id not in {
                caption.id for caption in captions
            }:
                yield FieldProblem(
                    pointer=f"/body/{place}/caption_id", message="names no caption of this image"
                )
        elif isinstance(block, Embed) and block.url.split("/")[2].lower() not in embed_hosts:
            yield FieldProblem(
                pointer=f"/body/{place}/url",
                message=f"names a host that is not one of {', '.join(embed_hosts)}",
            )


def page(
    session: Session,
    wanted: Filter,
    status: Status | None,
    sort: Sort,
    after: Sequence[object] | None,
    limit: int,
) -> list[Article]:
    """Working articles in the order asked for, one more than the limit when there are more. The trash is left
    out.
    """
    conditions = _conditions(session, wanted, status)
    order, descending = _order(session, sort, wanted.q)
    # First which: what is sorted would else carry all of its bodies along, of thousands to show twenty.
    found = pages.after(
        select(col(Article.id)).where(*conditions), order, after, limit, descending=descending
    )
    shown = select(Article).where(col(Article.id).in_(found))
    return list(
        session.exec(shown.order_by(*(column.desc() if descending else column.asc() for column in order)))
    )


def chosen(session: Session, wanted: Filter, status: Status | None, named: Chosen) -> list[Article]:
    """Working articles that a request names, in its order, as far as the filter leaves them."""
    slugs = select(ArticleSlug.slug, ArticleSlug.article_id).where(col(ArticleSlug.slug).in_(named.slugs))
    ids = named.places(dict(session.exec(slugs).all()) if named.slugs else {})
    rows = select(Article).where(col(Article.id).in_(ids), *_conditions(session, wanted, status))
    found = {article.id: article for article in session.exec(rows)}
    return [found[id_] for id_ in ids if id_ in found]


def count(session: Session, wanted: Filter, status: Status | None) -> int:
    """Count the working articles."""
    return session.exec(
        select(func.count()).select_from(Article).where(*_conditions(session, wanted, status))
    ).one()


def key_of(
    session: Session, article: Article, sort: Sort, q: str | None
) -> tuple[datetime | UUID | int, ...]:
    """The key of an article in a list's order."""
    if sort == "-updated_at":
        return (article.updated_at, article.id)
    if sort == "relevance" and q:
        return (int(is_in_headline(parse(q), article.headline)), article.listed_at, article.id)
    return (article.listed_at, article.id)


def _order(session: Session, sort: Sort, q: str | None) -> tuple[pages.Order, bool]:
    newest = [col(Article.listed_at), col(Article.id)]
    query = parse(q or "")
    if sort == "-updated_at":
        return [col(Article.updated_at), col(Article.id)], True
    if sort == "relevance" and query:
        hits = TEXT.matching(session, query, headline=True).cte("headline_hits")
        tier = case((col(Article.text_key).in_(select(hits.c.key)), 1), else_=0)
        return [tier, *newest], True
    return newest, sort != "published_at"


def _conditions(session: Session, wanted: Filter, status: Status | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [col(Article.deleted_at).is_(None)]
    asked = [
        pages.one_of(column, values)
        for column, values in ((col(Article.section), wanted.section), (col(Article.source), wanted.source))
        if values
    ]
    if wanted.language:
        asked.append(pages.in_ranges(col(Article.language), wanted.language))
    if status is not None:
        asked.append(col(Article.status) == status)
    found += [pages.common(session, each) for each in asked]
    found += [
        _has_term(name, values) for name, values in (("tag", wanted.tag), ("author", wanted.author)) if values
    ]
    if wanted.image_id:
        shown = select(ImageUse.article_id).where(col(ImageUse.image_id).in_(wanted.image_id))
        found.append(col(Article.id).in_(shown))
    # What was published is listed at that time, by which lists have an index.
    if wanted.published_after is not None:
        found += [
            col(Article.published_at) > wanted.published_after,
            col(Article.listed_at) > wanted.published_after,
        ]
    if wanted.published_before is not None:
        found += [
            col(Article.published_at) < wanted.published_before,
            col(Article.listed_at) < wanted.published_before,
        ]
    if wanted.updated_after is not None:
        found.append(pages.rare(session, col(Article.updated_at) > wanted.updated_after))
    if wanted.q is not None:
        query = parse(wanted.q)
        found.append(
            col(Article.text_key).in_(select(TEXT.matching(session, query).cte("hits").c.key))
            if query
            else literal(False)
        )
    return found


def _has_term(name: str, values: Sequence[str]) -> ColumnElement[bool]:
    among = pages.one_of(col(ArticleTerm.value), values)
    ids = select(ArticleTerm.article_id).where(ArticleTerm.field == name, among)
    return col(Article.id).in_(ids)


def known(session: Session, key: str) -> UUID | None:
    """Return the id of a working article, by that id or any of its slugs; None for a slug that no article has
    had.
    """
    if (article_id := id_of(key)) is not None:
        return article_id
    return session.exec(select(ArticleSlug.article_id).where(ArticleSlug.slug == key)).one_or_none()


def find(session: Session, key: str) -> tuple[Article, bool]:
    """A working article by its id or any of its slugs, and whether it has moved from that slug. Raises
    NotFound, Gone.
    """
    by_slug, article_id = id_of(key) is None, known(session, key)
    article = None if article_id is None else session.get(Article, article_id)
    if article is None:
        raise NotFound(f"There is no article {key!r}.")
    if article.deleted_at is not None:
        raise Gone("This article is in the trash; POST …/restore brings it back.", reason="deleted")
    return article, by_slug and key != article.slug
