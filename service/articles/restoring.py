"""Restore articles as they were exported: rows, slugs, versions and the desk's indexes. No rule is applied
again.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import col, select

from service.articles import desk
from service.articles.history import VersionWhole
from service.articles.models import (
    Article,
    ArticleContent,
    ArticleSlug,
    ArticleVersion,
    Correction,
    Slug,
    Status,
)
from service.database import Session, add_new, insert
from service.images.models import Image
from service.images.restoring import stand_in
from service.published.restoring import SlugKept
from service.tables import Time

_CONTENT = tuple(ArticleContent.model_fields)


class ArticleKept(ArticleContent):
    """An article as editors read it, without what is resolved from ids, and with the members that they do not
    read.
    """

    id: UUID
    slug: Slug
    status: Status
    scheduled_for: Time | None
    publish_at: Time | None = None
    published_at: Time | None
    first_published_at: Time | None
    created_at: Time
    updated_at: Time
    version: Annotated[int, Field(ge=1)]
    corrections: list[Correction]
    withdrawn_for: str | None = None
    deleted_at: Time | None = None
    expired_at: Time | None = None


class VersionKept(VersionWhole):
    """One version of an article."""

    article_id: UUID


def put_slugs_back(session: Session, slugs: Sequence[SlugKept]) -> None:
    """Claim every slug for the article that had it, past ones too."""
    session.execute(
        insert(session, ArticleSlug), [{"slug": each.slug, "article_id": each.article_id} for each in slugs]
    )


def put_articles_back(session: Session, kept: Sequence[ArticleKept]) -> None:
    """Write articles, and index them for editors."""
    stand_in(session, {each.lead_image_id for each in kept if each.lead_image_id is not None})
    keys = desk.TEXT.place(session, {each.id: each.created_at for each in kept})
    articles = [_article(each, keys[each.id]) for each in kept]
    session.flush()
    add_new(session, articles)
    desk.index_new(session, articles)


def _article(kept: ArticleKept, text_key: int) -> Article:
    return Article(
        **{name: getattr(kept, name) for name in ArticleKept.model_fields},
        text_key=text_key,
        listed_at=kept.published_at or kept.scheduled_for or kept.created_at,
    )


def put_versions_back(session: Session, versions: Sequence[VersionKept]) -> None:
    """Write versions of articles that are there."""
    session.execute(insert(session, ArticleVersion), [dict(version) for version in versions])


def begin_histories(session: Session, kept: Sequence[ArticleKept], actor: str) -> None:
    """Begin the history of articles with their present version, because the export has no earlier ones."""
    rows = [
        {
            "article_id": each.id,
            "version": each.version,
            "at": each.updated_at,
            "actor_id": None,
            "actor": actor,
            "action": "imported",
            "slug": each.slug,
            "status": each.status,
            "content": ArticleContent.model_construct(**{n: getattr(each, n) for n in _CONTENT}),
        }
        for each in kept
    ]
    session.execute(insert(session, ArticleVersion), rows)


def is_unused(session: Session) -> bool:
    """Return whether this store has never had an article or an image."""
    return all(
        session.exec(select(key).limit(1)).first() is None for key in (col(ArticleSlug.slug), col(Image.id))
    )
