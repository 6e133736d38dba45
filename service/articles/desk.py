"""Find working articles, drafts included, by their slugs, and index their terms, full text and uses."""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select

from service.articles.body import Embed, ImageBlock, as_text, images_of
from service.articles.models import Article, ArticleSlug, ArticleTerm, ArticleWrite
from service.database import Session, insert
from service.errors import FieldProblem, Gone, NotFound
from service.images import resolve, uses
from service.images.resolve import Pictures
from service.images.uses import Use
from service.published.answers import id_of
from service.published.words import TextIndex, Words

TEXT = TextIndex("article_text", tick=timedelta(seconds=1), tie_bits=30)
"""Its order is that in which articles were created, which nothing changes."""

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
    """Return the images that an article shows."""
    return [*images_of(article.body), *([article.lead_image_id] if article.lead_image_id else [])]


def index_new(session: Session, articles: Sequence[Article]) -> None:
    """Index new articles by terms, text and uses."""
    _put_terms(session, articles)
    _put_words(session, articles)
    uses.replace(session, [_use(article) for article in articles], are_new=True)


def index(session: Session, edited: Sequence[tuple[Article, frozenset[str]]]) -> None:
    """Bring the terms, text and uses of articles up to date. Beside each article are the names of its members
    that have changed: only indexes that are made of these are written.
    """
    if articles := _with_changed(edited, _IN_TERMS):
        ids = [article.id for article in articles]
        session.write(delete(ArticleTerm).where(col(ArticleTerm.article_id).in_(ids)))
        _put_terms(session, articles)
    if articles := _with_changed(edited, _IN_WORDS):
        TEXT.drop(session, [(article.text_key, article.id) for article in articles])
        _put_words(session, articles)
    if articles := _with_changed(edited, _IN_USES):
        uses.replace(session, [_use(article) for article in articles])
    uses.rename(session, [_use(article) for article, changed in edited if not changed & _IN_USES])


def _with_changed(edited: Sequence[tuple[Article, frozenset[str]]], names: frozenset[str]) -> list[Article]:
    return [article for article, changed in edited if changed & names]


def _put_terms(session: Session, articles: Sequence[Article]) -> None:
    rows = [
        {"field": name, "value": value, "article_id": article.id}
        for article in articles
        for name, value in sorted(_terms(article))
    ]
    if rows:
        session.write(insert(session, ArticleTerm), rows)


def _put_words(session: Session, articles: Sequence[Article]) -> None:
    pictures = resolve.load(session, {image for article in articles for image in images_in(article)})
    TEXT.put(session, ((article.text_key, article.id, words_of(article, pictures)) for article in articles))


def index_words(session: Session, ids: Collection[UUID], *, place: bool = False) -> None:
    """Index the texts of articles again. With `place` they get the keys of their order too, which an older
    version did not give them.
    """
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


def known(session: Session, key: str) -> UUID | None:
    """Return the id of a working article, by that id or any of its slugs; None for a slug that no article has
    had.
    """
    if (article_id := id_of(key)) is not None:
        return article_id
    return session.exec(select(ArticleSlug.article_id).where(ArticleSlug.slug == key)).one_or_none()


def find(session: Session, key: str) -> tuple[Article, bool]:
    """Return a working article by its id or any of its slugs, and whether it has moved from that slug. Raises
    NotFound, Gone.
    """
    by_slug, article_id = id_of(key) is None, known(session, key)
    article = None if article_id is None else session.get(Article, article_id)
    if article is None:
        raise NotFound(f"There is no article {key!r}.")
    if article.deleted_at is not None:
        raise Gone("This article is in the trash; POST …/restore brings it back.", reason="deleted")
    return article, by_slug and key != article.slug
