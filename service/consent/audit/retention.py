"""Record decisions that have expired as events, and delete what is past its retention period.

An event is past its period when `COPYDESK_CONSENT_RETENTION_DAYS` have gone since it was recorded and since
it held last. Its leaf stays in the log, and forgets whose it was. A decision that still holds is never
removed.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import and_, delete, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Field, col, select

from service.consent.decisions.impressions import ConsentImpression
from service.consent.events import COLUMNS, EVENT, read_event
from service.consent.log.tree import ConsentLeaf
from service.consent.models import (
    GRANTS,
    Action,
    Choice,
    ConsentEvent,
    ConsentNotice,
    ConsentSubject,
    EventRead,
    PurposeDecision,
    State,
    notice_id,
)
from service.database import Database, Session
from service.tables import Table, Time, new_id, now

AT_ONCE = 500
_RUNS_OUT = (*GRANTS, State.REFUSED)


class ConsentRetention(Table, table=True):
    """A time up to which events were removed. The database lets no event go that is not older than one of
    these.
    """

    __tablename__ = "consent_retention"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    before: Time
    ran_at: Time = Field(default_factory=now)


def note_expired(database: Database, at: datetime, since: datetime | None = None) -> int:
    """Note up to 500 decisions that have run out by a time, of all or since another; returns how many. What
    holds never depends on it: that is computed.
    """
    with database.reading() as session:
        if session.execute(_run_out(at, since).limit(1)).first() is None:
            return 0
    with database.writing() as session:
        _take_turn(session)
        events = [
            _expired(session, read_event(row), at)
            for row in session.execute(_run_out(at, since).limit(AT_ONCE))
        ]
        rows = [{name: getattr(event, name) for name in EVENT} for event in events]
        if rows:
            session.connection().execute(sqlalchemy.insert(ConsentEvent), rows)
    return len(rows)


def _take_turn(session: Session) -> None:
    if not session.database.is_sqlite:
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("consent retention"))))


def _run_out(at: datetime, since: datetime | None) -> sqlalchemy.Select[*tuple[Any, ...]]:
    """Decisions of known readers whose time is over, and that nothing came after: no other decision, and no
    note of this.
    """
    known = sqlalchemy.exists().where(col(ConsentSubject.pseudonym) == col(ConsentEvent.pseudonym))
    later = aliased(ConsentEvent)
    followed = sqlalchemy.exists().where(
        col(later.pseudonym) == col(ConsentEvent.pseudonym),
        col(later.notice_key) == col(ConsentEvent.notice_key),
        or_(
            col(later.decided_at) > col(ConsentEvent.decided_at),
            and_(
                col(later.decided_at) == col(ConsentEvent.decided_at),
                col(later.event_id) > col(ConsentEvent.event_id),
            ),
        ),
    )
    chosen = sqlalchemy.select(*COLUMNS).where(
        col(ConsentEvent.valid_until) <= at,
        col(ConsentEvent.event_state).in_(_RUNS_OUT),
        ~followed,
        known,
        *([] if since is None else [col(ConsentEvent.valid_until) > since]),
    )
    return chosen.order_by(col(ConsentEvent.valid_until))


def _expired(session: Session, event: EventRead, at: datetime) -> EventRead:
    notice = session.get_one(ConsentNotice, notice_id(event.notice_key, event.notice_version))
    required = {purpose.purpose_key for purpose in notice.purposes if purpose.required}
    purposes = [
        one
        if one.purpose_key in required
        else PurposeDecision(purpose_key=one.purpose_key, decision=Choice.DENIED)
        for one in event.purposes
    ]
    assert event.valid_until is not None
    return event.model_copy(
        update={
            "event_id": new_id(),
            "event_time": at,
            "client_event_time": None,
            "decided_at": max(event.valid_until, event.decided_at),
            "event_state": State.EXPIRED,
            "action": Action.EXPIRE,
            "purposes": purposes,
            "previous_event_id": event.event_id,
            "ui_surface": None,
            "gpc": False,
            "country": None,
        }
    )


def retain(database: Database, at: datetime) -> int:
    """Remove up to 500 events that are past their period at a time, and readers of whom nothing is left;
    returns how many events went.
    """
    wanted = at - timedelta(days=database.settings.consent_retention_days)
    with database.reading() as session:
        if not _past(session, wanted, 1):
            return 0
    with database.writing() as session:
        _take_turn(session)
        before = _allow(session, wanted)
        ids = _past(session, before, AT_ONCE)
        session.execute(update(ConsentLeaf).where(col(ConsentLeaf.event_id).in_(ids)).values(event_id=None))
        gone = (
            delete(ConsentEvent)
            .where(col(ConsentEvent.event_id).in_(ids))
            .returning(col(ConsentEvent.pseudonym))
        )
        readers = set(session.execute(gone).scalars())
        any_left = sqlalchemy.exists().where(col(ConsentEvent.pseudonym) == col(ConsentSubject.pseudonym))
        session.execute(delete(ConsentSubject).where(col(ConsentSubject.pseudonym).in_(readers), ~any_left))
        session.execute(delete(ConsentImpression).where(col(ConsentImpression.day) < before.date()))
    return len(ids)


def _allow(session: Session, wanted: datetime) -> datetime:
    """Return the time up to which the database lets events go; a new one when the last is an hour off."""
    known = session.exec(select(func.max(ConsentRetention.before))).one()
    if known is not None and known > wanted - timedelta(hours=1):
        return known
    session.add(ConsentRetention(before=wanted))
    session.flush()  # the trigger has to see it
    return wanted


def _past(session: Session, before: datetime, limit: int) -> list[UUID]:
    """Return events past their period. An event that holds back an older grant stays, because the grant would
    otherwise hold again.
    """
    older = aliased(ConsentEvent)
    held, older_held = (func.coalesce(event.valid_until, event.event_time) for event in (ConsentEvent, older))
    hides = sqlalchemy.exists().where(
        col(older.pseudonym) == col(ConsentEvent.pseudonym),
        col(older.notice_key) == col(ConsentEvent.notice_key),
        col(older.decided_at) <= col(ConsentEvent.decided_at),
        or_(older_held >= before, col(older.event_time) >= before),
    )
    # Ids begin with their time: what is younger is not even looked at.
    young = UUID(int=max(int(before.timestamp() * 1000), 0) << 80)
    chosen = sqlalchemy.select(col(ConsentEvent.event_id)).where(
        col(ConsentEvent.event_id) < young, col(ConsentEvent.event_time) < before, held < before, ~hides
    )
    return list(session.execute(chosen.limit(limit)).scalars())
