"""Know which store this one mirrors, and how far it has followed it: one row, which is written in the
transaction of the rows that it tells of.
"""

from sqlalchemy import BigInteger, update
from sqlmodel import Field, col, select

from service.database import Database, Session, rows_changed
from service.errors import Conflict
from service.published.models import Published
from service.published.restoring import is_unused
from service.tables import Table, Time, now


class MirrorPlace(Table, table=True):
    """One row, in a mirror: the origin, the cursor in its feed, and by how many numbers the mirror was behind
    when the origin was heard last. `mended` counts rows that were wrong.
    """

    __tablename__ = "mirror_place"

    id: int = Field(default=1, primary_key=True)
    origin: str
    cursor: str | None = None
    behind: int | None = Field(default=None, sa_type=BigInteger)
    filled_at: Time | None = None
    """The time at which the mirror had everything for the first time."""
    heard_at: Time | None = None
    checked_at: Time | None = None
    mended: int = Field(default=0, sa_type=BigInteger)


class IsMirror(Conflict):
    """The store is a mirror of another: it takes no writes and no numbers of its own."""

    title = "The store is a mirror"


class NotAMirror(Conflict):
    """The store has content of its own, or mirrors another origin: only an empty store becomes a mirror."""

    title = "The store is not empty"


def read(database: Database) -> MirrorPlace | None:
    """Return the place; None in a store that is no mirror."""
    with database.reading() as session:
        return session.exec(select(MirrorPlace)).one_or_none()


def refuse_mirror(database: Database) -> None:
    """Refuse a store that is a mirror. Raises IsMirror."""
    if (place := read(database)) is not None:
        raise IsMirror(
            f"This store is a mirror of {place.origin}: run `copydesk follow {place.origin} --serve`."
        )


def begin(database: Database, origin: str) -> None:
    """Make an empty store a mirror of an origin, unless it is one already. Raises NotAMirror."""
    with database.writing() as session:
        place = session.exec(select(MirrorPlace)).one_or_none()
        if place is not None and place.origin != origin:
            raise NotAMirror(f"This store is a mirror of {place.origin}, and of no other.")
        if place is None:
            if not is_unused(session) or session.exec(select(Published.seq).limit(1)).first() is not None:
                raise NotAMirror(
                    "Only an empty store becomes a mirror, and this one has published something."
                )
            session.add(MirrorPlace(origin=origin))


def move(session: Session, before: str | None, cursor: str | None, behind: int | None) -> bool:
    """Move on in the feed, unless another process has; return whether it was this one."""
    at = col(MirrorPlace.cursor).is_(None) if before is None else col(MirrorPlace.cursor) == before
    moved = update(MirrorPlace).where(at).values(cursor=cursor, behind=behind, heard_at=now())
    return bool(rows_changed(session.execute(moved)))


def note_filled(session: Session) -> None:
    """Note that the mirror has everything."""
    first = update(MirrorPlace).where(col(MirrorPlace.filled_at).is_(None))
    session.execute(first.values(filled_at=now()))


def note_mended(session: Session, rows: int) -> None:
    """Count rows that were wrong: processes that keep answers drop them then."""
    session.execute(update(MirrorPlace).values(mended=MirrorPlace.mended + rows))


def note_checked(session: Session) -> None:
    """Note that the mirror was compared with the origin, to the end."""
    session.execute(update(MirrorPlace).values(checked_at=now()))
