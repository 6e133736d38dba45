"""Tables of webhooks, of the messages to send, and of each attempt to send one."""

import enum
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import pydantic
from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from service.published.feed import Followed
from service.tables import (
    Json,
    Language,
    Line,
    Reading,
    Secret,
    Shape,
    Table,
    TableShape,
    Time,
    WebAddress,
    new_id,
    now,
    text_enum,
)


class DeliveryStatus(enum.StrEnum):
    """The state of a delivery. `failed` is only a test: every other delivery stays pending until it is
    delivered.
    """

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Notice(enum.StrEnum):
    """A warning to the house itself, which is no change of the store."""

    IMAGE_EXPIRING = "image.expiring"
    FOLLOWER_STALLED = "follower.stalled"


class Attempt(Shape):
    """One attempt: when, how long, what was sent along, and what was answered, or why nothing was."""

    at: Time
    ms: int
    request_headers: dict[str, str]
    status: int | None = None
    answer: str | None = None
    fault: str | None = None

    @property
    def taken_at(self) -> datetime | None:
        """Return when the receiver took the message; None when it did not say that it has."""
        taken = self.status is not None and 200 <= self.status < 300
        return self.at + timedelta(milliseconds=self.ms) if taken else None


class WebhookContent(SQLModel):
    """The content of a webhook that an integrator writes."""

    url: WebAddress = Field(schema_extra={"examples": ["https://partner.example/hooks/copydesk"]})
    name: Line | None = None
    kinds: Annotated[list[Followed], pydantic.Field(max_length=50)] = Field(
        default_factory=lambda: list(Followed),
        sa_type=Json(list[Followed]),
        description="what is told of; none only with `notices`",
    )
    notices: Annotated[list[Notice], pydantic.Field(max_length=50)] = Field(
        default_factory=list,
        sa_type=Json(list[Notice]),
        sa_column_kwargs={"server_default": "[]"},
        description="warnings for the house itself; needs admin",
    )
    sections: Annotated[list[Line], pydantic.Field(max_length=1_000)] = Field(
        default_factory=list, sa_type=Json(list[str]), description="only articles of these; empty: of all"
    )
    languages: Annotated[list[Language], pydantic.Field(max_length=1_000)] = Field(
        default_factory=list,
        sa_type=Json(list[str]),
        description="only articles and captions in these; empty: in all",
    )
    enabled: pydantic.StrictBool = True


class Webhook(WebhookContent, Table, table=True):
    """An address to which changes are sent. One worker at a time holds its lease, so that messages keep their
    order.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    token_id: UUID | None = None
    """The token by whose contract it is told; None for a webhook of the house."""
    contract_ended_at: Time | None = None
    """The time at which it was told that the contract has ended."""
    disabled_at: Time | None = None
    disabled_reason: str | None = None
    secret: bytes
    old_secret: bytes | None = None
    old_secret_until: Time | None = None
    tries: int = 0
    retry_at: Time | None = None
    lease: UUID | None = None
    leased_until: Time | None = None
    created_at: Time = Field(default_factory=now)
    updated_at: Time = Field(default_factory=now)
    version: int = 1


class WebhookEvent(Table, table=True):
    """One message, written in the transaction of its change. Every webhook that gets it gets
    the same bytes.
    """

    __tablename__ = "webhook_event"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    type: str
    seq: int = Field(sa_type=BigInteger)
    body: bytes
    created_at: Time = Field(default_factory=now)


class WebhookDelivery(Table, table=True):
    """One message for one webhook, and the log of its attempts."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index(
            "ix_webhook_delivery_pending",
            "webhook_id",
            "seq",
            "id",
            postgresql_where=text("status = 'pending'"),
            sqlite_where=text("status = 'pending'"),
        ),
        Index("ix_webhook_delivery_log", "webhook_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    webhook_id: UUID = Field(foreign_key="webhook.id", ondelete="CASCADE")
    event_id: UUID = Field(foreign_key="webhook_event.id", index=True)
    seq: int = Field(sa_type=BigInteger)
    status: DeliveryStatus = Field(default=DeliveryStatus.PENDING, sa_type=text_enum(DeliveryStatus))
    attempts: list[Attempt] = Field(default_factory=list, sa_type=Json(list[Attempt]))
    created_at: Time = Field(default_factory=now)
    finished_at: Time | None = Field(default=None, index=True)


class WebhookWrite(WebhookContent, TableShape):
    """A webhook to be made, or as it is to be."""


class WebhookReplace(WebhookWrite):
    """A webhook as it was read may be sent back: members that only the service sets are welcome while they
    are unchanged.
    """

    id: UUID | None = None
    token_id: UUID | None = None
    disabled_at: Time | None = None
    disabled_reason: str | None = None
    retry_at: Time | None = None
    old_secret_until: Time | None = None
    created_at: Time | None = None
    updated_at: Time | None = None
    version: pydantic.StrictInt | None = None


class WebhookRead(Reading):
    """A webhook, without its secret."""

    id: UUID
    token_id: UUID | None = pydantic.Field(
        description="the token by whose contract it is told; null: one of the house"
    )
    url: str = pydantic.Field(examples=["https://partner.example/hooks/copydesk"])
    name: str | None
    kinds: list[Followed]
    notices: list[Notice]
    sections: list[str]
    languages: list[str]
    enabled: bool
    disabled_at: Time | None
    disabled_reason: str | None = pydantic.Field(
        description="why it is not told any more; enabling it goes on with what is pending"
    )
    retry_at: Time | None = pydantic.Field(description="when the message that has failed is sent again")
    old_secret_until: Time | None = pydantic.Field(
        description="until when messages are signed with the secret before this one, too"
    )
    created_at: Time
    updated_at: Time
    version: int


class WebhookMade(WebhookRead):
    """A webhook with its new secret: the only time that it is shown."""

    secret: Secret = pydantic.Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw…"])


class DeliveryRead(Reading):
    """A delivery and its attempts."""

    id: UUID
    message_id: str = pydantic.Field(
        description="the webhook-id: the same in every attempt",
        examples=["msg_01997f3c6a587c118f0e1d5c6a2b9e77"],
    )
    type: str = pydantic.Field(examples=["article.put"])
    seq: int
    status: DeliveryStatus
    attempts: list[Attempt]
    created_at: Time
    finished_at: Time | None


class DeliveryWhole(DeliveryRead):
    """A delivery with the body that is sent."""

    request_body: str


class Span(Shape):
    """The deliveries to send again: those whose changes were made in this time."""

    since: Time = pydantic.Field(examples=["2026-03-02T06:00:00Z"])
    until: Time | None = None


class Redelivered(Reading):
    """The number of deliveries that are to be sent again."""

    count: int = pydantic.Field(examples=[12])
