"""Find which working article shows which image. The room of articles answers, before an image goes into the
trash.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as core
from sqlalchemy import bindparam, delete, update
from sqlmodel import col, select

from service.database import Session, insert, insert_new
from service.images import resolve
from service.images.models import Image, ImagePastUse, ImageUse
from service.published import working

_LIVE = (
    select(Image.id)
    .where(col(Image.id).in_(bindparam("ids", expanding=True)), col(Image.deleted_at).is_(None))
    .order_by(col(Image.id))
)
_LIVE_HELD = _LIVE.with_for_update(read=True)
_OF = core.select(col(ImageUse.article_id), col(ImageUse.image_id)).where(
    col(ImageUse.article_id).in_(bindparam("ids", expanding=True))
)
_RENAME = (
    update(ImageUse)
    .where(col(ImageUse.article_id) == bindparam("of"))
    .values(slug=bindparam("slug"), headline=bindparam("headline"), status=bindparam("status"))
)


@dataclass(frozen=True, slots=True)
class Use:
    """An article that shows images, and what names it to an editor."""

    article_id: UUID
    slug: str
    headline: str
    status: str
    image_ids: frozenset[UUID]


def rename(session: Session, uses: Collection[Use]) -> None:
    """Say what articles that show the same images as before are called from now on."""
    rows = [
        {"of": use.article_id, "slug": use.slug, "headline": use.headline, "status": use.status}
        for use in uses
        if use.image_ids
    ]
    if rows:
        session.connection().execute(_RENAME, rows)


def replace(session: Session, uses: Collection[Use], *, are_new: bool = False) -> None:
    """Say which images articles show from now on, each all of them. New articles have shown none so far."""
    wanted = frozenset[UUID]().union(*(use.image_ids for use in uses))
    found = _live(session, wanted) if wanted else ()
    if not are_new:
        uses = _rename_same(session, uses, found)
        _forget(session, [use.article_id for use in uses])
    rows = [
        {
            "image_id": id_,
            "article_id": use.article_id,
            "slug": use.slug,
            "headline": use.headline,
            "status": use.status,
        }
        for use in uses
        for id_ in found
        if id_ in use.image_ids
    ]
    if rows:
        session.write(insert(session, ImageUse), rows)


def _rename_same(session: Session, uses: Collection[Use], live: Collection[UUID]) -> list[Use]:
    """Rename the articles that show the same images as before, as most edits of a body leave them; return the
    others.
    """
    shown: dict[UUID, set[UUID]] = {}
    for article_id, image_id in session.connection().execute(_OF, {"ids": [use.article_id for use in uses]}):
        shown.setdefault(article_id, set()).add(image_id)
    same = {
        use.article_id for use in uses if use.image_ids.intersection(live) == shown.get(use.article_id, set())
    }
    rename(session, [use for use in uses if use.article_id in same])
    return [use for use in uses if use.article_id not in same]


def _live(session: Session, wanted: frozenset[UUID]) -> Sequence[UUID]:
    """Return those of the images that are not in the trash, held there until this transaction ends."""
    if not session.database.is_sqlite:
        # The shared lock makes a DELETE of the image at the same time wait, and then see this use. In order
        # of their ids, because two articles that show the same images must not wait for each other.
        return session.exec(_LIVE_HELD, params={"ids": list(wanted)}).all()
    if working.has_pictures(session):
        return session.exec(_LIVE, params={"ids": list(wanted)}).all()
    # Nobody else writes meanwhile, and most often the transaction has loaded them.
    return sorted(resolve.load(session, wanted).images.keys() & wanted)


def _forget(session: Session, articles: Collection[UUID]) -> None:
    """Let these articles show no image, and keep that they have: a recall asks for it years later."""
    if not articles:
        return
    shown = select(ImageUse.image_id, ImageUse.article_id).where(col(ImageUse.article_id).in_(articles))
    session.write(insert_new(session, ImagePastUse).from_select(["image_id", "article_id"], shown))
    session.write(delete(ImageUse).where(col(ImageUse.article_id).in_(articles)))


def of(session: Session, image_id: UUID) -> list[ImageUse]:
    """Return the working articles that show an image, drafts included."""
    uses = select(ImageUse).where(ImageUse.image_id == image_id).order_by(col(ImageUse.article_id))
    return list(session.exec(uses.execution_options(populate_existing=True)).all())
