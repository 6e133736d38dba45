"""Decisions and withdrawals are added to the ledger, one short insert each, and a retry of one adds nothing.

A retry is known by `dedupe`: an HMAC of the `Idempotency-Key`, or else of `consent_id`, `client_event_time` and the body. It gets the
answer of the first, worked out again as of then from what was kept. Whoever shows the reader's cookie learns the reader's record by
it; anybody else learns of the event alone, which the body told them already. The cookie itself is given again to a retry with
the same `Idempotency-Key`, which nobody can guess, and within five minutes: then the first answer was lost on its way.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from service.consent import subjects
from service.consent.decisions import Decision, Withdrawal, choose, place, state_of
from service.consent.group_commit import GroupCommit
from service.consent.impressions import Impression, add_one
from service.consent.models import GRANTS, Action, ConsentEvent, EventRead, PurposeDecision, State
from service.consent.readers import COLUMNS, EVENT, Reader, find_reader, told
from service.consent.record import NO_DECISION, Record, Recorded, Standing, first_standing, project, receipt
from service.consent.shelf import Shelves, Shown
from service.database import Database, Session, rows_changed
from service.errors import FieldProblem, Unprocessable
from service.routing import KeyReused
from service.tables import new_id, now

COOKIE_GIVEN_AGAIN_FOR = timedelta(minutes=5)


# Statements of the core, made once: through the ORM, making one takes longer than running it.
_EVENTS, _SUBJECTS = (ConsentEvent.metadata.tables[name] for name in ("consent_event", "consent_subject"))
_ADD = {
    is_sqlite: dialect.insert(_EVENTS).on_conflict_do_nothing(index_elements=["dedupe"]).execution_options(preserve_rowcount=True)
    for is_sqlite, dialect in ((True, sqlite), (False, postgresql))
}
_BY_DEDUPE = select(*COLUMNS, _EVENTS.c.request_digest).where(_EVENTS.c.dedupe == bindparam("dedupe"))


class NeverPublished(Unprocessable):
    """The decision names a version of a notice that no reader can have seen: it was never published."""

    title = "This version was never published"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the ledger asks of a request beside its body."""

    secret: str | None = None
    idempotency_key: str | None = None
    gpc: bool = False
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision led to; `secret` is for the reader's cookie, where the reader may have it."""

    recorded: Recorded
    secret: str | None
    replayed: bool


