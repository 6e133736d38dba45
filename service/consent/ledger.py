"""Decisions and withdrawals are added to the ledger, one short insert each, and a retry of one adds nothing.

A retry is known by `dedupe`: an HMAC of the `Idempotency-Key`, or else of `consent_id`, `client_event_time` and the body. It gets the
answer of the first, worked out again as of then from what was kept. Whoever shows the reader's cookie learns the reader's record by
it; anybody else learns of the event alone, which the body told them already. The cookie itself is given again to a retry with
the same `Idempotency-Key`, which nobody can guess, and within five minutes: then the first answer was lost on its way.
"""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import select

from service.consent import subjects
from service.consent.decisions import Decision, Withdrawal, choose, place, state_of
from service.consent.models import GRANTS, Action, ConsentEvent, ConsentSubject, PurposeDecision, State
from service.consent.readers import Reader, find_reader
from service.consent.record import NO_DECISION, Record, Recorded, Standing, first_standing, project, receipt
from service.consent.shelf import Shelves, Shown
from service.database import Database, Session, insert, rows_changed
from service.errors import FieldProblem, Unprocessable
from service.routing import KeyReused
from service.tables import now

COOKIE_GIVEN_AGAIN_FOR = timedelta(minutes=5)


class NeverPublished(Unprocessable):
    """The decision names a version of a notice that no reader can have seen: it was never published."""

    title = "This version was never published"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the ledger asks of a request beside its body."""

    secret: str | None = None
    idempotency_key: str | None = None
    gpc: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision led to; `secret` is for the reader's cookie, where the reader may have it."""

    recorded: Recorded
    secret: str | None
    replayed: bool


