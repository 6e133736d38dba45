"""Events are sealed in the order of their commits: no clock, however wrong, keeps one out of the log."""

from datetime import datetime, timedelta
from uuid import UUID

import orjson
import pytest
from alembic import command
from sqlmodel import select

from service import tables
from service.consent.audit import upkeep
from service.consent.decisions import ledger
from service.consent.decisions.adding import Adding, add_events
from service.consent.log import sealing
from service.consent.log.sealing import ConsentUnsealed, seal
from service.consent.models import EventRead
from service.consent.signing import Signer
from service.schema import migrations
from service.settings import Settings
from tests.consent.deciding import decide
from tests.serving import SECRET, Store, running

SIGNER = Signer(SECRET.encode())


class Clock:
    """The clock of whoever records next: so many hours ahead of the right one."""

    hours = 0

    def now(self) -> datetime:
        return tables.now() + timedelta(hours=self.hours)

    def new_id(self) -> UUID:
        return UUID(int=tables.new_id().int + (self.hours * 3_600_000 << 80))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ledger, "now", clock.now)
    monkeypatch.setattr(ledger, "new_id", clock.new_id)
    return clock


def exported(store: Store) -> list[str]:
    """Seal what is queued, and return the ids of the log's events in its order."""
    with store.client("consent:read") as auditor:
        *rows, _manifest = map(orjson.loads, auditor.get("/v1/consent-exports").content.splitlines())
    return [row["event_id"] for row in rows]


def record(store: Store) -> str:
    with store.client() as reader:
        return decide(reader)["event_id"]


def queued(store: Store) -> list[UUID | None]:
    with store.database.reading() as session:
        return list(session.exec(select(ConsentUnsealed.event_id)))


@pytest.mark.slow
def test_a_clock_that_goes_forward_and_back_over_restarts_keeps_no_event_out_of_the_log(
    settings: Settings, clock: Clock
) -> None:
    recorded = []
    for clock.hours in (0, 1, 0, -1, 2, 0):
        with running(settings) as store:
            recorded += [record(store), record(store)]
            assert exported(store) == recorded


@pytest.mark.slow
def test_of_two_processes_whose_clocks_differ_both_have_their_events_sealed(
    settings: Settings, clock: Clock
) -> None:
    recorded = []
    with running(settings) as ahead, running(settings) as right:
        for _ in range(3):
            for store, clock.hours in ((ahead, 1), (right, 0)):
                recorded.append(record(store))
                assert exported(right) == recorded


@pytest.mark.slow
def test_what_was_recorded_before_there_was_a_queue_is_sealed_after_the_upgrade(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "SEALS_EVERY", 3600.0)
    monkeypatch.setattr(sealing, "LOOKED_OVER", 2)
    with running(settings) as store:
        recorded = [record(store)]
        assert exported(store) == recorded
        recorded += [record(store) for _ in range(4)]
    command.downgrade(migrations(settings), "0010")
    command.upgrade(migrations(settings), "head")
    with running(settings) as store:
        assert exported(store) == recorded
        assert queued(store) == []


def test_what_a_process_without_the_queue_has_sealed_is_not_sealed_twice(store: Store) -> None:
    recorded = [UUID(record(store))]
    seal(store.database, SIGNER)
    with store.database.writing() as session:
        session.add_all(ConsentUnsealed(event_id=event_id) for event_id in recorded * 2)
    assert seal(store.database, SIGNER) == 0
    assert queued(store) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_an_event_that_is_committed_after_later_ones_were_sealed_is_sealed_next(store: Store) -> None:
    with store.client() as reader:
        told = decide(reader)["receipt"]["event"]
    slow = EventRead.model_validate(told | {"event_id": tables.new_id()})
    with store.database.writing() as session:
        add_events(session, [Adding(slow)])
        before = [told["event_id"], record(store)]
        assert exported(store) == before
    assert exported(store) == [*before, str(slow.event_id)]
