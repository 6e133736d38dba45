"""Turn a reader's answer to a notice into a decision: every purpose that was shown is granted or denied, and
no other is.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

import langcodes
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StringConstraints

from service.consent.decisions.record import Standing
from service.consent.models import Action, Choice, ConsentModel, Key, PurposeDecision, State
from service.consent.notices.shelf import Shown
from service.errors import FieldProblem, Unprocessable
from service.tables import Language, Time

CLOCK_TOLERANCE = timedelta(minutes=5)
CLOCK_LOST = timedelta(days=400)
"""No browser keeps an unsent decision for longer: cookies end after 400 days. A clock that says so is wrong.
"""
Surface = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
ConsentId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=128)]


class UnknownPurpose(Unprocessable):
    """The notice version that the decision names has no such purpose, or the decision names one twice."""

    title = "Unknown purpose"


class NotOffered(Unprocessable):
    """The notice does not offer this action, or the purposes that are sent with it say something else than
    the action does.
    """

    title = "The notice offers no such decision"


class AnotherLanguage(Unprocessable):
    """The notice version that the decision names has no words in this language, so that the reader cannot
    have decided on it: each language of a notice is a version of its own. Variants of one language are one.
    """

    title = "The notice was not shown in this language"


class Decision(BaseModel):
    """A reader's answer to a notice. `accept_all` and `reject_all` need no purposes; `save` does. One that a
    list leaves out is denied, whatever the action.
    """

    model_config = ConfigDict(extra="forbid")

    notice_key: Key = Field(examples=["default"])
    notice_version: StrictInt = Field(ge=1, le=2**31 - 1, examples=[1])
    action: Literal[Action.ACCEPT_ALL, Action.REJECT_ALL, Action.SAVE, Action.ACKNOWLEDGE]
    purposes: Annotated[list[PurposeDecision], Field(max_length=50)] = Field(default_factory=list)
    language: Language | None = Field(
        default=None,
        description="the language that was shown, to be checked against the notice's, which is recorded",
    )
    ui_surface: Surface | None = Field(default=None, examples=["banner", "settings"])
    consent_id: ConsentId | None = Field(
        default=None, description="the page's own id of this consent: it correlates, and opens nothing"
    )
    client_event_time: Time | None = Field(
        default=None, description="when the reader decided, by the reader's clock"
    )


class Withdrawal(BaseModel):
    """The notice whose consent to withdraw; absent: all. No reason is asked for."""

    model_config = ConfigDict(extra="forbid")

    notice_key: Key | None = Field(None, examples=["default"])
    ui_surface: Surface | None = None


def choose(shown: Shown, decision: Decision, *, gpc: bool) -> list[PurposeDecision]:
    """Decide every purpose that was shown. Raises AnotherLanguage, UnknownPurpose and NotOffered."""
    _need_language(shown, decision)
    named = _named(shown, decision)
    _need_offer(shown, decision, named)
    by_name = {key for key, choice in named.items() if choice is Choice.GRANTED}
    # A list is all that the reader was shown: nobody has accepted what it leaves out.
    asked_for = set(shown.purposes) if decision.action is Action.ACCEPT_ALL and not named else by_name
    granted = asked_for - shown.withheld(decision.action, gpc=gpc).keys()
    # Of whoever accepts everything at once, banners name everything: only a list that leaves some out
    # chooses.
    if not shown.child_directed and not by_name >= set(shown.purposes) - shown.required:
        granted |= by_name
    return [shown.choice(key, granted=key in granted) for key in shown.purposes]


def _need_language(shown: Shown, decision: Decision) -> None:
    said = decision.language
    if said is not None and said != shown.language and not _same_language(said, shown.language):
        message = f"version {shown.version} of {shown.key!r} is in {shown.language!r}, not in {said!r}"
        raise AnotherLanguage(message, errors=[FieldProblem(pointer="/language", message=message)])


@lru_cache(maxsize=1_000)
def _same_language(one: str, other: str) -> bool:
    """Return whether two tags are one written language: en-NZ and en are, zh-Hant and zh-Hans are not."""
    first, second = (langcodes.get(tag).maximize() for tag in (one, other))
    return (first.language, first.script) == (second.language, second.script)


def _named(shown: Shown, decision: Decision) -> dict[str, Choice]:
    named: dict[str, Choice] = {}
    for place, purpose in enumerate(decision.purposes):
        key = purpose.purpose_key
        if key not in shown.purposes or key in named:
            message = (
                f"{key!r} is named twice"
                if key in named
                else f"version {shown.version} of {shown.key!r} has no purpose {key!r}"
            )
            raise UnknownPurpose(
                message, errors=[FieldProblem(pointer=f"/purposes/{place}/purpose_key", message=message)]
            )
        named[key] = purpose.decision
    return named


def _need_offer(shown: Shown, decision: Decision, named: dict[str, Choice]) -> None:
    action = decision.action
    if action is Action.ACKNOWLEDGE and shown.model is ConsentModel.OPT_IN:
        raise _not_offered(
            "/action", "an opt_in notice is accepted, rejected or chosen from, not acknowledged"
        )
    if action in (Action.ACCEPT_ALL, Action.SAVE) and shown.model is ConsentModel.NOTICE_ONLY:
        raise _not_offered("/action", "this notice only informs: it can be acknowledged or rejected")
    if action is Action.SAVE:
        if not named:
            raise _not_offered("/purposes", "save needs the purposes that were chosen")
        return
    said = Choice.GRANTED if action is Action.ACCEPT_ALL else Choice.DENIED
    for place, purpose in enumerate(decision.purposes):
        if purpose.decision is not said and purpose.purpose_key not in shown.required:
            raise _not_offered(
                f"/purposes/{place}/decision",
                f"{action} does not leave {purpose.purpose_key!r} {purpose.decision}",
            )


def _not_offered(pointer: str, message: str) -> NotOffered:
    return NotOffered(f"{pointer}: {message}.", errors=[FieldProblem(pointer=pointer, message=message)])


def state_of(
    shown: Shown, decision: Decision, choices: Collection[PurposeDecision], standing: Standing | None
) -> State:
    """Return the state that a decision leads to: given when anything optional is granted, or when all was
    accepted and nothing is optional.
    """
    if decision.action is Action.ACKNOWLEDGE:
        return State.UNKNOWN
    optional = [choice for choice in choices if choice.purpose_key not in shown.required]
    granted = any(choice.decision is Choice.GRANTED for choice in optional)
    if not granted and (optional or decision.action is not Action.ACCEPT_ALL):
        return State.REFUSED
    return State.GIVEN if standing is None or standing.first_grant_at is None else State.RENEWED


def place(
    claimed: datetime | None, at: datetime, *, denies: bool, standing: Standing | None
) -> tuple[datetime, datetime]:
    """Return when the reader is taken to have decided, and from when the decision's validity counts.

    The reader's clock is believed from 400 days back to 5 minutes ahead. Where it cannot be, doubt goes to
    the denial: a denial counts as of now, a grant by a clock that lost its date as of the date that it
    claims.
    """
    newest = at if standing is None else max(at, standing.decided_at)
    if claimed is None:
        return (newest if denies else at), at
    if claimed > at + CLOCK_TOLERANCE:
        return (newest if denies else _not_past_a_denial(claimed, at, standing)), at
    if claimed < at - CLOCK_LOST:
        return (newest if denies else claimed), at
    return claimed, claimed


def _not_past_a_denial(claimed: datetime, at: datetime, standing: Standing | None) -> datetime:
    """Two decisions by one clock that runs ahead may arrive in the wrong order: the denial that it says came
    later must win.
    """
    for event in standing.events if standing else ():
        ahead = (
            event.client_event_time is not None
            and event.client_event_time > event.event_time + CLOCK_TOLERANCE
        )
        if (
            ahead
            and event.client_event_time is not None
            and event.client_event_time >= claimed
            and event.event_state is State.REFUSED
        ):
            return min(at, event.decided_at)
    return at
