"""The staff's feed: every change of working content, drafts included, each with the resource as it is now.

A filter turns each resource outside of it into a removal, even one that was never inside. A removal of
something that the follower does not have does no harm, and so the working tables need no record of former
sections.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlmodel import col, func, select

from service.articles import read
from service.articles.models import Article
from service.database import Database, Session
from service.images.models import Caption, Image
from service.images.read import read_all, read_caption
from service.published import feed, keys, moves, working
from service.published.feed import LEFT_SCOPE, Batch, ChangeEntry, FollowerPlace, Wanted
from service.published.models import Epoch, Kind, PublishedSequence, Reason, WorkingChange

Standing = tuple[int, bytes | None, str | None, str | None]
"""Of a working resource: its version, its document unless it is deleted, its section and its language."""
_EPOCH = select(Epoch.mark).where(Epoch.number == select(func.max(Epoch.number)).scalar_subquery())
_NEVER: Standing = (0, None, None, None)


def batch(database: Database, wanted: Wanted, place: FollowerPlace, limit: int) -> Batch:
    """Return the next entries after a place."""
    with database.reading() as session:
        last = session.exec(select(PublishedSequence.seq)).one()
        changes = working.since(session, place.seq, wanted.kinds, limit + 1)
        more, changes = len(changes) > limit, changes[:limit]
        standing = _standing(session, changes)
        entries = [
            _entry(change, standing.get((change.kind, change.id), _NEVER), wanted) for change in changes
        ]
        # After the changes: an epoch that has begun meanwhile knows them, and one before may not.
        epoch = bytes.fromhex(session.exec(_EPOCH).one())
    if more:
        return Batch(entries, replace(place, seq=changes[-1].seq, epoch=epoch), caught_up=False)
    # Changes that were committed after the number was read have come along already.
    reached = max([last, *(change.seq for change in changes)])
    return Batch(entries, FollowerPlace(reached, reached, epoch), caught_up=True)


def _entry(change: WorkingChange, standing: Standing, wanted: Wanted) -> ChangeEntry:
    version, document, section, language = standing
    reason = str(Reason.DELETED) if document is None else None
    if reason is None and not wanted.holds(section, language):
        reason = LEFT_SCOPE
    body = feed.entry(
        change.seq,
        change.kind,
        change.id,
        version,
        change.changed_at,
        document or b"",
        reason=reason,
        detail=None,
        concerned=keys.of_change(change.kind, change.id, moves.lists_of(section, language, ())),
    )
    return ChangeEntry(change.seq, change.kind, change.id, version, reason is not None, body)


def _standing(session: Session, changes: Sequence[WorkingChange]) -> dict[tuple[Kind, UUID], Standing]:
    ids: dict[Kind, list[UUID]] = {
        kind: [change.id for change in changes if change.kind is kind] for kind in feed.KINDS
    }
    found: dict[tuple[Kind, UUID], Standing] = {}
    articles = session.exec(select(Article).where(col(Article.id).in_(ids[Kind.ARTICLE]))).all()
    for article, shape in zip(articles, read.read(session, articles), strict=True):
        document = None if article.deleted_at is not None else shape.model_dump_json().encode()
        found[Kind.ARTICLE, article.id] = (article.version, document, article.section, article.language)
    images = session.exec(select(Image).where(col(Image.id).in_(ids[Kind.IMAGE]))).all()
    for image, picture in zip(images, read_all(session, images), strict=True):
        document = None if image.deleted_at is not None else picture.model_dump_json().encode()
        found[Kind.IMAGE, image.id] = (image.version, document, None, None)
    captions = select(Caption, Image.deleted_at).join(Image).where(col(Caption.id).in_(ids[Kind.CAPTION]))
    for caption, image_deleted_at in session.exec(captions):
        gone = caption.deleted_at is not None or image_deleted_at is not None
        document = None if gone else read_caption(caption).model_dump_json().encode()
        found[Kind.CAPTION, caption.id] = (caption.version, document, None, caption.language)
    return found
