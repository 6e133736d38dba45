"""Slugs: made from the headline when none is given, unique under concurrency, and never given to another
article again.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from uuid import UUID

from slugify import slugify
from sqlalchemy import Insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlmodel import col, select
from text_unidecode import unidecode  # type: ignore[import-untyped]  # it has no annotations

from service.articles.models import ArticleSlug
from service.database import Session, insert_new, rows_changed
from service.errors import Conflict
from service.published.answers import id_of

LONGEST = 100
_UNSPELLED = re.compile("['’‘ʼʻ´`＇ー]")
"""Apostrophes, whatever they look like, and the mark of a long vowel in Japanese."""


class SlugTaken(Conflict):
    """Another article has, or once had, this slug; `id` says which."""

    title = "Slug taken"


@dataclass(frozen=True)
class Claim:
    """The slug that an article asks for; without one it is made from the headline."""

    article_id: UUID
    wanted: str | None
    headline: str

    @cached_property
    def base(self) -> str:
        """The slug that it asks for, or the one of its headline, to which numbers may be added."""
        return self.wanted or _base(self.headline)

    @property
    def first(self) -> str | None:
        """Return the slug to try first, or None when only numbered ones are left."""
        return self.base if id_of(self.base) is None else None


def claim_all(session: Session, claims: Sequence[Claim]) -> dict[UUID, str | SlugTaken]:
    """Claim a slug for each article; who asked for one that is another's is refused it."""
    # In order, so that two who claim the same ones do not wait for each other; the first with a slug gets it.
    rows = {claim.first: claim.article_id for claim in reversed(claims) if claim.first is not None}
    claimed: dict[UUID, str | SlugTaken] = {}
    if len(claims) > 1 and rows:
        found = session.connection().execute(
            _claim(session), [{"slug": slug, "article_id": rows[slug]} for slug in sorted(rows)]
        )
        claimed.update((article_id, slug) for article_id, slug in found)
    for claim in claims:
        if claim.article_id not in claimed:
            try:
                claimed[claim.article_id] = claim_one(session, claim)
            except SlugTaken as refusal:
                claimed[claim.article_id] = refusal
    return claimed


def claim_one(session: Session, claim: Claim) -> str:
    """Claim the slug that was asked for, or one made from the headline. Raises SlugTaken for the former."""
    if claim.wanted is not None:
        holder = _holder(session, claim.wanted, claim.article_id)
        if holder != claim.article_id:
            raise SlugTaken(f"The slug {claim.wanted!r} belongs to another article.", id=str(holder))
        return claim.wanted
    for slug in _candidates(claim.base):
        if _holder(session, slug, claim.article_id) == claim.article_id:
            return slug
    raise AssertionError("unreachable")


def _base(headline: str) -> str:
    # Spelled out first, because slugify takes letters and their marks apart: バ would be ha.
    spelled = unidecode(unicodedata.normalize("NFKC", _UNSPELLED.sub("", headline)))
    return slugify(spelled, max_length=LONGEST, word_boundary=True, save_order=True) or "article"


def _candidates(base: str) -> Iterator[str]:
    """Yield the slug, then a few with numbers, then random ones, because a search for the next free number
    would read them all.
    """
    if id_of(base) is None:
        yield base
    yield from (f"{base}-{number}" for number in range(2, 6))
    while True:
        yield f"{base}-{secrets.token_hex(3)}"


def _holder(session: Session, slug: str, article_id: UUID) -> UUID:
    """Claim the slug unless it is taken, and say whose it is. On PostgreSQL this waits for a
    rival's commit.
    """
    claim = [{"slug": slug, "article_id": article_id}]
    if rows_changed(session.write(insert_new(session, ArticleSlug), claim)):
        return article_id
    return session.exec(select(ArticleSlug.article_id).where(ArticleSlug.slug == slug)).one()


def _claim(session: Session) -> ReturningInsert[UUID, str]:
    return _returning(insert_new(session, ArticleSlug))


@cache
def _returning(insert: Insert) -> ReturningInsert[UUID, str]:
    return insert.returning(col(ArticleSlug.article_id), col(ArticleSlug.slug))
