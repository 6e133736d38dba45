"""The place up to which the caches in front are purged, in one row that all processes share."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger
from sqlmodel import Field

from service.tables import Table, Time


class PurgePlace(Table, table=True):
    """One row: the caches have dropped what changed up to `seq`, and again up to `settled_seq`.

    `is_all_due` and `is_all_again` say that everything is to be dropped, for the first and for the second
    time. `lease` is of the process that purges until `leased_until`; `tries` are failures in a row, the last
    of them `fault`.
    """

    __tablename__ = "purge_place"

    id: int = Field(default=1, primary_key=True)
    seq: int = Field(sa_type=BigInteger)
    settled_seq: int = Field(sa_type=BigInteger)
    epoch: str
    is_all_due: bool = True
    is_all_again: bool = False
    tries: int = 0
    retry_at: Time | None = None
    fault: str | None = None
    lease: UUID | None = None
    leased_until: Time | None = None
    purged_at: Time | None = None

    def is_held(self, by: UUID, at: datetime) -> bool:
        """Return whether another process purges at this time."""
        return self.lease not in (None, by) and self.leased_until is not None and self.leased_until > at
