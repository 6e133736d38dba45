"""Tables of consent: notices, readers and decisions. Events are only ever added, and a published notice
stays.

Two guards keep that: the listeners below refuse it in this process, and triggers refuse it in the database.
What the triggers let through is what erasing a reader needs: `consent_id` and the two digests of an event may
become null, and nothing else may change.
"""

import enum
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictBool, StrictInt, StringConstraints
from sqlalchemy import Connection, ForeignKeyConstraint, Index, UniqueConstraint, event, inspect, text
from sqlalchemy.orm import Mapper
from sqlmodel import Field, SQLModel

from service.tables import (
    Json,
    Language,
    Line,
    Shape,
    Table,
    Text,
    Time,
    WebAddress,
    Wording,
    new_id,
    now,
    text_enum,
)

VALIDITY_DAYS = 182


class ConsentModel(enum.StrEnum):
    """The kind of consent that a notice asks for: `opt_in` before anything optional, `opt_out` after it,
    `notice_only` none.
    """

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NOTICE_ONLY = "notice_only"


class NoticeStatus(enum.StrEnum):
    """The place of a notice's version in its life; `retired` is one that a newer version in its language has
    replaced.
    """

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Choice(enum.StrEnum):
    """The decision about one purpose."""

    GRANTED = "granted"
    DENIED = "denied"


class Override(enum.StrEnum):
    """The reason why a purpose stays denied although the reader accepted it: Global Privacy Control, or a
    notice that is directed at children.
    """

    GPC = "gpc"
    CHILD_DIRECTED = "child_directed"


class Action(enum.StrEnum):
    """The act of a reader; `expire` is nobody's act: the time of a decision ran out."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    ACKNOWLEDGE = "acknowledge"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"


class State(enum.StrEnum):
    """A consent status of the W3C Data Privacy Vocabulary."""

    GIVEN = "ConsentGiven"
    RENEWED = "RenewedConsentGiven"
    REFUSED = "ConsentRefused"
    WITHDRAWN = "ConsentWithdrawn"
    EXPIRED = "ConsentExpired"
    INVALIDATED = "ConsentInvalidated"
    UNKNOWN = "ConsentUnknown"


GRANTS = (State.GIVEN, State.RENEWED)


def _distinct(purposes: list["Purpose"]) -> list["Purpose"]:
    keys = [purpose.purpose_key for purpose in purposes]
    again = next((key for place, key in enumerate(keys) if key in keys[:place]), None)
    if again is not None:
        raise ValueError(f"there are two purposes {again!r}")
    return purposes


Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$", max_length=100)]
"""The name of a notice or a purpose for programs: lower case letters, digits, and `.`, `_`, `-` between
them.
"""
Label = Annotated[Line, StringConstraints(max_length=100)]
GoogleConsentType = Literal[
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
]


class Purpose(Shape):
    """One purpose that a notice shows; `services` are the recipients of what is collected for it."""

    purpose_key: Key
    name: Line
    description: Text = ""
    required: StrictBool = Field(
        default=False,
        description="the service cannot do without it: it is not asked for and cannot be refused",
    )
    pregranted: StrictBool = Field(
        default=False,
        description=(
            "shown as granted before the reader has done anything; in an opt_out notice it is granted until"
            " then"
        ),
    )
    lawful_basis: Line = Field(
        default="consent", schema_extra={"examples": ["consent", "legitimate_interests", "contract"]}
    )
    services: Annotated[list[Line], Field(max_length=500)] = Field(default_factory=list)
    google_consent_types: Annotated[list[GoogleConsentType], Field(max_length=50)] = Field(
        default_factory=list
    )


class Actions(Shape):
    """The labels of the buttons on the notice's first layer; null where there is no such button."""

    accept_all: Label | None = None
    reject_all: Label | None = None
    save: Label | None = None
    acknowledge: Label | None = None


class NoticeTexts(Shape):
    """The words of a notice."""

    title: Line | None = None
    body: Wording
    actions: Actions = Actions()


class Controller(Shape):
    """The organisation that is responsible for the reader's data."""

    name: Line
    contact: Line | None = None


class NoticeContent(SQLModel):
    """The content of a notice that an editor writes."""

    notice_key: Key = Field(schema_extra={"examples": ["default"]})
    consent_model: ConsentModel = Field(default=ConsentModel.OPT_IN, sa_type=text_enum(ConsentModel))
    language: Language
    texts: NoticeTexts = Field(sa_type=Json(NoticeTexts))
    purposes: Annotated[list[Purpose], Field(max_length=50), AfterValidator(_distinct)] = Field(
        default_factory=list, sa_type=Json(list[Purpose])
    )
    privacy_notice_url: WebAddress | None = None
    terms_url: WebAddress | None = None
    controller: Controller | None = Field(default=None, sa_type=Json(Controller))
    jurisdiction: Line | None = Field(default=None, schema_extra={"examples": ["EU"]})
    validity_days: StrictInt = Field(
        default=VALIDITY_DAYS, ge=1, le=730, description="days for which a decision on this notice holds"
    )
    requires_reconsent: StrictBool | None = Field(
        default=None,
        description="whether readers must be asked again; worked out from what changed when it is not given",
    )
    child_directed: StrictBool = Field(
        default=False, description="true: whatever is decided on it, no optional purpose is granted"
    )


