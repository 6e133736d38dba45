"""Shapes of a recall's answer."""

import enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from service.articles.models import Status
from service.tables import Reading, Time


class Reach(enum.StrEnum):
    """The progress of a withdrawal at one holder of the article."""

    RECEIVED = "received"
    REMOVED = "removed"
    STOPPED = "stopped"
    SENT = "sent"
    PENDING = "pending"


OUTSTANDING = frozenset({Reach.SENT, Reach.PENDING, Reach.STOPPED})
"""The states of a withdrawal at a holder that still has the article or picture, as far as is known."""
REACH = (
    "received: it has the withdrawal. removed: it had dropped the article before, when that was unpublished"
    " or left what it follows, or it has dropped all since it knows that its contract has ended. sent: it was"
    " sent the withdrawal, and has not come back since, or not answered 2xx. pending: not sent yet. stopped:"
    " it has not received it and will not by itself: its token is revoked or expired, its webhook disabled or"
    " deleted, or its contract has ended and it is not known to have heard. null while nothing is withdrawn"
)
State = Annotated[Reach | None, Field(description=REACH)]
DroppedAt = Annotated[
    Time | None,
    Field(
        description="when the holder had learnt that its contract has ended, and with it dropped every copy"
    ),
]
Anonymous = Annotated[
    Literal["not recorded"], Field(description="readers, and followers without a token, are not on record")
]


class CopyRead(Reading):
    """One version that was sent."""

    version: int
    sent_at: Time
    received_at: Time | None


class HeldRead(Reading):
    """The copies of one receiver."""

    last_version: int = Field(description="the newest version that was sent, before the withdrawal")
    received_at: Time | None = Field(description="when that is known to have arrived; null: it may have")
    versions: list[CopyRead]
    withdrawal_sent_at: Time | None
    withdrawal_received_at: Time | None
    dropped_at: DroppedAt
    state: State


class TokenHeld(HeldRead):
    """The copies of a token that follows the feed."""

    token_id: UUID
    name: str = Field(examples=["wire partner"])
    follows: str = Field(
        description="what it follows: a token that follows several things is listed for each",
        examples=["/v1/changes"],
    )


class WebhookHeld(HeldRead):
    """The copies of the receiver behind a webhook."""

    webhook_id: UUID
    name: str | None
    url: str = Field(
        description="scheme and host alone: the rest of the address may hold a secret",
        examples=["https://partner.example"],
    )


class RecallRead(Reading):
    """The holders of an article, and who of them has received its withdrawal."""

    article_id: UUID
    status: Status
    version: int
    withdrawn_at: Time | None = Field(
        description="null while the article is not withdrawn: then this tells who would have to be reached"
    )
    withdrawn_version: int | None
    reason: str | None
    tokens: list[TokenHeld]
    webhooks: list[WebhookHeld]
    reached: int = Field(description="how many have received the withdrawal")
    outstanding: int = Field(
        description="how many have the article still, as far as is known: sent, pending and stopped"
    )
    anonymous: Anonymous


class PictureHeldRead(Reading):
    """The copies of a picture at one receiver: the picture's own entry, articles that show it, or both."""

    last_version: int | None = Field(
        description=(
            "the newest version of the image that was sent before the withdrawal; null: in articles alone"
        )
    )
    articles: int = Field(description="articles that were sent with the picture in them")
    articles_outstanding: int = Field(description="those of them that are not known to have been replaced")
    sent_at: Time = Field(description="when the picture was first sent, by itself or in an article")
    withdrawal_sent_at: Time | None
    withdrawal_received_at: Time | None
    dropped_at: DroppedAt
    state: State


class TokenHoldsPicture(PictureHeldRead):
    """The copies of a picture at a token that follows the feed."""

    token_id: UUID
    name: str = Field(examples=["wire partner"])
    follows: str = Field(examples=["/v1/changes"])


class WebhookHoldsPicture(PictureHeldRead):
    """The copies of a picture at the receiver behind a webhook."""

    webhook_id: UUID
    name: str | None
    url: str = Field(description="scheme and host alone", examples=["https://partner.example"])


class WithdrawalNoted(Reading):
    """A withdrawal, or that one was undone: the version of the image, who did it, and why."""

    version: int
    at: Time
    is_undone: bool
    reason: str
    actor: str


