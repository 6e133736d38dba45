"""Thirty days of invented readers who were shown the banner and decided, so that the report has something to
tell.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import uuid_utils.compat
from sqlmodel import col, select

from service.consent.decisions.adding import Adding, add_events
from service.consent.decisions.deciding import Decision, choose, state_of
from service.consent.decisions.impressions import ConsentImpression
from service.consent.models import (
    Action,
    Choice,
    ConsentEvent,
    ConsentNotice,
    EventRead,
    NoticeStatus,
    PurposeDecision,
    State,
)
from service.consent.notices.defaults import DEFAULT_KEY
from service.consent.notices.shelf import Shelves, Shown
from service.database import Database
from service.tables import now

DAYS = 30
SURFACE = "banner"


def decide(database: Database) -> None:
    """Add the decisions of thirty days, unless the store has any."""
    chance = random.Random(30)  # noqa: S311  # decides what invented readers press
    with database.writing() as session:
        if session.exec(select(ConsentEvent.event_id).limit(1)).first() is not None:
            return
        holding = select(ConsentNotice.version).where(
            ConsentNotice.notice_key == DEFAULT_KEY, ConsentNotice.status == NoticeStatus.PUBLISHED
        )
        versions = session.exec(holding.order_by(col(ConsentNotice.version))).all()
        shelves = Shelves()
        shown = [found for version in versions if (found := shelves.find(session, DEFAULT_KEY, version))]
        midnight = now().replace(hour=0, minute=0, second=0, microsecond=0)
        for ago in range(DAYS, 0, -1):
            events = list(_day(chance, shown, midnight - timedelta(days=ago), ago))
            add_events(session, [Adding(event) for event in events])
            for notice in shown:
                decisions = [one for one in events if one.notice_version == notice.version]
                session.add(
                    ConsentImpression(
                        day=(midnight - timedelta(days=ago)).date(),
                        notice_key=DEFAULT_KEY,
                        notice_version=notice.version,
                        country="",
                        ui_surface=SURFACE,
                        impressions=round(len(decisions) * chance.uniform(1.3, 1.7)) + 3,
                    )
                )


def _day(chance: random.Random, shown: Sequence[Shown], midnight: datetime, ago: int) -> Iterator[EventRead]:
    """Yield the decisions of one day: fewer on Sundays, and slowly more that accept."""
    accepts = 0.34 + 0.005 * (DAYS - ago)
    for _ in range(chance.randint(84, 96) if midnight.isoweekday() > 6 else chance.randint(100, 136)):
        at = midnight + timedelta(minutes=chance.triangular(330, 1_430, 1_180))
        (notice,) = chance.choices(shown, [6, 3, 2][: len(shown)])
        drawn = chance.random()
        action = (
            Action.ACCEPT_ALL
            if drawn < accepts
            else Action.SAVE
            if drawn < accepts + 0.2
            else Action.REJECT_ALL
        )
        purposes = [
            PurposeDecision(
                purpose_key=key, decision=Choice.GRANTED if chance.random() < 0.6 else Choice.DENIED
            )
            for key in notice.purposes
            if action is Action.SAVE and key not in notice.required
        ]
        event = _decided(chance, notice, action, purposes, at)
        yield event
        if action is Action.ACCEPT_ALL and chance.random() < 0.04:
            yield _withdrawn(notice, event, at + timedelta(minutes=chance.randint(1, 9)))


def _decided(
    chance: random.Random, notice: Shown, action: Action, purposes: list[PurposeDecision], at: datetime
) -> EventRead:
    """Return a decision of a reader of whom nothing else is kept, as of one who was erased."""
    decision = Decision.model_validate(
        {"notice_key": notice.key, "notice_version": notice.version, "action": action, "purposes": purposes}
    )
    choices = choose(notice, decision, gpc=False)
    return EventRead.model_construct(
        event_id=_id_at(at),
        event_time=at,
        client_event_time=None,
        decided_at=at,
        valid_until=at + timedelta(days=notice.validity_days),
        event_state=state_of(notice, decision, choices, None),
        action=action,
        purposes=choices,
        notice_key=notice.key,
        notice_version=notice.version,
        notice_content_hash=notice.content_hash,
        language=notice.language,
        ui_surface=SURFACE,
        gpc=False,
        country=None,
        consent_id=None,
        pseudonym=chance.randbytes(32).hex(),
        previous_event_id=None,
    )


def _withdrawn(notice: Shown, before: EventRead, at: datetime) -> EventRead:
    denied = [notice.choice(key, granted=False) for key in notice.purposes]
    changed = {
        "event_id": _id_at(at),
        "event_time": at,
        "decided_at": at,
        "valid_until": None,
        "event_state": State.WITHDRAWN,
        "action": Action.WITHDRAW,
        "purposes": denied,
        "ui_surface": "choices",
        "previous_event_id": before.event_id,
    }
    return before.model_copy(update=changed)


def _id_at(at: datetime) -> UUID:
    """Return an id that sorts by a time, as ids of events do: reports find a period by it."""
    return uuid_utils.compat.uuid7(nanoseconds=int(at.timestamp()) * 1_000_000_000)
