"""Read and move the place up to which the caches are purged. A lease lets one process at a time do it."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, update
from sqlmodel import col

from service.database import Database, Session, insert_new, rows_changed
from service.published.feed import Head
from service.purging.calls import PurgeRefused
from service.purging.models import PurgePlace
from service.tables import now

LEASE = timedelta(seconds=3)
"""For how long a process that has died keeps others from purging. One that lives prolongs it in a third of
that time.
"""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=60)
LONGEST_ASKED = timedelta(minutes=10)
MOST_SAID = 500


@dataclass(frozen=True, slots=True)
class Where:
    """The place of the caches: the last number, the last for the second time, and whether everything is still
    to be dropped for the second time; `epoch` is the mark of the epoch in which the numbers were given.
    """

    seq: int
    settled_seq: int
    is_all_again: bool
    epoch: str


def read(database: Database) -> PurgePlace | None:
    """Return the place; None in a store that has never been purged for."""
    with database.reading() as session:
        return session.get(PurgePlace, 1)


def begin(database: Database, head: Head) -> None:
    """Begin at the store's last number, with everything to be dropped, unless there is a place."""
    row = {
        "id": 1,
        "seq": head.seq,
        "settled_seq": head.seq,
        "epoch": head.epoch.hex(),
        "is_all_due": True,
        "is_all_again": False,
        "tries": 0,
    }
    with database.writing() as session:
        session.execute(insert_new(session, PurgePlace), [row])


def drop_everything(session: Session) -> bool:
    """Have everything dropped; return whether there is a purger that will."""
    return bool(rows_changed(session.execute(update(PurgePlace).values(is_all_due=True, retry_at=None))))


def hold(database: Database, lease: UUID) -> PurgePlace | None:
    """Take the lease, or prolong it; return the place, or None while another process has it."""
    at = now()
    with database.writing() as session:
        free = or_(
            col(PurgePlace.lease) == lease,
            col(PurgePlace.leased_until).is_(None),
            col(PurgePlace.leased_until) < at,
        )
        taken = update(PurgePlace).where(free).values(lease=lease, leased_until=at + LEASE)
        if not rows_changed(session.execute(taken)):
            return None
        return session.get(PurgePlace, 1, populate_existing=True)


def record(database: Database, lease: UUID, place: PurgePlace, where: Where) -> None:
    """Write how far the caches are, and give the lease back, unless another process has taken it over."""
    written = update(PurgePlace).where(col(PurgePlace.lease) == lease)
    written = written.values(
        **asdict(where),
        tries=0,
        retry_at=None,
        fault=None,
        purged_at=now(),
        lease=None,
        leased_until=None,
        # Somebody may have asked for everything meanwhile.
        is_all_due=PurgePlace.is_all_due if not place.is_all_due else False,
    )
    with database.writing() as session:
        session.execute(written)


def give_back(database: Database, lease: UUID) -> None:
    """Give the lease back, unless another process has taken it over."""
    given = update(PurgePlace).where(col(PurgePlace.lease) == lease).values(lease=None, leased_until=None)
    with database.writing() as session:
        session.execute(given)


def put_off(database: Database, lease: UUID, fault: Exception) -> None:
    """Note a failure, and leave the caches alone for a while: twice as long each time, or as long as they
    ask.
    """
    asked = timedelta(seconds=fault.seconds if isinstance(fault, PurgeRefused) else 0)
    with database.writing() as session:
        place = session.get(PurgePlace, 1)
        if place is None or place.lease != lease:
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(place.tries, 10))
        place.retry_at = now() + max(pause, min(asked, LONGEST_ASKED))
        place.tries, place.fault = place.tries + 1, str(fault)[:MOST_SAID]
        place.lease = place.leased_until = None
