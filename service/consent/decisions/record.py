"""Work out a reader's record from the reader's events whenever it is asked for. The record is stored nowhere.

The latest decision on a notice holds, by the time at which the reader is taken to have decided and not by
arrival. Where several have the same time, a purpose is granted only if every one of them grants it. Time
alone ends a decision: no job has to run.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from service.consent.models import GRANTS, Action, Choice, ConsentModel, EventRead, Override, State
from service.consent.notices.shelf import GOOGLE_CONSENT_MODE, Shelves, Shown, Wording
from service.database import Session
from service.tables import Time

_HOLDS_FOR_A_TIME = (*GRANTS, State.REFUSED)
_MOST_DENYING_FIRST = (State.WITHDRAWN, State.REFUSED, State.UNKNOWN, State.GIVEN, State.RENEWED)


class PurposeStanding(BaseModel):
    """The choice that holds for one purpose."""

    purpose_key: str
    decision: Choice
    overridden_by: Override | None = Field(
        description=(
            "why it is denied although the reader accepted: `gpc`, the browser's Global Privacy Control, "
            "or `child_directed`, the notice"
        )
    )


class Record(BaseModel):
    """The standing of a reader. A page that shows the notice asks again when `reconsent_required` is true.

    `reconsent_reasons` holds `no_decision`, `expired`, `stale_notice` (the words decided on had been replaced
    before), `new_purpose:<key>`, `new_recipient:<key>:<service>`, `new_consent_model:…`, `new_controller:…`,
    `asked_for_by_publisher`.
    """

    status: State
    purposes: list[PurposeStanding]
    google_consent: dict[str, Choice] = Field(
        description="for Google Consent Mode v2, from the purposes' `google_consent_types`"
    )
    valid_until: Time | None
    reconsent_required: bool
    reconsent_reasons: list[str]
    notice_key: str | None = Field(
        description=(
            "the notice that was decided on; before a decision, the opt_out notice whose defaults hold"
        ),
        examples=["default"],
    )
    notice_version: int | None
    notice_content_hash: str | None
    language: str | None
    event_id: UUID | None = Field(description="the event that decided")
    decided_at: Time | None


class Receipt(BaseModel):
    """The receipt that a reader can keep: the event, and the words that it was about."""

    event: EventRead
    notice: Wording


class Recorded(Record):
    """The record after a decision, and the decision's receipt."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Standing:
    """The events of one reader on one notice that count: those with the latest time. `first_grant_at` is over
    all of them.
    """

    events: tuple[EventRead, ...]
    first_grant_at: datetime | None

    @property
    def decided_at(self) -> datetime:
        """Return the time of the events that count."""
        return self.events[0].decided_at

    @property
    def decisive(self) -> EventRead:
        """Return the event that speaks for those of its time: the most denying, and the newest of these."""
        return min(
            self.events, key=lambda event: (_MOST_DENYING_FIRST.index(event.event_state), -event.event_id.int)
        )

    def joined_by(self, event: EventRead) -> "Standing":
        """Return the reader's standing after one more event, whenever it arrives."""
        first = self.first_grant_at
        if event.event_state in GRANTS and (first is None or event.decided_at < first):
            first = event.decided_at
        if event.decided_at < self.decided_at:
            return replace(self, first_grant_at=first)
        together = (*self.events, event) if event.decided_at == self.decided_at else (event,)
        return Standing(together, first)


def first_standing(event: EventRead) -> Standing:
    """Return a reader's standing after a first event."""
    return Standing((event,), event.decided_at if event.event_state in GRANTS else None)


NO_DECISION = Record(
    status=State.UNKNOWN,
    purposes=[],
    google_consent=dict.fromkeys(GOOGLE_CONSENT_MODE, Choice.DENIED),
    valid_until=None,
    reconsent_required=True,
    reconsent_reasons=["no_decision"],
    notice_key=None,
    notice_version=None,
    notice_content_hash=None,
    language=None,
    event_id=None,
    decided_at=None,
)
"""The record of a reader who has decided nothing, or of whom nothing is kept."""


