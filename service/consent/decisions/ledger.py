"""Add decisions and withdrawals to the ledger, one short row each. A retry adds nothing.

Decisions that arrive together are added together, with one statement for all of them.

A retry is known by `dedupe`: an HMAC of the `Idempotency-Key`, or else of `consent_id`, `client_event_time`
and the body. It gets the answer of the first, worked out again as of then from what was kept. Whoever shows
the reader's cookie learns the reader's record by it; anybody else learns of the event alone, which the body
told them already. The cookie itself is given again to a retry with the same `Idempotency-Key`, if nobody can
guess it, and within five minutes: then the first answer was lost on its way.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from starlette.concurrency import run_in_threadpool

from service.consent.decisions import subjects
from service.consent.decisions.adding import EVENTS, Adding, add_events, add_subjects
from service.consent.decisions.deciding import Decision, Withdrawal, choose, place, state_of
from service.consent.decisions.erasing import empty_log, erase
from service.consent.decisions.impressions import Impression, add_one
from service.consent.decisions.readers import Reader, find_reader, find_readers
from service.consent.decisions.record import (
    NO_DECISION,
    Record,
    Recorded,
    Standing,
    first_standing,
    project,
    receipt,
    undecided,
)
from service.consent.decisions.subjects import Subject
from service.consent.events import COLUMNS, read_event
from service.consent.models import GRANTS, Action, EventRead, PurposeDecision, State
from service.consent.notices.defaults import DEFAULT_KEY
from service.consent.notices.shelf import Shelves, Shown
from service.database import Database, Session
from service.errors import FieldProblem, ServiceError, Unprocessable
from service.group_commit import GroupCommit, Write, each, waves
from service.http.idempotency import KeyReused
from service.tables import new_id, now

COOKIE_GIVEN_AGAIN_FOR = timedelta(minutes=5)
UNGUESSABLE = 16
"""Characters of an idempotency key from which on it is taken to be random, as a UUID is."""

_BY_DEDUPE = select(*COLUMNS, EVENTS.c.request_digest).where(EVENTS.c.dedupe == bindparam("dedupe"))


class NeverPublished(Unprocessable):
    """The decision names a version of a notice that no reader can have seen: it was never published."""

    title = "This version was never published"


@dataclass(frozen=True, slots=True)
class DecisionRequest:
    """The facts that the ledger takes from a request beside its body."""

    secret: str | None = None
    idempotency_key: str | None = None
    gpc: bool = False
    country: str | None = None
    repeats: bool = False
    """True when the same browser has just decided without a cookie: the rates do not count this again."""

    @property
    def unguessable_key(self) -> str | None:
        """Return the idempotency key, where it is long enough to be this reader's alone: the cookie is given
        again for no other.
        """
        key = self.idempotency_key
        return key if key is not None and len(key) >= UNGUESSABLE else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a decision; `secret` is for the reader's cookie, where the reader may have it."""

    recorded: Recorded
    secret: str | None
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Recording:
    """A decision that waits for its transaction. `dedupe` is what every retry of it has in common, if that
    can be told, and `digest` what every request with this body has.
    """

    decision: Decision
    asked: DecisionRequest
    dedupe: str | None
    digest: str

    @property
    def names(self) -> frozenset[str]:
        """Return the names that two decisions must not share if one statement is to add both: the second must
        see the first.
        """
        return frozenset(name for name in (self.asked.secret, self.dedupe) if name is not None)


_Waiting = _Recording | Write


@dataclass(frozen=True, slots=True)
class _Found:
    """A decision that is worked out and not added yet."""

    event: EventRead
    standing: Standing | None
    reader: Reader | Subject