class ConsentNotice(NoticeContent, Table, table=True):
    """One version of a notice. A draft can be edited; from its publication on, only `published` may become
    `retired`.
    """

    __tablename__ = "consent_notice"
    __table_args__ = (
        UniqueConstraint("notice_key", "version"),
        Index(
            "uq_consent_notice_draft",
            "notice_key",
            "language",
            unique=True,
            postgresql_where=text("status = 'draft'"),
            sqlite_where=text("status = 'draft'"),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int
    revision: int = 1
    status: NoticeStatus = Field(default=NoticeStatus.DRAFT, sa_type=text_enum(NoticeStatus))
    content_hash: str
    effective_at: Time | None = None
    reconsent_reasons: list[str] = Field(default_factory=list, sa_type=Json(list[str]))
    reconsent_override: str | None = None
    valid_for_consent: bool
    validity_findings: list[str] = Field(default_factory=list, sa_type=Json(list[str]))
    created_at: Time = Field(default_factory=now)
    updated_at: Time = Field(default_factory=now)


def notice_id(key: str, version: int) -> UUID:
    """Return the id of a version, from its name (UUIDv5), so that `/{key}/versions/{n}` is found among the
    published by id.
    """
    return uuid5(NAMESPACE_URL, f"/v1/consent-notices/{key}/versions/{version}")


class ConsentSubject(Table, table=True):
    """A reader who has decided something. Deleting the row, and the salt in it, leaves events that belong to
    nobody.

    `pseudonym` is HMAC-SHA256(salt, id). It stands here too, beside the salt that it is made with, so that a
    cookie leads to the reader's events in one read.
    """

    __tablename__ = "consent_subject"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    salt: bytes
    pseudonym: str = Field(unique=True)
    secret_digest: str = Field(unique=True)
    created_at: Time = Field(default_factory=now)


class PurposeDecision(BaseModel):
    """A decision about one purpose."""

    # Not a Shape: those are validated in Python, and a decision has several of these. Frozen: decisions share
    # them.
    model_config = ConfigDict(extra="forbid", frozen=True)

    purpose_key: Key
    decision: Choice


class ConsentEvent(Table, table=True):
    """One act of a reader, as it was received. The words that were shown are those of the notice version,
    which never change.

    `event_time` is the server's clock. `decided_at` is when the reader is taken to have decided, and orders a
    reader's events. `dedupe` is null, or the same for every retry of one decision; `request_digest` tells a
    retry from another request. `repeats` is true where the same browser had just decided without a cookie.
    """

    __tablename__ = "consent_event"
    __table_args__ = (
        Index("ix_consent_event_standing", "pseudonym", "notice_key", "decided_at"),
        Index("ix_consent_event_valid_until", "valid_until"),
        Index("ix_consent_event_consent_id", "consent_id"),
        ForeignKeyConstraint(
            ["notice_key", "notice_version"], ["consent_notice.notice_key", "consent_notice.version"]
        ),
    )

    event_id: UUID = Field(default_factory=new_id, primary_key=True)
    pseudonym: str
    event_time: Time
    client_event_time: Time | None = None
    decided_at: Time
    valid_until: Time | None = None
    event_state: State = Field(sa_type=text_enum(State))
    action: Action = Field(sa_type=text_enum(Action))
    purposes: list[PurposeDecision] = Field(sa_type=Json(list[PurposeDecision]))
    notice_key: str
    notice_version: int
    notice_content_hash: str
    language: str
    ui_surface: str | None = None
    gpc: bool
    country: str | None = None
    consent_id: str | None = None
    previous_event_id: UUID | None = None
    dedupe: str | None = Field(default=None, unique=True)
    request_digest: str | None = None
    repeats: bool | None = None


class EventRead(BaseModel):
    """One event, as it was recorded. `leaf_index` and `leaf_hash` are its place in the log, once it is sealed
    there; `v` is the version of its entry, which says what is hashed into the leaf.
    """

    event_id: UUID
    event_time: Time
    client_event_time: Time | None
    decided_at: Time
    valid_until: Time | None
    event_state: State
    action: Action
    purposes: list[PurposeDecision]
    notice_key: str
    notice_version: int
    notice_content_hash: str
    language: str
    ui_surface: str | None
    gpc: bool
    country: str | None
    consent_id: str | None
    pseudonym: str
    previous_event_id: UUID | None
    v: int | None = None
    leaf_index: int | None = None
    leaf_hash: str | None = None


class Unchangeable(RuntimeError):
    """Code tried to change or delete what is kept for ever. A fault of the service's own."""


@event.listens_for(ConsentEvent, "before_update")
@event.listens_for(ConsentEvent, "before_delete")
def _keep_event(_mapper: Mapper[ConsentEvent], _connection: Connection, _target: ConsentEvent) -> None:
    raise Unchangeable("Consent events are only ever added.")


@event.listens_for(ConsentNotice, "before_update")
def _keep_notice(_mapper: Mapper[ConsentNotice], _connection: Connection, target: ConsentNotice) -> None:
    attributes = inspect(target).attrs
    before = attributes.status.history.deleted or [target.status]
    changed = {attribute.key for attribute in attributes if attribute.history.has_changes()}
    if before != [NoticeStatus.DRAFT] and (changed - {"status"} or target.status is not NoticeStatus.RETIRED):
        raise Unchangeable("A published notice never changes: write a new version.")


@event.listens_for(ConsentNotice, "before_delete")
def _keep_published(_mapper: Mapper[ConsentNotice], _connection: Connection, target: ConsentNotice) -> None:
    if target.status is not NoticeStatus.DRAFT:
        raise Unchangeable("A published notice is kept.")