def undecided(shown: Shown, *, gpc: bool) -> Record:
    """Return the standing of a reader who has decided nothing on a notice: an opt_out notice grants its
    defaults until then, without those that Global Privacy Control withholds; any other grants nothing.
    """
    if shown.model is not ConsentModel.OPT_OUT:
        return NO_DECISION
    withheld = shown.withheld(Action.ACCEPT_ALL, gpc=gpc)
    granted = set(shown.defaults) - withheld.keys()
    return NO_DECISION.model_copy(
        update={
            "purposes": _standings(shown, granted, {key: withheld.get(key) for key in shown.defaults}),
            "google_consent": shown.google_consent(granted | shown.required),
            "notice_key": shown.key,
            "notice_version": shown.version,
            "notice_content_hash": shown.content_hash,
            "language": shown.language,
        }
    )


def _standings(
    shown: Shown, granted: Collection[str], overrides: Mapping[str, Override | None]
) -> list[PurposeStanding]:
    return [
        PurposeStanding.model_construct(
            purpose_key=key,
            decision=shown.choice(key, granted=key in granted).decision,
            overridden_by=overrides.get(key),
        )
        for key in shown.purposes
    ]


def project(session: Session, standing: Standing, shelves: Shelves, at: datetime) -> Record:
    """Work the record out as of a time."""
    event = standing.decisive
    shown = shelves.shown(session, event)
    granted = set.intersection(
        *(
            {one.purpose_key for one in each.purposes if one.decision is Choice.GRANTED}
            for each in standing.events
        )
    )
    if shown.child_directed:
        granted &= shown.required  # events of 0.1 may grant more
    valid_until = min(
        (each.valid_until for each in standing.events if each.valid_until is not None), default=None
    )
    expired = valid_until is not None and valid_until <= at
    status = _status(standing, shown, granted, expired=expired)
    reasons = list(_reasons(event, shelves.later(session, shown, by=at), expired=expired))
    if status not in GRANTS:
        granted = set()
    withheld = {} if expired else shown.withheld(event.action, gpc=event.gpc)
    return Record(
        status=status,
        purposes=_standings(shown, granted, {key: withheld[key] for key in withheld.keys() - granted}),
        google_consent=shown.google_consent(granted | shown.required),
        valid_until=valid_until,
        reconsent_required=bool(reasons),
        reconsent_reasons=reasons,
        notice_key=event.notice_key,
        notice_version=event.notice_version,
        notice_content_hash=event.notice_content_hash,
        language=event.language,
        event_id=event.event_id,
        decided_at=event.decided_at,
    )


def _status(standing: Standing, shown: Shown, granted: set[str], *, expired: bool) -> State:
    state = standing.decisive.event_state
    if expired and state in _HOLDS_FOR_A_TIME:
        return State.EXPIRED
    if state not in GRANTS:
        return state
    optional = set(shown.purposes) - shown.required
    if optional and not granted & optional:
        return State.REFUSED  # several at the same time, each denying what another grants
    assert standing.first_grant_at is not None
    return State.RENEWED if standing.first_grant_at < standing.decided_at else State.GIVEN


def _reasons(event: EventRead, later: list[Shown], *, expired: bool) -> Iterator[str]:
    if event.event_state is State.WITHDRAWN:
        return  # whoever withdraws is not asked until they ask themselves
    if expired:
        yield "expired"
    when = min(event.decided_at, event.event_time)
    if any(version.effective_at <= when for version in later):
        yield "stale_notice"
    yield from dict.fromkeys(reason for version in later for reason in version.reasons)


def receipt(session: Session, event: EventRead, shelves: Shelves) -> Receipt:
    """Return the receipt of one event."""
    return Receipt(event=event, notice=shelves.shown(session, event).wording)
