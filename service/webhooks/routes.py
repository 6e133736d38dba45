"""The endpoints of `/v1/webhooks`: making, editing and trying them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import JsonValue, TypeAdapter
from sqlmodel import col, select
from starlette.concurrency import run_in_threadpool

from service.database import Database, DatabaseDep, SessionDep
from service.http import conditional, idempotency, pages
from service.http.callers import Caller, Needs
from service.http.patching import merged
from service.http.routing import Route
from service.scopes import Scope
from service.services import service
from service.tables import new_id, now
from service.webhooks import delivery, lifecycle, outbox
from service.webhooks.delivery import Message
from service.webhooks.delivery_routes import read_delivery
from service.webhooks.models import (
    Attempt,
    DeliveryRead,
    DeliveryStatus,
    Webhook,
    WebhookDelivery,
    WebhookEvent,
    WebhookMade,
    WebhookRead,
    WebhookReplace,
    WebhookWrite,
)
from service.webhooks.secret import SecretUnreadable, shown
from service.webhooks.trials import Trials

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Route)
Keeper = Annotated[Caller, Depends(Needs(Scope.WEBHOOKS_WRITE))]
_KEY = TypeAdapter(tuple[UUID])
_PATCH = {"application/merge-patch+json": {"schema": {"type": "object"}}}


@router.post("", status_code=201, response_model=WebhookMade)
def create_webhook(request: Request, create: WebhookWrite, caller: Keeper, session: SessionDep) -> Response:
    """Let an address be told of public changes. The secret that signs its messages is in the answer and
    nowhere else.
    """
    webhook, secret = lifecycle.create(session, caller, create)
    return _answer_with_secret(request, webhook, secret, status=201)


@router.get("", response_model=pages.Page[WebhookRead])
def list_webhooks(
    request: Request,
    caller: Keeper,
    session: SessionDep,
    asked: pages.ListRequestDep,
) -> Response:
    """List webhooks, newest first."""
    statement = select(Webhook)
    if caller.contract is not None:
        statement = statement.where(Webhook.token_id == caller.id)
    return pages.answer_rows(
        request,
        session,
        statement,
        col(Webhook.id),
        asked,
        _KEY,
        lambda webhooks: map(WebhookRead.model_validate, webhooks),
        WebhookRead,
    )


@router.get("/{webhook_id}", response_model=WebhookRead)
def get_webhook(
    request: Request, webhook_id: UUID, caller: Keeper, session: SessionDep, fields: pages.Fields = None
) -> Response:
    """Read a webhook: whether it is enabled, and if not, why."""
    return _answer(request, lifecycle.get(session, caller, webhook_id), fields)


@router.put("/{webhook_id}", response_model=WebhookRead)
def replace_webhook(
    request: Request, webhook_id: UUID, replace: WebhookReplace, caller: Keeper, session: SessionDep
) -> Response:
    """Replace what is said of a webhook; its id and its secret stay. Enabling it goes on with what is
    pending.
    """
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    conditional.require_match(request, webhook.version)
    lifecycle.replace(session, caller, webhook, replace)
    return _answer(request, webhook)


@router.patch("/{webhook_id}", response_model=WebhookRead, openapi_extra={"requestBody": {"content": _PATCH}})
def edit_webhook(
    request: Request,
    webhook_id: UUID,
    patch: Annotated[dict[str, JsonValue], Body(examples=[{"enabled": True, "sections": ["Sport"]}])],
    caller: Keeper,
    session: SessionDep,
) -> Response:
    """Edit a webhook by JSON Merge Patch (RFC 7396). Enabling it goes on with what is pending."""
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    conditional.require_match(request, webhook.version)
    lifecycle.replace(
        session, caller, webhook, merged(WebhookReplace, WebhookRead.model_validate(webhook), patch)
    )
    return _answer(request, webhook)


@router.delete("/{webhook_id}", status_code=204)
def delete_webhook(request: Request, webhook_id: UUID, caller: Keeper, session: SessionDep) -> None:
    """Delete a webhook with its log. What is pending is not sent any more."""
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    conditional.require_match(request, webhook.version)
    lifecycle.remove(session, webhook)


@router.post("/{webhook_id}/resume", response_model=WebhookRead)
def resume_webhook(request: Request, webhook_id: UUID, caller: Keeper, session: SessionDep) -> Response:
    """Send what is pending now instead of at the next attempt, and enable the webhook if it was disabled:
    what the keeper of a receiver asks for when it is back.
    """
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    lifecycle.resume(webhook)
    return _answer(request, webhook)


@router.post("/{webhook_id}/secret", response_model=WebhookMade)
def rotate_webhook_secret(
    request: Request, webhook_id: UUID, caller: Keeper, session: SessionDep
) -> Response:
    """Give a webhook a new secret. For 24 hours messages carry two signatures, by the new and by
    the old one.
    """
    webhook = lifecycle.get(session, caller, webhook_id, lock=True)
    return _answer_with_secret(request, webhook, lifecycle.rotate(session, webhook))


@router.post("/{webhook_id}/test", response_model=DeliveryRead)
async def test_webhook(request: Request, webhook_id: UUID, caller: Keeper, database: DatabaseDep) -> Response:
    """Send a `webhook.test` message now, past all that is pending; what came of it."""
    message = await run_in_threadpool(_test_message, database, caller, webhook_id)
    attempt = await service(request, Trials).send(database.settings, message)
    async with database.turn():
        return await run_in_threadpool(_keep_test, request, database, caller, message, attempt)


def _test_message(database: Database, caller: Caller, webhook_id: UUID) -> Message:
    with database.reading() as session:
        webhook = lifecycle.get(session, caller, webhook_id)
        try:
            secrets = delivery.secrets_of(database.settings, webhook, now())
        except SecretUnreadable as fault:
            raise lifecycle.SecretLost(str(fault)) from fault
    body = outbox.message(outbox.TEST, now(), b"{}")
    return Message(webhook.id, new_id(), new_id(), webhook.url, new_id(), body, secrets)


def _keep_test(
    request: Request, database: Database, caller: Caller, message: Message, attempt: Attempt
) -> Response:
    status = DeliveryStatus.DELIVERED if attempt.taken_at is not None else DeliveryStatus.FAILED
    with database.writing() as session:
        lifecycle.get(session, caller, message.webhook_id)
        event = WebhookEvent(id=message.message_id, type=outbox.TEST, seq=0, body=message.body)
        session.add(event)
        session.flush()  # The delivery refers to it.
        told = WebhookDelivery(
            id=message.delivery_id,
            webhook_id=message.webhook_id,
            event_id=event.id,
            seq=0,
            status=status,
            attempts=[attempt],
            finished_at=now(),
        )
        session.add(told)
        answer = conditional.answer(request, read_delivery(told, event))
        idempotency.keep(session, request, answer)
    return answer


def _answer(request: Request, webhook: Webhook, fields: str | None = None) -> Response:
    return conditional.answer(request, WebhookRead.model_validate(webhook), webhook.version, fields=fields)


def _answer_with_secret(request: Request, webhook: Webhook, secret: bytes, *, status: int = 200) -> Response:
    known = WebhookRead.model_validate(webhook).model_dump()
    made = WebhookMade(**known, secret=shown(secret))
    headers = {"Location": f"/v1/webhooks/{webhook.id}"} if status == 201 else {}
    return conditional.answer(request, made, webhook.version, status=status, headers=headers)