class Ledger:
    """The ledger of one running service."""

    def __init__(self, database: Database, signing_key: bytes) -> None:
        self.shelves = Shelves()
        self._commits = GroupCommit(database)
        # Apart from the decisions: processes that count the same notice wait for each other.
        self._counts = GroupCommit(database)
        self._signing_key = signing_key

    async def record(self, decision: Decision, asked: Asked) -> Outcome:
        """Record a decision. Raises NeverPublished, UnknownPurpose, NotOffered, KeyReused."""
        return await self._commits.run(lambda session: self._record(session, decision, asked))

    async def withdraw(self, withdrawal: Withdrawal, asked: Asked) -> Record:
        """Withdraw what was granted: one event for each notice decided on. Nothing kept, or withdrawn already, adds nothing."""
        return await self._commits.run(lambda session: self._withdraw(session, withdrawal, asked))

    async def erase(self, secret: str | None) -> bool:
        """Forget who a reader is: the salt goes, and with it the only way from the reader to the events. False where nobody is known."""
        return await self._commits.run(lambda session: _erase(session, secret))

    async def count(self, impression: Impression, country: str | None) -> None:
        """Count that a notice was shown. Raises NeverPublished."""
        await self._counts.run(lambda session: self._count(session, impression, country))

    def _count(self, session: Session, impression: Impression, country: str | None) -> None:
        if self.shelves.find(session, impression.notice_key, impression.notice_version) is None:
            raise _never_published(impression)
        add_one(session, impression, country)

    def current(self, session: Session, reader: Reader | None, key: str | None) -> Record:
        """Where a reader stands now, on one notice or on that which they decided about last."""
        standing = None if reader is None else reader.latest(key)
        return NO_DECISION if standing is None else project(session, standing, self.shelves, now())

    def _record(self, session: Session, decision: Decision, asked: Asked) -> Outcome:
        shown = self.shelves.find(session, decision.notice_key, decision.notice_version)
        if shown is None:
            raise _never_published(decision)
        choices = choose(shown, decision, gpc=asked.gpc)
        reader = find_reader(session, asked.secret)
        who = subjects.new_subject(self._signing_key, asked.idempotency_key) if reader is None else reader
        standing = None if reader is None else reader.standings.get(shown.key)
        event = _decided(shown, decision, choices, standing, who.pseudonym, asked)
        dedupe, digest = self._fingerprints(decision, asked.idempotency_key)
        if not _add(session, event, dedupe, digest):
            return self._replay(session, dedupe, digest, asked)
        secret = asked.secret
        if isinstance(who, subjects.Subject):
            secret = who.secret
            session.connection().execute(insert(_SUBJECTS), who.row())
        standing = first_standing(event) if standing is None else standing.joined_by(event)
        return self._outcome(session, event, standing, secret)

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

    def _replay(self, session: Session, dedupe: str | None, digest: str, asked: Asked) -> Outcome:
        *row, kept_digest = session.execute(_BY_DEDUPE, {"dedupe": dedupe}).one()
        if kept_digest != digest:
            raise KeyReused("This Idempotency-Key was used with another body.")
        event, secret = told(row), asked.secret
        reader = find_reader(session, secret, up_to=event.event_id)
        if reader is None and asked.idempotency_key is not None and now() - event.event_time < COOKIE_GIVEN_AGAIN_FOR:
            secret = subjects.derived_secret(self._signing_key, asked.idempotency_key)
            reader = find_reader(session, secret, up_to=event.event_id)
        if reader is None or reader.pseudonym != event.pseudonym:
            return self._outcome(session, event, first_standing(event), None, replayed=True)
        return self._outcome(session, event, reader.standings[event.notice_key], secret, replayed=True)

    def _outcome(self, session: Session, event: EventRead, standing: Standing, secret: str | None, *, replayed: bool = False) -> Outcome:
        record = project(session, standing, self.shelves, event.event_time)
        return Outcome(Recorded.model_construct(**dict(record), receipt=receipt(session, event, self.shelves)), secret, replayed)

    def _withdraw(self, session: Session, withdrawal: Withdrawal, asked: Asked) -> Record:
        reader = find_reader(session, asked.secret)
        if reader is None:
            return NO_DECISION
        for key, standing in reader.standings.items():
            if withdrawal.notice_key in (None, key) and standing.decisive.event_state is not State.WITHDRAWN:
                event = self._withdrawn(session, standing, withdrawal, asked)
                _add(session, event, None, None)
                reader.standings[key] = standing.joined_by(event)
        return self.current(session, reader, withdrawal.notice_key)

    def _withdrawn(self, session: Session, standing: Standing, withdrawal: Withdrawal, asked: Asked) -> EventRead:
        before, at = standing.decisive, now()
        shown = self.shelves.shown(session, before)
        return EventRead.model_construct(
            event_id=new_id(), event_time=at, client_event_time=None,
            # A grant by a clock that runs ahead must not outlast the withdrawal that follows it.
            decided_at=max(at, standing.decided_at), valid_until=None, event_state=State.WITHDRAWN, action=Action.WITHDRAW,
            purposes=[shown.choice(key, granted=False) for key in shown.purposes],
            notice_key=shown.key, notice_version=shown.version, notice_content_hash=shown.content_hash, language=before.language,
            ui_surface=withdrawal.ui_surface, gpc=asked.gpc, country=asked.country, consent_id=before.consent_id, pseudonym=before.pseudonym,
            previous_event_id=before.event_id,
        )  # fmt: skip


def _decided(
    shown: Shown, decision: Decision, choices: list[PurposeDecision], standing: Standing | None, pseudonym: str, asked: Asked
) -> EventRead:
    at = now()
    state = state_of(shown, decision, choices, standing)
    decided_at, valid_from = place(decision.client_event_time, at, denies=state not in GRANTS, standing=standing)
    # Constructed, not validated: every part of it has been.
    return EventRead.model_construct(
        event_id=new_id(), event_time=at, client_event_time=decision.client_event_time, decided_at=decided_at,
        valid_until=valid_from + timedelta(days=shown.validity_days), event_state=state, action=decision.action, purposes=choices,
        notice_key=shown.key, notice_version=shown.version, notice_content_hash=shown.content_hash,
        language=decision.language or shown.language, ui_surface=decision.ui_surface, gpc=asked.gpc, country=asked.country, consent_id=decision.consent_id,
        pseudonym=pseudonym, previous_event_id=None if standing is None else standing.decisive.event_id,
    )  # fmt: skip


def _erase(session: Session, secret: str | None) -> bool:
    if secret is None:
        return False
    gone = delete(_SUBJECTS).where(_SUBJECTS.c.secret_digest == subjects.digest_of(secret)).returning(_SUBJECTS.c.pseudonym)
    pseudonym = session.connection().execute(gone).scalar_one_or_none()
    forget = update(_EVENTS).where(_EVENTS.c.pseudonym == pseudonym).values(consent_id=None, dedupe=None, request_digest=None)
    session.connection().execute(forget)
    return pseudonym is not None


def _add(session: Session, event: EventRead, dedupe: str | None, digest: str | None) -> bool:
    """Insert an event; False when the decision is there already."""
    row = {name: getattr(event, name) for name in EVENT} | {"dedupe": dedupe, "request_digest": digest}
    return rows_changed(session.connection().execute(_ADD[session.database.is_sqlite], row)) == 1


def _never_published(decision: Decision | Impression) -> NeverPublished:
    message = f"no version {decision.notice_version} of {decision.notice_key!r} was ever published"
    return NeverPublished(message, errors=[FieldProblem(pointer="/notice_version", message=message)])
