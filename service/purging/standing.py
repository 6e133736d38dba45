"""Count the changes for which the caches in front have not been purged yet."""

from dataclasses import dataclass

from sqlmodel import col, func, select

from service.database import Session
from service.published.models import Published
from service.purging.models import PurgePlace
from service.tables import now

MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Standing:
    """The number up to which answers were dropped, the changes that wait, the age of the oldest in seconds,
    and the failures in a row.
    """

    seq: int
    behind: int
    lag: float
    tries: int


def find(session: Session) -> Standing | None:
    """Return how far behind the caches are; None in a store that purges none."""
    place = session.get(PurgePlace, 1)
    if place is None:
        return None
    after = select(Published.changed_at).where(col(Published.seq) > place.seq).order_by(col(Published.seq))
    oldest = session.exec(after.limit(1)).first()
    return Standing(
        place.seq,
        session.exec(select(func.count()).select_from(after.limit(MOST_COUNTED).subquery())).one(),
        0.0 if oldest is None else max(0.0, (now() - oldest).total_seconds()),
        place.tries,
    )
