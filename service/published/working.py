"""Every change of working content takes a number too, of the same counter, so that staff can follow drafts as
readers follow what is public.

A row per resource holds the number of its last change and nothing else: what it looks like is read from the
working tables when somebody follows.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, column, table
from sqlmodel import col, select

from service.database import Session, upsert
from service.published.models import Kind, WorkingChange, all_but
from service.tables import now

Key = tuple[Kind, UUID]
# The images room stands above this one: of its table no more is known here than which article shows which
# image.
_USES = table("image_use", column("image_id", Uuid()), column("article_id", Uuid()))
_FOLLOWED = frozenset({Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION})


def note(session: Session, kind: Kind, *ids: UUID) -> None:
    """Say that these working resources are changed by this transaction."""
    if kind in _FOLLOWED:
        noted: dict[Key, None] = session.info.setdefault("noted", {})
        noted.update(((kind, id_), None) for id_ in ids)


def is_noted(session: Session) -> bool:
    """Whether this transaction has changed any."""
    return bool(session.info.get("noted"))


def forget(session: Session) -> None:
    """Begin anew."""
    session.info.pop("noted", None)


def taken(session: Session) -> list[Key]:
    """What is to be numbered, with the articles that show a changed image. Asked under the counter's lock: an
    article that is given the image at this moment is either seen here, or numbered after this.
    """
    noted: dict[Key, None] = session.info.pop("noted", {})
    images = [id_ for kind, id_ in noted if kind is Kind.IMAGE]
    if images:
        showing = select(_USES.c.article_id).where(_USES.c.image_id.in_(images)).distinct()
        noted.update(((Kind.ARTICLE, id_), None) for id_ in session.exec(showing))
    return sorted(noted, key=lambda key: (key[0] is Kind.ARTICLE, key[0]))


def write(session: Session, noted: Sequence[Key], seq: int) -> None:
    """Give them the numbers after `seq`."""
    forget(session)  # What rendering has touched is no change of the working content.
    if not noted:
        return
    at = now()
    rows = [
        {"kind": kind, "id": id_, "seq": number, "changed_at": at}
        for number, (kind, id_) in enumerate(noted, seq + 1)
    ]
    session.execute(upsert(session, WorkingChange), rows)


def since(session: Session, seq: int, kinds: Sequence[Kind], limit: int) -> Sequence[WorkingChange]:
    """What has changed after a number, oldest first."""
    rows = select(WorkingChange).where(
        col(WorkingChange.seq) > seq, col(WorkingChange.kind).not_in(all_but(kinds))
    )
    return session.exec(rows.order_by(col(WorkingChange.seq)).limit(limit)).all()
