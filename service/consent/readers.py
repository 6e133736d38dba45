"""Whose cookie this is: one read leads from its secret to the reader's pseudonym and to the events that count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from service.consent.models import GRANTS, ConsentEvent, ConsentSubject
from service.consent.record import Standing
from service.consent.subjects import digest_of
from service.database import Session
from service.errors import NotFound


class NoRecord(NotFound):
    """Nothing is kept under this cookie, or no cookie was sent."""

    title = "Nothing is kept about this reader"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader who is known by a cookie, and where they stand on each notice."""

    pseudonym: str
    standings: dict[str, Standing]

    def latest(self, key: str | None) -> Standing | None:
        """Where they stand on one notice, or on that which they decided about last."""
        if key is not None:
            return self.standings.get(key)
        return max(self.standings.values(), key=lambda standing: (standing.decided_at, standing.decisive.event_id), default=None)


def _standings(*, up_to: bool) -> Select[str, ConsentEvent | None, datetime | None]:
    """The reader's events that have their notice's latest time; with `up_to`, of those that were recorded up to one event."""
    same, grant = aliased(ConsentEvent), aliased(ConsentEvent)
    last = select(func.max(same.decided_at)).where(
        same.pseudonym == col(ConsentSubject.pseudonym), same.notice_key == col(ConsentEvent.notice_key)
    )
    first = select(func.min(grant.decided_at)).where(
        grant.pseudonym == col(ConsentSubject.pseudonym),
        grant.notice_key == col(ConsentEvent.notice_key),
        col(grant.event_state).in_(GRANTS),
    )
    if up_to:
        last, first = last.where(same.event_id <= bindparam("up_to")), first.where(grant.event_id <= bindparam("up_to"))
    counts = and_(
        col(ConsentEvent.pseudonym) == col(ConsentSubject.pseudonym), col(ConsentEvent.decided_at) == last.scalar_subquery(),
        *([col(ConsentEvent.event_id) <= bindparam("up_to")] if up_to else []),
    )  # fmt: skip
    columns = select(ConsentSubject.pseudonym, ConsentEvent, first.scalar_subquery())
    joined = columns.select_from(ConsentSubject).outerjoin(ConsentEvent, counts)
    return joined.where(col(ConsentSubject.secret_digest) == bindparam("digest")).order_by(col(ConsentEvent.notice_key))


_NOW = _standings(up_to=False)
_THEN = _standings(up_to=True)


def find_reader(session: Session, secret: str | None, *, up_to: UUID | None = None) -> Reader | None:
    """Find the reader who holds this secret, as they stand now or stood once `up_to` had been recorded."""
    if secret is None:
        return None
    asked = {"digest": digest_of(secret)} | ({} if up_to is None else {"up_to": up_to})
    rows = session.execute(_NOW if up_to is None else _THEN, asked).all()
    if not rows:
        return None
    counted = [(event, first) for _, event, first in rows if event is not None]
    standings = {}
    for key, group in groupby(counted, key=lambda pair: pair[0].notice_key):
        pairs = list(group)
        standings[key] = Standing(tuple(event for event, _ in pairs), pairs[0][1])
    return Reader(rows[0].pseudonym, standings)


def events_of(session: Session, reader: Reader, after: UUID | None, limit: int) -> Sequence[ConsentEvent]:
    """A reader's events, oldest first, beginning after one of them."""
    chosen = select(ConsentEvent).where(ConsentEvent.pseudonym == reader.pseudonym)
    if after is not None:
        chosen = chosen.where(col(ConsentEvent.event_id) > after)
    return session.exec(chosen.order_by(col(ConsentEvent.event_id)).limit(limit)).all()