class Ledger:
    """The ledger of one running service."""

    def __init__(self, database: Database, signing_key: bytes) -> None:
        self.database = database
        self.shelves = Shelves(database)
        self._signing_key = signing_key

    def record(self, decision: Decision, asked: Asked) -> Outcome:
        """Record a decision. Raises NeverPublished, UnknownPurpose, NotOffered, KeyReused."""
        shown = self.shelves.find(decision.notice_key, decision.notice_version)
        if shown is None:
            raise _never_published(decision)
        choices = choose(shown, decision, gpc=asked.gpc)
        dedupe, digest = self._fingerprints(decision, asked.idempotency_key)
        with self.database.writing() as session:
            reader = find_reader(session, asked.secret)
            who = subjects.new_subject(self._signing_key, asked.idempotency_key) if reader is None else reader
            standing = None if reader is None else reader.standings.get(shown.key)
            event = _decided(shown, decision, choices, standing, who.pseudonym, gpc=asked.gpc)
            event.dedupe, event.request_digest = dedupe, digest
            if not _add(session, event):
                return self._replay(session, event, asked)
            if isinstance(who, subjects.Subject):
                session.execute(insert(session, ConsentSubject).values(who.row()))
        standing = first_standing(event) if standing is None else standing.joined_by(event)
        return self._outcome(event, standing, who.secret if isinstance(who, subjects.Subject) else asked.secret)

    def _fingerprints(self, decision: Decision, key: str | None) -> tuple[str | None, str]:
        """What every retry of this decision has in common, if it can be told, and what every request with this body has."""
        body = decision.model_dump_json().encode()
        if key is not None:
            return self._keyed(b"key", key.encode()), self._keyed(b"body", body)
        if decision.consent_id is not None and decision.client_event_time is not None:
            return self._keyed(b"decision", body), self._keyed(b"body", body)
        return None, self._keyed(b"body", body)

    def _keyed(self, purpose: bytes, content: bytes) -> str:
        return hmac.new(self._signing_key, b"consent " + purpose + b"\0" + content, hashlib.sha256).hexdigest()

    def _replay(self, session: Session, retried: ConsentEvent, asked: Asked) -> Outcome:
        event = session.exec(select(ConsentEvent).where(ConsentEvent.dedupe == retried.dedupe)).one()
        if event.request_digest != retried.request_digest:
            raise KeyReused("This Idempotency-Key was used with another body.")
        secret = asked.secret
        reader = find_reader(session, secret, up_to=event.event_id)
        lost = asked.idempotency_key is not None and now() - event.event_time < COOKIE_GIVEN_AGAIN_FOR
        if reader is None and lost and asked.idempotency_key is not None:
            secret = subjects.derived_secret(self._signing_key, asked.idempotency_key)
            reader = find_reader(session, secret, up_to=event.event_id)
        if reader is None or reader.pseudonym != event.pseudonym:
            return self._outcome(event, first_standing(event), None, replayed=True)
        return self._outcome(event, reader.standings[event.notice_key], secret, replayed=True)

    def _outcome(self, event: ConsentEvent, standing: Standing, secret: str | None, *, replayed: bool = False) -> Outcome:
        record = project(standing, self.shelves, event.event_time)
        recorded = Recorded(**dict(record), receipt=receipt(event, self.shelves))
        return Outcome(recorded, secret, replayed)

    def withdraw(self, withdrawal: Withdrawal, asked: Asked) -> Record:
        """Withdraw what was granted: one event for each notice decided on. Nothing kept, or withdrawn already, adds nothing."""
        with self.database.writing() as session:
            reader = find_reader(session, asked.secret)
            standings = {} if reader is None else reader.standings
            wanted = [key for key in standings if withdrawal.notice_key in (None, key)]
            for key in wanted:
                standings[key] = self._withdrawn(session, standings[key], withdrawal, asked)
        return self.current(reader, withdrawal.notice_key)

    def _withdrawn(self, session: Session, standing: Standing, withdrawal: Withdrawal, asked: Asked) -> Standing:
        before = standing.decisive
        if before.event_state is State.WITHDRAWN:
            return standing
        shown = self.shelves.find(before.notice_key, before.notice_version)
        assert shown is not None, "an event's notice outlives it"
        at = now()
        event = ConsentEvent(
            pseudonym=before.pseudonym, event_time=at, event_state=State.WITHDRAWN, action=Action.WITHDRAW,
            # A grant by a clock that runs ahead must not outlast the withdrawal that follows it.
            decided_at=max(at, standing.decided_at),
            purposes=[PurposeDecision(purpose_key=key, decision=shown.choice(key, granted=False)) for key in shown.purposes],
            notice_key=shown.key, notice_version=shown.version, notice_content_hash=shown.content_hash, language=before.language,
            ui_surface=withdrawal.ui_surface, gpc=asked.gpc, consent_id=before.consent_id, previous_event_id=before.event_id,
        )  # fmt: skip
        _add(session, event)
        return standing.joined_by(event)

    def current(self, reader: Reader | None, key: str | None) -> Record:
        """Where a reader stands now, on one notice or on that which they decided about last."""
        standing = None if reader is None else reader.latest(key)
        return NO_DECISION if standing is None else project(standing, self.shelves, now())


def _decided(
    shown: Shown, decision: Decision, choices: Collection[PurposeDecision], standing: Standing | None, pseudonym: str, *, gpc: bool
) -> ConsentEvent:
    at = now()
    state = state_of(shown, decision, choices, standing)
    decided_at, valid_from = place(decision.client_event_time, at, denies=state not in GRANTS, standing=standing)
    return ConsentEvent(
        pseudonym=pseudonym, event_time=at, client_event_time=decision.client_event_time, decided_at=decided_at,
        valid_until=valid_from + timedelta(days=shown.validity_days), event_state=state, action=decision.action, purposes=list(choices),
        notice_key=shown.key, notice_version=shown.version, notice_content_hash=shown.content_hash,
        language=decision.language or shown.language, ui_surface=decision.ui_surface, gpc=gpc, consent_id=decision.consent_id,
        previous_event_id=None if standing is None else standing.decisive.event_id,
    )  # fmt: skip


_EVENT = tuple(ConsentEvent.model_fields)


def _add(session: Session, event: ConsentEvent) -> bool:
    """Insert an event; False when the decision is there already."""
    statement = (
        insert(session, ConsentEvent)
        .values({name: getattr(event, name) for name in _EVENT})
        .on_conflict_do_nothing(index_elements=["dedupe"])
    )
    return rows_changed(session.execute(statement)) == 1


def _never_published(decision: Decision) -> NeverPublished:
    message = f"no version {decision.notice_version} of {decision.notice_key!r} was ever published"
    return NeverPublished(message, errors=[FieldProblem(pointer="/notice_version", message=message)])
