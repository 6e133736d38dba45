"""Send a notice to the webhooks of a token whose contract has ended, and disable those of a token that is
revoked or expired. Nothing else that waits is sent.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, or_, select, update
from sqlmodel import col
from starlette.concurrency import run_in_threadpool

from service.contracts import Contract
from service.database import Database, Session, insert
from service.http.callers import Token, still_good
from service.published.models import PublishedSequence
from service.tables import latest, new_id, now, write_time
from service.webhooks.models import DeliveryStatus, Webhook, WebhookDelivery, WebhookEvent
from service.webhooks.outbox import delivery, message

ENDED = "contract.ended"
OVER = "over: the token by whose contract it was told is revoked or expired"
LOOKS_EVERY = 2.0
AT_ONCE = 100


def may_send(session: Session, webhook: Webhook, type_: str) -> bool:
    """Return whether a webhook may still be sent a message of this type, by its token and the contract."""
    if webhook.token_id is None:
        return True
    token = session.get(Token, webhook.token_id)
    if token is None or token.contract is None or not still_good(token.revoked_at, token.expires_at):
        return False
    return type_ == ENDED or not token.contract.has_ended(latest())


async def tell_ends(database: Database) -> float:
    """Send one notice to each webhook whose contract has ended, and disable each whose token is over. Return
    the seconds until the next look.
    """
    if not await run_in_threadpool(_is_to_tell, database):
        return LOOKS_EVERY
    async with database.turn():
        await run_in_threadpool(_tell, database)
    return 0.1


def _is_to_tell(database: Database) -> bool:
    with database.reading() as session:
        return bool(_ended(session, latest()) or _over(session))


def _over(session: Session) -> list[UUID]:
    of_token = select(col(Webhook.id)).join(Token, col(Token.id) == col(Webhook.token_id))
    is_over = or_(col(Token.revoked_at).is_not(None), col(Token.expires_at) <= latest())
    return list(session.scalars(of_token.where(col(Webhook.enabled), is_over).limit(AT_ONCE)))


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
        for webhook_id in _over(session):
            _disable(session, webhook_id, at)
        for webhook, contract in _ended(session, latest()):
            mine = update(Webhook).where(
                col(Webhook.id) == webhook.id, col(Webhook.contract_ended_at).is_(None)
            )
            session.execute(mine.values(contract_ended_at=at))
            _drop_waiting(session, webhook.id)
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


def _disable(session: Session, webhook_id: UUID, at: datetime) -> None:
    values = {"enabled": False, "disabled_at": at, "disabled_reason": OVER, "updated_at": at}
    mine = update(Webhook).where(col(Webhook.id) == webhook_id, col(Webhook.enabled))
    session.execute(mine.values(**values, version=col(Webhook.version) + 1))
    _drop_waiting(session, webhook_id)


def _drop_waiting(session: Session, webhook_id: UUID) -> None:
    waits = (
        col(WebhookDelivery.webhook_id) == webhook_id,
        col(WebhookDelivery.status) == DeliveryStatus.PENDING,
    )
    session.execute(delete(WebhookDelivery).where(*waits))
