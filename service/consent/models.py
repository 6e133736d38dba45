"""What a consent notice, a reader and a decision are, in their tables; events are only ever added, and a published notice stays.

Two guards keep that: the listeners below refuse it in this process, and triggers refuse it in the database. What the triggers let
through is what erasing a reader needs: `consent_id` and the two digests of an event may become null, and nothing else may change.
"""

import enum
from typing import Annotated, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import StringConstraints
from sqlalchemy import Connection, ForeignKeyConstraint, Index, UniqueConstraint, event, inspect, text
from sqlalchemy.orm import Mapper
from sqlmodel import Field, SQLModel

from service.tables import Json, Language, Line, Shape, Table, Text, Time, WebAddress, new_id, now, text_enum


class ConsentModel(enum.StrEnum):
    """What a notice asks: `opt_in` before anything optional, `opt_out` after it, `notice_only` nothing."""

    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    NOTICE_ONLY = "notice_only"


class NoticeStatus(enum.StrEnum):
    """Where a version of a notice is: `retired` is one that a newer version in its language has replaced."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Choice(enum.StrEnum):
    """What was decided about one purpose."""

    GRANTED = "granted"
    DENIED = "denied"


class Action(enum.StrEnum):
    """What the reader did."""

    ACCEPT_ALL = "accept_all"
    REJECT_ALL = "reject_all"
    SAVE = "save"
    ACKNOWLEDGE = "acknowledge"
    WITHDRAW = "withdraw"


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
NoticeKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$", max_length=100)]
PurposeKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$", max_length=60)]
GoogleConsentType = Literal[
    "ad_storage", "ad_user_data", "ad_personalization", "analytics_storage",
    "functionality_storage", "personalization_storage", "security_storage",
]  # fmt: skip


class Purpose(Shape):
    """One purpose that a notice shows; `services` are the recipients of what is collected for it."""

    purpose_key: PurposeKey
    name: Line
    description: Text = ""
    required: bool = pydantic_field(False, description="needed for the service itself: not asked for, and not refusable")
    pregranted: bool = pydantic_field(False, description="shown as granted before the reader has done anything")
    lawful_basis: Line = pydantic_field("consent", examples=["consent", "legitimate_interests", "contract"])
    services: Annotated[list[Line], pydantic_field(max_length=500)] = []
    google_consent_types: list[GoogleConsentType] = []


