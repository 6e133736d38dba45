"""Slugs: made from the headline when none is given, unique under concurrency, and never given to another article again."""

import secrets
from collections.abc import Iterator
from uuid import UUID

from slugify import slugify
from sqlmodel import col, select

from service.articles.models import ArticleSlug
from service.database import Session, insert
from service.errors import Conflict
from service.published.answers import id_of

LONGEST = 100


class SlugTaken(Conflict):
    """Another article has, or once had, this slug; `id` says which."""

    title = "Slug taken"


def claim(session: Session, article_id: UUID, wanted: str | None, headline: str) -> str:
    """Claim the slug that was asked for, or one made from the headline. Raises SlugTaken for the former."""
    if wanted is not None:
        holder = _holder(session, wanted, article_id)
        if holder != article_id:
            raise SlugTaken(f"The slug {wanted!r} belongs to another article.", id=str(holder))
        return wanted
    base = slugify(headline, max_length=LONGEST, word_boundary=True) or "article"
    for slug in _candidates(base):
        if _holder(session, slug, article_id) == article_id:
            return slug
    raise AssertionError("unreachable")


def _candidates(base: str) -> Iterator[str]:
    """The slug itself, a few with numbers, then ones that nobody has: looking for the next free number would read them all."""
    if id_of(base) is None:
        yield base
    yield from (f"{base}-{number}" for number in range(2, 6))
    while True:
        yield f"{base}-{secrets.token_hex(3)}"


def _holder(session: Session, slug: str, article_id: UUID) -> UUID:
    """Claim the slug unless it is taken, and say whose it is. On PostgreSQL this waits for a rival's commit."""
    claimed = {"slug": slug, "article_id": article_id}
    claim_it = insert(session, ArticleSlug).values(claimed).on_conflict_do_nothing().returning(col(ArticleSlug.article_id))
    if session.execute(claim_it).one_or_none():
        return article_id
    return session.exec(select(ArticleSlug.article_id).where(ArticleSlug.slug == slug)).one()
