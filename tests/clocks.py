"""A clock that a test sets: the app runs in the same process, and asks no other."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service import tables, timekeeping
from service.tables import write_time


class MovableClock:
    """The clock of the machine, set forward or back by what a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def set_forward(self, **time: float) -> None:
        """Set the clock forward; by a negative time, back."""
        self.ahead += timedelta(**time)

    def in_(self, **time: float) -> str:
        """Return a time from now by this clock, as RFC 3339."""
        return write_time(self() + timedelta(**time))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[MovableClock]:
    """A clock for one test, which ends as if it had never been moved. PostgreSQL's own is not asked."""
    moved = MovableClock()
    monkeypatch.setattr(tables, "machine_time", moved)
    monkeypatch.setattr(tables.CLOCK, "ahead", timedelta())
    monkeypatch.setattr(tables.CLOCK, "latest", tables.CLOCK.latest)
    monkeypatch.setattr(timekeeping, "AGREES_WITHIN", timedelta(days=10_000))
    return moved
