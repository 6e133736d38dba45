"""Send a notice to the webhooks of a token whose contract has ended. Nothing else that waits is sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import delete, select, update
from sqlmodel import col
from starlette.concurrency import run_in_threadpool

from service.contracts import Contract
from service.database import Database, Session, insert
from service.http.callers import Token
from service.published.models import PublishedSequence
from service.tables import latest, new_id, now, write_time
from service.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery, WebhookEvent
from service.webhooks.outbox import delivery, message

ENDED = "contract.ended"
LOOKS_EVERY = 2.0
AT_ONCE = 100


def contract_of(session: Session, webhook: Webhook) -> Contract | None:
    """Return the contract that limits a webhook, or None for a webhook of the house."""
    token = None if webhook.token_id is None else session.get(Token, webhook.token_id)
    return None if token is None else token.contract


async def tell_ends(database: Database) -> float:
    """Send one notice to each webhook whose contract has ended. Return the seconds until the next look."""
    if not await run_in_threadpool(_is_to_tell, database):
        return LOOKS_EVERY
    async with database.turn():
        await run_in_threadpool(_tell, database)
    return 0.1


def _is_to_tell(database: Database) -> bool:
    with database.reading() as session:
        return bool(_ended(session, latest()))


def _ended(session: Session, at: datetime) -> list[tuple[Webhook, Contract]]:
    columns: Sequence[Any] = (Webhook, Token.contract)
    bound = (
        select(*columns)
        .join_from(Webhook, Token, col(Token.id) == col(Webhook.token_id))
        .where(col(Webhook.enabled), col(Webhook.contract_ended_at).is_(None))
    )
    found = [(hook, contract) for hook, contract in session.execute(bound) if contract.has_ended(at)]
    return found[:AT_ONCE]


def _tell(database: Database) -> None:
    with database.writing() as session:
        at = now()
        for webhook, contract in _ended(session, latest()):
            mine = update(Webhook).where(
                col(Webhook.id) == webhook.id, col(Webhook.contract_ended_at).is_(None)
            )
            session.execute(mine.values(contract_ended_at=at))
            waits = (
                col(WebhookDelivery.webhook_id) == webhook.id,
                col(WebhookDelivery.status) == DeliveryStatus.PENDING,
            )
            session.execute(delete(WebhookDelivery).where(*waits))
            data = orjson.dumps({"until": None if contract.until is None else write_time(contract.until)})
            event: dict[str, object] = {
                "id": new_id(),
                "type": ENDED,
                "seq": session.execute(select(col(PublishedSequence.seq))).scalar_one(),
                "body": message(ENDED, at, data),
                "created_at": at,
            }
            session.execute(insert(session, WebhookEvent), [event])
            session.execute(insert(session, WebhookDelivery), [delivery(webhook.id, event)])