class Ledger:
    """The ledger of one running service."""

    def __init__(self, database: Database, signing_key: bytes) -> None:
        self.shelves = Shelves()
        self._database = database
        self._commits = GroupCommit[_Waiting, Any](database, self._in_waves)
        # Apart from the decisions: processes that count the same notice wait for each other.
        self._counts = GroupCommit[Write, Any](database, each)
        self._signing_key = signing_key

    async def record(self, decision: Decision, asked: DecisionRequest) -> Outcome:
        """Record a decision. Raises NeverPublished, AnotherLanguage, UnknownPurpose, NotOffered,
        KeyReused.
        """
        recording = _Recording(decision, asked, *self._fingerprints(decision, asked.idempotency_key))
        outcome: Outcome = await self._commits.run(recording)
        return outcome

    async def withdraw(self, withdrawal: Withdrawal, asked: DecisionRequest) -> Record:
        """Withdraw what was granted: one event for each notice decided on. Nothing kept, or withdrawn
        already, adds nothing.
        """
        record: Record = await self._commits.run(lambda session: self._withdraw(session, withdrawal, asked))
        return record

    async def erase(self, secret: str | None) -> bool:
        """Delete the reader's salt, the only link from the reader to the events. Return False if the reader
        is unknown.
        """
        was_known: bool = await self._commits.run(lambda session: erase(session, secret))
        if was_known:
            async with self._database.turn():
                await run_in_threadpool(empty_log, self._database)
        return was_known

    async def count(self, impression: Impression, country: str | None) -> None:
        """Count that a notice was shown. Raises NeverPublished."""
        await self._counts.run(lambda session: self._count(session, impression, country))

    def _count(self, session: Session, impression: Impression, country: str | None) -> None:
        if self.shelves.find(session, impression.notice_key, impression.notice_version) is None:
            raise _never_published(impression)
        add_one(session, impression, country)

    def current(
        self, session: Session, reader: Reader | None, key: str | None, *, gpc: bool = False
    ) -> Record:
        """Return where a reader stands now, on one notice or on that which they decided about last; before a
        decision, what the notice does until then, by default the notice `default`.
        """
        standing = None if reader is None else reader.latest(key)
        if standing is not None:
            return project(session, standing, self.shelves, now())
        shown = self.shelves.current(session, key or DEFAULT_KEY, session.database.settings.language)
        return NO_DECISION if shown is None else undecided(shown, gpc=gpc)

    def _in_waves(self, session: Session, writes: Sequence[_Waiting]) -> list[Any]:
        answers: list[Any] = []
        for _, alike in groupby(writes, key=type):
            these = list(alike)
            for wave in waves(
                [write for write in these if isinstance(write, _Recording)], lambda recording: recording.names
            ):
                answers += self.add(session, wave)
            answers += each(session, [write for write in these if not isinstance(write, _Recording)])
        return answers

    def add(self, session: Session, recordings: Sequence[_Recording]) -> list[Outcome | ServiceError]:
        """Add decisions of which no two are the same reader's: what each led to, or why it was refused."""
        readers = find_readers(
            session, {one.asked.secret for one in recordings if one.asked.secret is not None}
        )
        found = [self._find(session, one, readers) for one in recordings]
        pairs = [(one, what) for one, what in zip(recordings, found, strict=True) if isinstance(what, _Found)]
        added = add_events(
            session,
            [Adding(what.event, one.dedupe, one.digest, one.asked.repeats or None) for one, what in pairs],
        )
        add_subjects(
            session,
            [
                what.reader
                for _, what in pairs
                if isinstance(what.reader, Subject) and what.event.event_id in added
            ],
        )
        return [self._answer(session, one, what, added) for one, what in zip(recordings, found, strict=True)]

    def _find(
        self, session: Session, recording: _Recording, readers: Mapping[str, Reader]
    ) -> _Found | ServiceError:
        decision, asked = recording.decision, recording.asked
        shown = self.shelves.find(session, decision.notice_key, decision.notice_version)
        if shown is None:
            return _never_published(decision)
        try:
            choices = choose(shown, decision, gpc=asked.gpc)
        except Unprocessable as refusal:
            return refusal
        reader = None if asked.secret is None else readers.get(asked.secret)
        who = subjects.new_subject(self._signing_key, asked.unguessable_key) if reader is None else reader
        standing = None if reader is None else reader.standings.get(shown.key)
        return _Found(_decided(shown, decision, choices, standing, who.pseudonym, asked), standing, who)

    def _answer(
        self, session: Session, recording: _Recording, found: _Found | ServiceError, added: Collection[UUID]
    ) -> Outcome | ServiceError:
        if isinstance(found, ServiceError):
            return found
        if found.event.event_id not in added:
            return self._replay(session, recording)
        standing = (
            first_standing(found.event) if found.standing is None else found.standing.joined_by(found.event)
        )
        secret = found.reader.secret if isinstance(found.reader, Subject) else recording.asked.secret
        return self._outcome(session, found.event, standing, secret)

    def _fingerprints(self, decision: Decision, key: str | None) -> tuple[str | None, str]:
        """Return the digest that every retry of this decision has in common, if there is one, and the digest
        of every request with this body.
        """
        body = decision.model_dump_json().encode()
        if key is not None:
            return self._keyed(b"key", key.encode()), self._keyed(b"body", body)
        if decision.consent_id is not None and decision.client_event_time is not None:
            return self._keyed(b"decision", body), self._keyed(b"body", body)
        return None, self._keyed(b"body", body)

    def _keyed(self, purpose: bytes, content: bytes) -> str:
        return hmac.new(
            self._signing_key, b"consent " + purpose + b"\0" + content, hashlib.sha256
        ).hexdigest()

    def _replay(self, session: Session, recording: _Recording) -> Outcome | KeyReused:
        *row, kept_digest = session.execute(_BY_DEDUPE, {"dedupe": recording.dedupe}).one()
        if kept_digest != recording.digest:
            return KeyReused("This Idempotency-Key was used with another body.")
        asked = recording.asked
        event, secret = read_event(row), asked.secret
        reader = find_reader(session, secret, up_to=event.event_id)
        if (
            reader is None
            and (key := asked.unguessable_key) is not None
            and now() - event.event_time < COOKIE_GIVEN_AGAIN_FOR
        ):
            secret = subjects.derived_secret(self._signing_key, key)
            reader = find_reader(session, secret, up_to=event.event_id)
        if reader is None or reader.pseudonym != event.pseudonym:
            return self._outcome(session, event, first_standing(event), None, replayed=True)
        return self._outcome(session, event, reader.standings[event.notice_key], secret, replayed=True)

    def _outcome(
        self,
        session: Session,
        event: EventRead,
        standing: Standing,
        secret: str | None,
        *,
        replayed: bool = False,
    ) -> Outcome:
        record = project(session, standing, self.shelves, event.event_time)
        return Outcome(
            Recorded.model_construct(**dict(record), receipt=receipt(session, event, self.shelves)),
            secret,
            replayed,
        )

    def _withdraw(self, session: Session, withdrawal: Withdrawal, asked: DecisionRequest) -> Record:
        reader = find_reader(session, asked.secret)
        if reader is None:
            return self.current(session, None, withdrawal.notice_key, gpc=asked.gpc)
        for key, standing in reader.standings.items():
            if withdrawal.notice_key in (None, key) and standing.decisive.event_state is not State.WITHDRAWN:
                event = self._withdrawn(session, standing, withdrawal, asked)
                add_events(session, [Adding(event)])
                reader.standings[key] = standing.joined_by(event)
        return self.current(session, reader, withdrawal.notice_key, gpc=asked.gpc)

    def _withdrawn(
        self, session: Session, standing: Standing, withdrawal: Withdrawal, asked: DecisionRequest
    ) -> EventRead:
        before, at = standing.decisive, now()
        shown = self.shelves.shown(session, before)
        return EventRead.model_construct(
            event_id=new_id(),
            event_time=at,
            client_event_time=None,
            # A grant by a clock that runs ahead must not outlast the withdrawal that follows it.
            decided_at=max(at, standing.decided_at),
            valid_until=None,
            event_state=State.WITHDRAWN,
            action=Action.WITHDRAW,
            purposes=[shown.choice(key, granted=False) for key in shown.purposes],
            notice_key=shown.key,
            notice_version=shown.version,
            notice_content_hash=shown.content_hash,
            language=before.language,
            ui_surface=withdrawal.ui_surface,
            gpc=asked.gpc,
            country=asked.country,
            consent_id=before.consent_id,
            pseudonym=before.pseudonym,
            previous_event_id=before.event_id,
        )


