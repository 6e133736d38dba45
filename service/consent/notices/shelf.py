"""The published notices at hand: each version is read once per process, and the list of versions looked at
again when it may have grown.

A published version never changes, so it is kept for good. Which versions there are is believed for a second,
or until this process publishes something itself; a version that is not at hand is always looked for.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict
from sqlmodel import col, select

from service.consent.models import (
    Action,
    Choice,
    ConsentModel,
    ConsentNotice,
    Controller,
    EventRead,
    NoticeStatus,
    NoticeTexts,
    Override,
    Purpose,
    PurposeDecision,
)
from service.database import Session

BELIEVED_FOR = 1.0
SALE_OR_SHARING = frozenset({"ad_storage", "ad_user_data", "ad_personalization"})
GOOGLE_CONSENT_MODE = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
"""The signals of version 2, which are told whether or not a purpose serves them."""
_ADVERTISING = frozenset(
    {
        "marketing",
        "advertising",
        "ads",
        "targeted_advertising",
        "sale",
        "sharing",
        "sale_or_sharing",
        "sell_or_share",
    }
)


class Wording(BaseModel):
    """The words that the reader was shown; `content_hash` is the SHA-256 of them in canonical JSON."""

    model_config = ConfigDict(from_attributes=True)

    notice_key: str
    version: int
    language: str
    consent_model: ConsentModel
    texts: NoticeTexts
    purposes: list[Purpose]
    privacy_notice_url: str | None
    terms_url: str | None
    controller: Controller | None
    jurisdiction: str | None
    content_hash: str
    valid_for_consent: bool
    validity_findings: list[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """The facts of a version that a decision about it needs."""

    key: str
    version: int
    language: str
    content_hash: str
    model: ConsentModel
    validity_days: int
    purposes: tuple[str, ...]
    required: frozenset[str]
    choices: Mapping[str, tuple[PurposeDecision, PurposeDecision]]
    advertising: frozenset[str]
    defaults: frozenset[str]
    """The optional purposes that are granted until the reader decides: only an opt_out notice has any."""
    child_directed: bool
    signals: tuple[tuple[str, frozenset[str]], ...]
    effective_at: datetime
    reasons: tuple[str, ...]
    wording: Wording

    def choice(self, purpose: str, *, granted: bool) -> PurposeDecision:
        """Return the choice to store for a purpose: a required purpose is granted whatever the
        reader says.
        """
        return self.choices[purpose][granted or purpose in self.required]

    def withheld(self, action: Action, *, gpc: bool) -> dict[str, Override]:
        """Return the purposes that an action does not grant, though it says so, and why.

        Global Privacy Control withholds what advertises from whoever accepts everything at once. `save`,
        which is about each purpose, does grant it.
        """
        if action not in (Action.ACCEPT_ALL, Action.SAVE):
            return {}
        if self.child_directed:
            return dict.fromkeys(set(self.purposes) - self.required, Override.CHILD_DIRECTED)
        if gpc and action is Action.ACCEPT_ALL:
            return dict.fromkeys(self.advertising, Override.GPC)
        return {}

    def google_consent(self, granted: Collection[str]) -> dict[str, Choice]:
        """Return the signals of Google Consent Mode v2: one is granted when every purpose that
        it serves is.
        """
        return {
            signal: Choice.GRANTED if serves.issubset(granted) else Choice.DENIED
            for signal, serves in self.signals
        }


@dataclass(slots=True)
class _Shelf:
    versions: dict[int, Shown] = field(default_factory=dict)
    looked_at: float = -BELIEVED_FOR
    at_sequence: int = -1


class Shelves:
    """The published notices of one running service."""

    def __init__(self) -> None:
        self._shelves: dict[str, _Shelf] = {}

    def find(self, session: Session, key: str, version: int) -> Shown | None:
        """Find a version that was ever published."""
        shelf = self._look(session, key)
        if version not in shelf.versions:
            shelf = self._look(session, key, anew=True)
        return shelf.versions.get(version)

    def shown(self, session: Session, event: EventRead) -> Shown:
        """Return the version that an event is about. It is always there: a notice outlives the events that
        cite it.
        """
        shown = self.find(session, event.notice_key, event.notice_version)
        assert shown is not None
        return shown

    def current(self, session: Session, key: str, language: str) -> Shown | None:
        """Return the version that holds now, in a language or else the one published last; None for an
        unknown key.
        """
        versions = sorted(self._look(session, key).versions.values(), key=lambda one: one.version)
        spoken = [one for one in versions if one.language == language]
        return next(reversed(spoken or versions), None)

    def later(self, session: Session, shown: Shown, *, by: datetime) -> list[Shown]:
        """Return the versions that followed one in its language, and were in force at a time."""
        versions = self._look(session, shown.key).versions.values()
        followed = (one for one in versions if one.version > shown.version and one.language == shown.language)
        return sorted((one for one in followed if one.effective_at <= by), key=lambda one: one.version)

    def _look(self, session: Session, key: str, *, anew: bool = False) -> _Shelf:
        shelf = self._shelves.get(key, _Shelf())
        sequence = session.database.known_sequence
        fresh = time.monotonic() - shelf.looked_at < BELIEVED_FOR and shelf.at_sequence == sequence
        if fresh and not anew:
            return shelf
        looked_at = time.monotonic()
        added = _published(session, key, shelf)
        shelf = _Shelf({**shelf.versions, **added}, looked_at, sequence)
        # Only keys that exist are kept: made-up ones must not fill the memory.
        if shelf.versions:
            self._shelves[key] = shelf
        return shelf


def _published(session: Session, key: str, shelf: _Shelf) -> dict[int, Shown]:
    chosen = select(ConsentNotice).where(
        ConsentNotice.notice_key == key, col(ConsentNotice.status) != NoticeStatus.DRAFT
    )
    found = session.exec(chosen.where(col(ConsentNotice.version).not_in(list(shelf.versions)))).all()
    return {notice.version: _shown(notice) for notice in found}


def _shown(notice: ConsentNotice) -> Shown:
    assert notice.effective_at is not None
    required = frozenset(purpose.purpose_key for purpose in notice.purposes if purpose.required)
    pregranted = frozenset(purpose.purpose_key for purpose in notice.purposes if purpose.pregranted)
    return Shown(
        key=notice.notice_key,
        version=notice.version,
        language=notice.language,
        content_hash=notice.content_hash,
        model=notice.consent_model,
        validity_days=notice.validity_days,
        purposes=tuple(purpose.purpose_key for purpose in notice.purposes),
        required=required,
        choices={purpose.purpose_key: _choices(purpose.purpose_key) for purpose in notice.purposes},
        advertising=frozenset(one.purpose_key for one in notice.purposes if advertises(one)) - required,
        defaults=pregranted - required if notice.consent_model is ConsentModel.OPT_OUT else frozenset(),
        child_directed=notice.child_directed,
        signals=tuple(_signals(notice.purposes)),
        effective_at=notice.effective_at,
        reasons=tuple(notice.reconsent_reasons),
        wording=Wording.model_validate(notice),
    )


def _choices(key: str) -> tuple[PurposeDecision, PurposeDecision]:
    """Return one shared value per choice, because every decision holds some of them."""
    return PurposeDecision(purpose_key=key, decision=Choice.DENIED), PurposeDecision(
        purpose_key=key, decision=Choice.GRANTED
    )


def _signals(purposes: list[Purpose]) -> Iterator[tuple[str, frozenset[str]]]:
    mapped = [signal for purpose in purposes for signal in purpose.google_consent_types]
    for signal in dict.fromkeys([*GOOGLE_CONSENT_MODE, *mapped]):
        # One that no purpose serves is denied: no set of what was granted has the name of a purpose that is
        # none.
        yield (
            signal,
            frozenset(one.purpose_key for one in purposes if signal in one.google_consent_types)
            or frozenset({""}),
        )


def advertises(purpose: Purpose) -> bool:
    """Return whether Global Privacy Control is about this purpose: advertising, sale or sharing."""
    return purpose.purpose_key in _ADVERTISING or not SALE_OR_SHARING.isdisjoint(purpose.google_consent_types)
