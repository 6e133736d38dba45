"""What is past its period goes: events by their time alone, and never a notice that was published."""

from uuid import UUID

from sqlmodel import Field

from service.tables import Table, Time, new_id, now


class ConsentRetention(Table, table=True):
    """A time up to which events were removed. The database lets no event go that is not older than one of these."""

    __tablename__ = "consent_retention"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    before: Time
    ran_at: Time = Field(default_factory=now)