def _decided(
    shown: Shown,
    decision: Decision,
    choices: list[PurposeDecision],
    standing: Standing | None,
    pseudonym: str,
    asked: DecisionRequest,
) -> EventRead:
    at = now()
    state = state_of(shown, decision, choices, standing)
    decided_at, valid_from = place(
        decision.client_event_time, at, denies=state not in GRANTS, standing=standing
    )
    # Constructed, not validated: every part of it has been.
    return EventRead.model_construct(
        event_id=new_id(),
        event_time=at,
        client_event_time=decision.client_event_time,
        decided_at=decided_at,
        valid_until=valid_from + timedelta(days=shown.validity_days),
        event_state=state,
        action=decision.action,
        purposes=choices,
        notice_key=shown.key,
        notice_version=shown.version,
        notice_content_hash=shown.content_hash,
        language=shown.language,
        ui_surface=decision.ui_surface,
        gpc=asked.gpc,
        country=asked.country,
        consent_id=decision.consent_id,
        pseudonym=pseudonym,
        previous_event_id=None if standing is None else standing.decisive.event_id,
    )


def _never_published(decision: Decision | Impression) -> NeverPublished:
    message = f"no version {decision.notice_version} of {decision.notice_key!r} was ever published"
    return NeverPublished(message, errors=[FieldProblem(pointer="/notice_version", message=message)])
