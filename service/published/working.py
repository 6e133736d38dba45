"""Every change of working content takes a number too, of the same counter, so that staff can follow drafts as
readers follow what is public.

A row per resource holds the number of its last change and nothing else: what it looks like is read from the
working tables when somebody follows.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, String, Uuid, column, table
from sqlmodel import col, select
from sqlmodel.sql.sqltypes import UTCDateTime

from service.database import Session, upsert
from service.published.models import Kind, Reason, WorkingChange, all_but
from service.tables import now

Key = tuple[Kind, UUID]
# The images room stands above this one. Of its tables, only these columns are known here: which article shows
# which image, and since when and why an image is not shown.
_USES = table("image_use", column("image_id", Uuid()), column("article_id", Uuid()))
_IMAGES = table(
    "image",
    column("id", Uuid()),
    column("withdrawn_for", String()),
    column("usable_until", UTCDateTime()),
    column("expired_at", UTCDateTime()),
    column("opens_at", UTCDateTime()),
    column("is_off_web", Boolean()),
)
_FOLLOWED = frozenset({Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION})


def note(session: Session, kind: Kind, *ids: UUID) -> None:
    """Say that this transaction changes these working resources."""
    if kind in _FOLLOWED:
        session.gathered.noted.update(((kind, id_), None) for id_ in ids)
        session.gathered.pictures_written += kind is not Kind.ARTICLE and bool(ids)


def forget(session: Session, kind: Kind, *ids: UUID) -> None:
    """Say that this transaction does not make these working resources after all."""
    for id_ in ids:
        session.gathered.noted.pop((kind, id_), None)


def has_pictures(session: Session) -> bool:
    """Return whether this transaction changes pictures or captions."""
    return any(kind != Kind.ARTICLE for kind, _ in session.gathered.noted)


def taken(session: Session) -> list[Key]:
    """Return the working resources that this transaction has changed, and gather anew."""
    noted, session.gathered.noted = session.gathered.noted, {}
    return [(Kind(kind), id_) for kind, id_ in noted]


def shown_anywhere(session: Session, images: Collection[UUID]) -> list[UUID]:
    """Return those of the images that some working article shows."""
    if not images:
        return []
    return list(session.exec(select(_USES.c.image_id).where(_USES.c.image_id.in_(images)).distinct()))


def gone(session: Session, image: UUID) -> tuple[str, datetime | None] | None:
    """Return why an image is not shown, empty for no reason, and from when on if it is shown until then; None
    for one that is shown without an end.
    """
    row = session.execute(select(*_IMAGES.c).where(_IMAGES.c.id == image)).one_or_none()
    if row is None:
        return None
    if row.withdrawn_for is not None:
        return row.withdrawn_for, None
    if row.expired_at is not None or row.is_off_web:
        return str(Reason.EXPIRED), None
    if row.opens_at is not None:
        return "", None
    return None if row.usable_until is None else (str(Reason.EXPIRED), row.usable_until)


def has_unmarked_end(session: Session, at: datetime) -> bool:
    """Return whether the licence of an image ended before a time, and the image does not say so yet."""
    ended = _IMAGES.c.usable_until <= at, _IMAGES.c.expired_at.is_(None)
    return session.execute(select(_IMAGES.c.id).where(*ended).limit(1)).first() is not None


def showing(session: Session, image: UUID, below: UUID, limit: int) -> list[UUID]:
    """Return some working articles that show an image, in descending order of their ids: the newest first."""
    found = select(_USES.c.article_id).where(_USES.c.image_id == image, _USES.c.article_id < below)
    return list(session.exec(found.order_by(_USES.c.article_id.desc()).limit(limit)))


def write(session: Session, noted: Sequence[Key], seq: int) -> None:
    """Give the changed working resources the numbers after `seq`: captions and images before articles."""
    session.gathered.noted.clear()  # Rendering touches resources too, which changes no working content.
    noted = sorted(noted, key=lambda key: (key[0] is Kind.ARTICLE, key[0], key[1]))
    if not noted:
        return
    at = now()
    rows = [
        {"kind": kind, "id": id_, "seq": number, "changed_at": at}
        for number, (kind, id_) in enumerate(noted, seq + 1)
    ]
    session.write(upsert(session, WorkingChange), rows)


def since(session: Session, seq: int, kinds: Sequence[Kind], limit: int) -> Sequence[WorkingChange]:
    """Return the changes after a number, oldest first."""
    rows = select(WorkingChange).where(
        col(WorkingChange.seq) > seq, col(WorkingChange.kind).not_in(all_but(kinds))
    )
    return session.exec(rows.order_by(col(WorkingChange.seq)).limit(limit)).all()
