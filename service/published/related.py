"""Find the articles that go with one: those that share a tag with it, then those of its section."""

from dataclasses import replace
from uuid import UUID

from sqlmodel import col, select

from service.database import Session
from service.errors import NotFound
from service.published import filters, walks
from service.published.answers import id_of
from service.published.filters import Filter
from service.published.models import Kind, NameField, Published, PublishedSlug, PublishedTerm

MOST_TAGS = 20
"""Tags of an article that are looked at: each is one walk along an index."""


def related(session: Session, key: str, wanted: Filter, limit: int) -> list[UUID]:
    """Return articles that share a tag, the newest first, then others of the same section, the newest first.
    The filter narrows both. Raises NotFound for an article that is not published.
    """
    id_ = id_of(key)
    if id_ is None:
        id_ = session.exec(select(PublishedSlug.article_id).where(PublishedSlug.slug == key)).one_or_none()
    row = session.exec(
        select(Published.id, Published.section).where(Published.id == id_, *filters.live(Kind.ARTICLE))
    ).one_or_none()
    if row is None:
        raise NotFound(f"related_to: there is no published article {key!r}.")
    own, section = row
    tags = session.exec(
        select(PublishedTerm.value)
        # By the bare columns, SQLite would read all tags of all articles, because they lie in this order.
        .where(PublishedTerm.id == own, filters.unindexed(col(PublishedTerm.field)) == NameField.TAG.value)
        .order_by(filters.unindexed(col(PublishedTerm.value)))
        .limit(MOST_TAGS)
    ).all()
    wanted = filters.exact(session, Kind.ARTICLE, wanted)
    found: list[UUID] = []
    if tags:
        found += _newest(session, replace(wanted, tag=tuple(tags)), limit)
    if section is not None and wanted.section in ((), (section,)):
        found += _newest(session, replace(wanted, section=(section,)), limit + len(found))
    return [each for each in dict.fromkeys(found) if each != own][:limit]


def _newest(session: Session, wanted: Filter, limit: int) -> list[UUID]:
    return list(session.execute(walks.newest_ids(session, Kind.ARTICLE, wanted, limit)).scalars())
