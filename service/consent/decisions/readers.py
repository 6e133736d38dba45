"""Find the reader behind a cookie: one read leads from its secret to the reader's pseudonym and to the events
that count.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import ColumnElement, Select, and_, bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from service.consent.decisions.record import Standing
from service.consent.decisions.subjects import digest_of
from service.consent.events import COLUMNS, read_event
from service.consent.models import GRANTS, ConsentEvent, ConsentSubject, EventRead, State
from service.database import Session
from service.errors import NotFound
from service.http.pages import count_all


class NoRecord(NotFound):
    """Nothing is kept under this cookie, or no cookie was sent."""

    title = "Nothing is kept about this reader"


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader who is known by a cookie, with the current state of each notice."""

    pseudonym: str
    standings: dict[str, Standing]

    def latest(self, key: str | None) -> Standing | None:
        """Return the reader's standing on one notice, or on the notice that the reader decided about last."""
        if key is not None:
            return self.standings.get(key)
        return max(
            self.standings.values(),
            key=lambda standing: (standing.decided_at, standing.decisive.event_id),
            default=None,
        )


def _standings(whose: ColumnElement[bool], *, up_to: bool = False) -> Select[*tuple[Any, ...]]:
    """Return the reader's events that have their notice's latest time; with `up_to`, of those that were
    recorded up to one event.
    """
    same, grant = aliased(ConsentEvent), aliased(ConsentEvent)
    last = select(func.max(same.decided_at)).where(
        same.pseudonym == col(ConsentSubject.pseudonym),
        same.notice_key == col(ConsentEvent.notice_key),
        same.event_state != State.EXPIRED,
    )
    first = select(func.min(grant.decided_at)).where(
        grant.pseudonym == col(ConsentSubject.pseudonym),
        grant.notice_key == col(ConsentEvent.notice_key),
        col(grant.event_state).in_(GRANTS),
    )
    if up_to:
        last, first = (
            last.where(same.event_id <= bindparam("up_to")),
            first.where(grant.event_id <= bindparam("up_to")),
        )
    counts = and_(
        col(ConsentEvent.pseudonym) == col(ConsentSubject.pseudonym),
        col(ConsentEvent.decided_at) == last.scalar_subquery(),
        # That a decision ran out is worked out from the decision. The note of it is history.
        col(ConsentEvent.event_state) != State.EXPIRED,
        *([col(ConsentEvent.event_id) <= bindparam("up_to")] if up_to else []),
    )
    columns = sqlalchemy.select(
        col(ConsentSubject.pseudonym), col(ConsentSubject.secret_digest), first.scalar_subquery(), *COLUMNS
    )
    joined = columns.select_from(ConsentSubject).outerjoin(ConsentEvent, counts)
    return joined.where(whose).order_by(col(ConsentSubject.pseudonym), col(ConsentEvent.notice_key))


_THEN = _standings(col(ConsentSubject.secret_digest) == bindparam("digest"), up_to=True)
_NOW = _standings(col(ConsentSubject.secret_digest).in_(bindparam("digests", expanding=True)))
_OF_SEVERAL = _standings(col(ConsentSubject.pseudonym).in_(bindparam("pseudonyms", expanding=True)))


def find_reader(session: Session, secret: str | None, *, up_to: UUID | None = None) -> Reader | None:
    """Find the reader with this secret, in the state of now, or of the moment when `up_to` had
    been recorded.
    """
    if secret is None:
        return None
    if up_to is None:
        return find_readers(session, [secret]).get(secret)
    rows = session.execute(_THEN, {"digest": digest_of(secret), "up_to": up_to}).all()
    return Reader(rows[0][0], _grouped(rows)) if rows else None


def find_readers(session: Session, secrets: Collection[str]) -> dict[str, Reader]:
    """Find the readers with these secrets, in the state of now, by secret."""
    if not secrets:
        return {}
    held = {digest_of(secret): secret for secret in secrets}
    rows = session.execute(_NOW, {"digests": list(held)}).all()
    own = {pseudonym: list(theirs) for pseudonym, theirs in groupby(rows, key=lambda row: row[0])}
    return {held[theirs[0][1]]: Reader(pseudonym, _grouped(theirs)) for pseudonym, theirs in own.items()}


def find_standings(session: Session, pseudonyms: Sequence[str]) -> dict[str, dict[str, Standing]]:
    """Return the standings of several readers, by pseudonym and notice."""
    rows = session.execute(_OF_SEVERAL, {"pseudonyms": pseudonyms}).all()
    return {pseudonym: _grouped(list(own)) for pseudonym, own in groupby(rows, key=lambda row: row[0])}


def _grouped(rows: Sequence[Sequence[Any]]) -> dict[str, Standing]:
    counted = [(read_event(row[3:]), row[2]) for row in rows if row[3] is not None]
    standings = {}
    for key, group in groupby(counted, key=lambda pair: pair[0].notice_key):
        pairs = list(group)
        standings[key] = Standing(tuple(event for event, _ in pairs), pairs[0][1])
    return standings


def events_of(session: Session, reader: Reader, after: UUID | None, limit: int) -> list[EventRead]:
    """Return a reader's events, oldest first, beginning after one of them."""
    chosen = sqlalchemy.select(*COLUMNS).where(col(ConsentEvent.pseudonym) == reader.pseudonym)
    if after is not None:
        chosen = chosen.where(col(ConsentEvent.event_id) > after)
    return [
        read_event(row) for row in session.execute(chosen.order_by(col(ConsentEvent.event_id)).limit(limit))
    ]


def count_events(session: Session, reader: Reader) -> int:
    """Count a reader's events."""
    return session.exec(select(func.count()).where(ConsentEvent.pseudonym == reader.pseudonym)).one()


def count_records(session: Session, key: str | None, whose: Sequence[ColumnElement[bool]]) -> int:
    """Count the records of some readers: one for each notice that they decided about, or only those on one
    notice.
    """
    chosen = (
        select(ConsentEvent.pseudonym, ConsentEvent.notice_key)
        .distinct()
        .where(col(ConsentEvent.event_state) != State.EXPIRED)
    )
    if key is not None:
        chosen = chosen.where(ConsentEvent.notice_key == key)
    known = chosen.join(ConsentSubject, col(ConsentSubject.pseudonym) == col(ConsentEvent.pseudonym)).where(
        *whose
    )
    return count_all(session, known)


def find_event(session: Session, reader: Reader, event_id: UUID) -> EventRead | None:
    """Return one of a reader's own events. Somebody else's is looked for in the same way, and
    takes as long.
    """
    chosen = sqlalchemy.select(*COLUMNS).where(
        col(ConsentEvent.event_id) == event_id, col(ConsentEvent.pseudonym) == reader.pseudonym
    )
    row = session.execute(chosen).one_or_none()
    return None if row is None else read_event(row)
