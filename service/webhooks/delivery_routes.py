"""The endpoints of a webhook's log: what was sent, what was answered, and sending it again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter
from sqlmodel import col, select

from service.database import SessionDep
from service.http import conditional, pages
from service.http.callers import Caller, Needs
from service.http.routing import Route
from service.scopes import Scope
from service.webhooks import lifecycle
from service.webhooks.models import (
    DeliveryRead,
    DeliveryStatus,
    DeliveryWhole,
    Redelivered,
    Span,
    WebhookDelivery,
    WebhookEvent,
)
from service.webhooks.payload import body_to_send

router = APIRouter(prefix="/v1/webhooks/{webhook_id}", tags=["webhooks"], route_class=Route)
Keeper = Annotated[Caller, Depends(Needs(Scope.WEBHOOKS_WRITE))]
_KEY = TypeAdapter(tuple[UUID])


def read_delivery(delivery: WebhookDelivery, event: WebhookEvent) -> DeliveryRead:
    """Return a delivery as it is read."""
    return DeliveryRead(
        id=delivery.id,
        message_id=f"msg_{event.id.hex}",
        type=event.type,
        seq=delivery.seq,
        status=delivery.status,
        attempts=delivery.attempts,
        created_at=delivery.created_at,
        finished_at=delivery.finished_at,
    )


@router.get("/deliveries", response_model=pages.Page[DeliveryRead])
def list_webhook_deliveries(
    request: Request,
    webhook_id: UUID,
    caller: Keeper,
    session: SessionDep,
    asked: pages.ListRequestDep,
    status: DeliveryStatus | None = None,
) -> Response:
    """List a webhook's deliveries, newest first, each with its attempts."""
    lifecycle.get(session, caller, webhook_id)
    after = pages.read_cursor(request, asked.cursor, _KEY)
    wanted = [col(WebhookDelivery.webhook_id) == webhook_id]
    if status is not None:
        wanted.append(col(WebhookDelivery.status) == status)
    statement = select(WebhookDelivery, WebhookEvent).join(WebhookEvent).where(*wanted)
    total = pages.count_all(session, select(WebhookDelivery.id).where(*wanted)) if asked.count else None
    found = session.exec(pages.after(statement, [col(WebhookDelivery.id)], after, asked.limit)).all()
    shown = found[: asked.limit]
    return pages.answer_page(
        request,
        [read_delivery(delivery, event).model_dump_json().encode() for delivery, event in shown],
        next_key=(shown[-1][0].id,) if len(found) > len(shown) else None,
        total=total,
        fields=asked.fields,
        shape=DeliveryRead,
    )


@router.get("/deliveries/{delivery_id}", response_model=DeliveryWhole)
def get_webhook_delivery(
    request: Request,
    webhook_id: UUID,
    delivery_id: UUID,
    caller: Keeper,
    session: SessionDep,
    fields: pages.Fields = None,
) -> Response:
    """Read a delivery: its attempts with what was sent along and answered, and the body that is sent."""
    lifecycle.get(session, caller, webhook_id)
    delivery, event = lifecycle.get_delivery(session, webhook_id, delivery_id)
    body = body_to_send(session, event.body)
    whole = DeliveryWhole(**read_delivery(delivery, event).model_dump(), request_body=body.decode())
    return conditional.answer(request, whole, fields=fields)


@router.post("/deliveries/{delivery_id}/redeliver", status_code=202, response_model=DeliveryRead)
def redeliver_webhook_delivery(
    request: Request, webhook_id: UUID, delivery_id: UUID, caller: Keeper, session: SessionDep
) -> Response:
    """Send a message again, with the same `webhook-id`. Its `seq` tells the receiver that it is not the
    newest.
    """
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    delivery, event = lifecycle.get_delivery(session, webhook_id, delivery_id)
    lifecycle.redeliver(session, webhook, delivery, event)
    return conditional.answer(request, read_delivery(delivery, event), status=202)


@router.post("/redeliver", status_code=202, response_model=Redelivered)
def redeliver_webhook_deliveries(
    request: Request, webhook_id: UUID, span: Span, caller: Keeper, session: SessionDep
) -> Response:
    """Send what was delivered in a time again, in its order: what a receiver that has lost a day asks for."""
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    return conditional.answer(
        request, Redelivered(count=lifecycle.redeliver_span(session, webhook, span)), status=202
    )
