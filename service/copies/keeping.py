"""Write which copies were sent and which have arrived. When two processes know of one copy, the first time
and the farthest place hold.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlmodel import col, func, select

from service.copies.models import ArticleCopy, CopyHolder, ImageCopy
from service.database import Session, insert
from service.published.models import Kind

Key = tuple[Kind, UUID, UUID, int, bool]
_TABLES: dict[Kind, type[ArticleCopy] | type[ImageCopy]] = {Kind.ARTICLE: ArticleCopy, Kind.IMAGE: ImageCopy}
KEPT = frozenset(_TABLES)
"""The kinds of resources whose copies are recorded."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder of copies, the place up to which copies are known to have arrived, and since when."""

    id: UUID
    token_id: UUID | None
    address: str
    acked_seq: int
    acked_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A version of an article or of an image, or its removal, that was sent to a holder."""

    kind: Kind
    id: UUID
    holder_id: UUID
    version: int
    gone: bool
    seq: int
    sent_at: datetime

    @property
    def key(self) -> Key:
        """Return the key that tells holders apart. Holders are written in its order, so that no two processes
        wait for each other.
        """
        return self.kind, self.id, self.holder_id, self.version, self.gone

    def received_at(self, holder: Holder) -> datetime | None:
        """Return when the holder came back after this was sent and from a place behind it, or None."""
        return holder.acked_at if self.seq <= holder.acked_seq and self.sent_at <= holder.acked_at else None


@dataclass(slots=True)
class End:
    """The end of a contract at one holder: when it was first refused, and when it last began again."""

    told_at: datetime | None = None
    back_at: datetime | None = None


def keep_ends(session: Session, ends: Mapping[UUID, End]) -> None:
    """Write when holders were refused because their contracts have ended, and when they began again."""
    table = CopyHolder.metadata.tables[str(CopyHolder.__tablename__)]
    connection = session.connection()
    told = update(table).where(table.c.id == bindparam("holder"), table.c.end_told_at.is_(None))
    rows = [{"holder": id_, "end_told_at": end.told_at} for id_, end in sorted(ends.items()) if end.told_at]
    if rows:
        connection.execute(told.values(end_told_at=bindparam("end_told_at")), rows)
    back = update(table).where(table.c.id == bindparam("holder"), table.c.dropped_at.is_(None))
    back = back.where(table.c.end_told_at <= bindparam("dropped_at"))
    rows = [{"holder": id_, "dropped_at": end.back_at} for id_, end in sorted(ends.items()) if end.back_at]
    if rows:
        connection.execute(back.values(dropped_at=bindparam("dropped_at")), rows)


def keep(session: Session, holders: Collection[Holder], sent: Collection[Sent]) -> None:
    """Write the copies that were sent, and mark as received every copy that these holders have got by now."""
    known = _keep_holders(session, holders)
    for kind, table in _TABLES.items():
        of_kind = [each for each in sent if each.kind is kind]
        _keep_copies(session, table, [(each, each.received_at(known[each.holder_id])) for each in of_kind])
        _settle(session, table, known.values())


def _keep_holders(session: Session, holders: Collection[Holder]) -> dict[UUID, Holder]:
    """Write how far holders have come, unless something later is known; how far each has. Their rows stay
    locked until the commit: what another process writes of them meanwhile, it writes with this in sight.
    """
    upsert = insert(session, CopyHolder)
    fresh = {name: upsert.excluded[name] for name in ("address", "acked_seq", "acked_at")}
    rows = [
        {name: getattr(each, name) for name in Holder.__slots__}
        for each in sorted(holders, key=lambda each: each.id)
    ]
    later = upsert.excluded.acked_at > col(CopyHolder.acked_at)
    session.execute(upsert.on_conflict_do_update(index_elements=["id"], set_=fresh, where=later), rows)
    found = session.exec(select(CopyHolder).where(col(CopyHolder.id).in_([each.id for each in holders])))
    return {row.id: Holder(row.id, row.token_id, row.address, row.acked_seq, row.acked_at) for row in found}


def _keep_copies(
    session: Session,
    table: type[ArticleCopy] | type[ImageCopy],
    copies: Sequence[tuple[Sent, datetime | None]],
) -> None:
    if not copies:
        return
    upsert = insert(session, table)
    received = func.coalesce(col(table.received_at), upsert.excluded.received_at)
    named = "article_id" if table is ArticleCopy else "image_id"
    rows = [
        {name: getattr(sent, name) for name in ("holder_id", "version", "gone", "seq", "sent_at")}
        | {named: sent.id, "received_at": at}
        for sent, at in sorted(copies, key=lambda copy: copy[0].key)
    ]
    keys = [named, "holder_id", "version", "gone"]
    session.execute(upsert.on_conflict_do_update(index_elements=keys, set_={"received_at": received}), rows)


def _settle(session: Session, copies: type[ArticleCopy] | type[ImageCopy], holders: Iterable[Holder]) -> None:
    table = copies.metadata.tables[str(copies.__tablename__)]
    settled = (
        update(table)
        .where(table.c.holder_id == bindparam("holder"), table.c.received_at.is_(None))
        .where(table.c.seq <= bindparam("acked_seq"), table.c.sent_at <= bindparam("acked_at"))
        .values(received_at=bindparam("acked_at"))
    )
    rows = [{"holder": each.id, "acked_seq": each.acked_seq, "acked_at": each.acked_at} for each in holders]
    session.connection().execute(settled, rows)