class PictureRecallRead(Reading):
    """The holders of a picture, and who of them has received its withdrawal."""

    image_id: UUID
    version: int
    withdrawn_at: Time | None = Field(
        description="null while the picture is not withdrawn: then this tells who would have to be reached"
    )
    reason: str | None
    history: list[WithdrawalNoted] = Field(description="every withdrawal and its undoing, the oldest first")
    tokens: list[TokenHoldsPicture]
    webhooks: list[WebhookHoldsPicture]
    reached: int = Field(description="how many have received the withdrawal")
    outstanding: int = Field(
        description="how many have the picture still, as far as is known: sent, pending and stopped"
    )
    anonymous: Anonymous


PICTURE_EXAMPLE = {
    "image_id": "01997f3c-22bb-7c13-8d8e-65f1c2a7b421",
    "version": 2,
    "withdrawn_at": "2026-03-02T06:04:10.500000Z",
    "reason": "The agency killed it: the picture was altered.",
    "history": [
        {
            "version": 2,
            "at": "2026-03-02T06:04:10.500000Z",
            "is_undone": False,
            "reason": "The agency killed it: the picture was altered.",
            "actor": "picture desk",
        }
    ],
    "tokens": [
        {
            "last_version": 1,
            "articles": 3,
            "articles_outstanding": 0,
            "sent_at": "2026-03-02T05:40:01.900000Z",
            "withdrawal_sent_at": "2026-03-02T06:04:10.900000Z",
            "withdrawal_received_at": "2026-03-02T06:04:11.020000Z",
            "dropped_at": None,
            "state": "received",
            "token_id": "01997f3c-0b1e-7d55-9d2c-08a6c1f4e2aa",
            "name": "wire partner",
            "follows": "/v1/changes",
        }
    ],
    "webhooks": [
        {
            "last_version": 1,
            "articles": 3,
            "articles_outstanding": 1,
            "sent_at": "2026-03-02T05:40:01.700000Z",
            "withdrawal_sent_at": "2026-03-02T06:04:10.800000Z",
            "withdrawal_received_at": "2026-03-02T06:04:10.850000Z",
            "dropped_at": None,
            "state": "sent",
            "webhook_id": "01997f3c-0c44-7a10-8f0a-6b1d9e73c5d1",
            "name": None,
            "url": "https://partner.example",
        }
    ],
    "reached": 1,
    "outstanding": 1,
    "anonymous": "not recorded",
}
EXAMPLE = {
    "article_id": "01997f3c-11aa-7b02-9c7d-54e0b1f6a310",
    "status": "withdrawn",
    "version": 5,
    "withdrawn_at": "2026-03-02T06:04:10.500000Z",
    "withdrawn_version": 5,
    "reason": "It named the wrong person.",
    "tokens": [
        {
            "last_version": 4,
            "received_at": "2026-03-02T05:40:02.120000Z",
            "versions": [
                {
                    "version": 4,
                    "sent_at": "2026-03-02T05:40:01.900000Z",
                    "received_at": "2026-03-02T05:40:02.120000Z",
                }
            ],
            "withdrawal_sent_at": "2026-03-02T06:04:10.900000Z",
            "withdrawal_received_at": "2026-03-02T06:04:11.020000Z",
            "dropped_at": None,
            "state": "received",
            "token_id": "01997f3c-0b1e-7d55-9d2c-08a6c1f4e2aa",
            "name": "wire partner",
            "follows": "/v1/changes",
        },
    ],
    "webhooks": [
        {
            "last_version": 4,
            "received_at": "2026-03-02T05:40:01.800000Z",
            "versions": [
                {
                    "version": 4,
                    "sent_at": "2026-03-02T05:40:01.700000Z",
                    "received_at": "2026-03-02T05:40:01.800000Z",
                }
            ],
            "withdrawal_sent_at": "2026-03-02T06:04:10.800000Z",
            "withdrawal_received_at": None,
            "dropped_at": None,
            "state": "sent",
            "webhook_id": "01997f3c-0c44-7a10-8f0a-6b1d9e73c5d1",
            "name": None,
            "url": "https://partner.example",
        },
    ],
    "reached": 1,
    "outstanding": 1,
    "anonymous": "not recorded",
}
