"""Read articles: the working article for editors, the rendered document for readers."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import bindparam
from sqlmodel import col, select

from service.ages import earliest
from service.articles import desk
from service.articles.body import Block, ImageBlock, ResolvedBlock, ResolvedImage
from service.articles.cards import card_of
from service.articles.models import Article, ArticleRead, ArticleSlug, ArticleVersion, LeadImage, Status
from service.database import Session
from service.http import acknowledging
from service.http.acknowledging import Acknowledgement
from service.http.callers import Caller
from service.images import resolve
from service.images.resolve import Pictures
from service.published.models import Reason
from service.published.outcomes import Outcome, Removed, Rendered
from service.published.terms import SHOWS

_PLAIN = set(ArticleRead.model_fields) - {"body", "authors", "corrections"}
_FRESH = (
    select(Article)
    .where(col(Article.id).in_(bindparam("ids", expanding=True)))
    .execution_options(populate_existing=True)
)
_OTHER_SLUGS = select(ArticleSlug.article_id).where(
    col(ArticleSlug.article_id).in_(bindparam("ids", expanding=True)),
    col(ArticleSlug.slug).not_in(bindparam("slugs", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class _Answered:
    """An article as a transaction has answered with it: its version, the pictures that were looked up for it,
    its shape, and that as JSON.
    """

    version: int
    pictures: Pictures
    shape: ArticleRead
    document: bytes


@dataclass(frozen=True, slots=True)
class _Answers:
    """The articles of the answers of one transaction: their public documents are most often the same."""

    articles: dict[UUID, _Answered] = field(default_factory=dict)


def read(session: Session, articles: Collection[Article]) -> list[ArticleRead]:
    """Return articles with their pictures and captions, in two queries for any number of them."""
    pictures = load_pictures(session, articles)
    return [_read(article, pictures) for article in articles]


def load_pictures(session: Session, articles: Collection[Article]) -> Pictures:
    """Load the pictures that articles show."""
    return resolve.load(session, {image for article in articles for image in desk.images_in(article)})


def read_one(session: Session, article: Article, pictures: Pictures | None = None) -> ArticleRead:
    """Return one article with its pictures and captions, which are looked up unless they are given."""
    return _read(article, load_pictures(session, [article]) if pictures is None else pictures)


def answer(
    request: Request,
    caller: Caller,
    session: Session,
    article: Article,
    pictures: Pictures | None = None,
    *,
    status: int = 200,
) -> Response:
    """Answer a write with the article as it stands, as far as the caller may read it."""
    headers = {"Location": f"/v1/articles/{article.id}"} if status == 201 else {}
    brief = Acknowledgement(id=article.id, version=article.version, status=article.status)

    def whole() -> bytes:
        shown = load_pictures(session, [article]) if pictures is None else pictures
        shape, document = _shaped(session, article, shown)
        _answers(session)[article.id] = _Answered(article.version, shown, shape, document)
        return document

    return acknowledging.answer(request, caller, brief, whole, status=status, headers=headers)


def _shaped(session: Session, article: Article, pictures: Pictures) -> tuple[ArticleRead, bytes]:
    """Return an article as it is read, and that as JSON, which the transaction may have answered with."""
    known = _answers(session).get(article.id)
    if known is not None and known.version == article.version and known.pictures is pictures:
        return known.shape, known.document
    shape = _read(article, pictures)
    return shape, shape.model_dump_json().encode()


def _answers(session: Session) -> dict[UUID, _Answered]:
    known = session.kept.setdefault(_Answers, _Answers())
    assert isinstance(known, _Answers)
    return known.articles


def _read(article: Article, pictures: Pictures) -> ArticleRead:
    known = article.model_dump(include=_PLAIN)
    return ArticleRead(
        **known,
        authors=article.authors,
        corrections=article.corrections,
        lead_image=_lead(article, pictures),
        body=[_resolved(block, article, pictures) for block in article.body],
    )


def _resolved(block: Block, article: Article, pictures: Pictures) -> ResolvedBlock:
    if not isinstance(block, ImageBlock):
        return block
    caption = pictures.caption(
        block.image_id, article_id=article.id, language=article.language, caption_id=block.caption_id
    )
    return ResolvedImage(
        image_id=block.image_id,
        caption_id=block.caption_id,
        image=pictures.image(block.image_id),
        caption=caption,
        withdrawn=pictures.withdrawal(block.image_id),
    )


def _lead(article: Article, pictures: Pictures) -> LeadImage | None:
    image = None if article.lead_image_id is None else pictures.image(article.lead_image_id)
    if image is None:
        return None
    caption = pictures.caption(image.id, article_id=article.id, language=article.language)
    return LeadImage(**dict(image), caption=caption)


def render(session: Session, ids: Collection[UUID]) -> Iterator[Outcome]:
    """Render the public documents of these articles."""
    articles = _articles(session, ids)
    public = [article for article in articles if _is_public(article)]
    slugs, pictures = _slugs(session, public), load_pictures(session, public)
    for article in public:
        yield _rendered(session, article, pictures, frozenset(slugs[article.id]))
    for article in articles:
        if not _is_public(article):
            yield Removed(article.id, article.version, _reason(article), article.withdrawn_for)


def _articles(session: Session, ids: Collection[UUID]) -> list[Article]:
    """Return articles as they are: afresh, but for those that this transaction has locked and written."""
    written = session.gathered.written
    own = [article for id_ in ids if isinstance(article := written.get(id_), Article)]
    others = [id_ for id_ in ids if id_ not in written]
    return [*own, *(session.exec(_FRESH, params={"ids": others}) if others else ())]


def _is_public(article: Article) -> bool:
    return article.status == Status.PUBLISHED and article.deleted_at is None and article.expired_at is None


def _reason(article: Article) -> Reason:
    if article.status == Status.WITHDRAWN:
        return Reason.WITHDRAWN  # A kill stays one, with its reason, when the desk tidies up after it.
    if article.deleted_at is not None:
        return Reason.DELETED
    is_over = article.status == Status.PUBLISHED and article.expired_at is not None
    return Reason.EXPIRED if is_over else Reason.UNPUBLISHED


def _slugs(session: Session, articles: Sequence[Article]) -> dict[UUID, set[str]]:
    """Return the slugs that published articles have, and those that they had while they were published.

    Versions are asked only about articles that have had several slugs: most have one.
    """
    found = {article.id: {article.slug} for article in articles}
    if not found:
        return found
    known = {"ids": list(found), "slugs": [article.slug for article in articles]}
    moved = set(session.connection().execute(_OTHER_SLUGS, known).scalars())
    if moved:
        public = select(ArticleVersion.article_id, ArticleVersion.slug).where(
            col(ArticleVersion.article_id).in_(moved), ArticleVersion.status == Status.PUBLISHED
        )
        for article_id, slug in session.exec(public.distinct()):
            found[article_id].add(slug)
    return found


def _rendered(session: Session, article: Article, pictures: Pictures, slugs: frozenset[str]) -> Rendered:
    assert article.published_at is not None
    public, document = _shaped(session, article, pictures)
    if article.edition_note is not None:
        # It is for the desks that receive the article, never for readers.
        public = public.model_copy(update={"edition_note": None})
        document = public.model_dump_json().encode()
    terms = {("tag", tag) for tag in article.tags} | {("author", author.name) for author in article.authors}
    shown = desk.images_in(article)
    return Rendered(
        id=article.id,
        version=article.version,
        document=document,
        card=card_of(public),
        published_at=article.published_at,
        updated_at=article.updated_at,
        slug=article.slug,
        slugs=slugs,
        section=article.section,
        language=article.language,
        source=article.source,
        terms=frozenset(terms | {(SHOWS, str(image)) for image in shown}),
        captioned=frozenset(image for image in shown if pictures.has_own_caption(image, article.id)),
        words=desk.words_of(article, pictures),
        expires_at=article.usable_until,
        good_until=earliest(*_ends(public)),
    )


def _ends(public: ArticleRead) -> Iterator[datetime | None]:
    """Yield until when the pictures of an article may be shown."""
    yield None if public.lead_image is None else public.lead_image.usable_until
    for block in public.body:
        if isinstance(block, ResolvedImage) and block.image is not None:
            yield block.image.usable_until
