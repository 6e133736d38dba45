"""The life of a webhook: made, edited, given a new secret, tried, and sent earlier changes again."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select

from service.database import Session, rows_changed
from service.errors import Conflict, Forbidden, NotFound, Unprocessable
from service.http.callers import Caller
from service.http.patching import refuse_changes
from service.outbound.addresses import checked, refuse_closed_literal
from service.scopes import Scope
from service.tables import latest, new_id, now
from service.webhooks.contracts import may_send
from service.webhooks.models import (
    DeliveryStatus,
    Span,
    Webhook,
    WebhookContent,
    WebhookDelivery,
    WebhookEvent,
    WebhookRead,
    WebhookReplace,
    WebhookWrite,
)
from service.webhooks.secret import SecretUnreadable, decrypt, encrypt, new_secret

_CONTENT = tuple(WebhookContent.model_fields)
_READ_ONLY = sorted(set(WebhookReplace.model_fields) - set(WebhookWrite.model_fields))
BOTH_FOR = timedelta(hours=24)
"""For how long messages are signed with the secret before, too."""


class SecretLost(Conflict):
    """The webhook's secret cannot be read: it was kept under another COPYDESK_SECRET_KEY. Give it a new one
    with …/secret.
    """

    title = "The secret cannot be read"


class NothingSent(Conflict):
    """Nothing is sent to this webhook any more, because the token by whose contract it is told is revoked or
    expired, or the contract has ended.
    """

    title = "Nothing is sent to this webhook any more"


def get(session: Session, caller: Caller, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """Find a webhook. Raises NotFound, to the holder of a contract for each that is not its own; and
    Forbidden after the end of the contract.
    """
    if caller.contract is not None and caller.contract.has_ended(latest()):
        raise Forbidden("The contract of this token has ended.")
    statement = select(Webhook).where(Webhook.id == webhook_id)
    webhook = session.exec(statement.with_for_update() if lock else statement).one_or_none()
    if webhook is None or not is_kept_by(caller, webhook):
        raise NotFound(f"There is no webhook {str(webhook_id)!r}.")
    return webhook


def is_kept_by(caller: Caller, webhook: Webhook) -> bool:
    """Return whether a caller may see and change a webhook. The holder of a contract keeps its own alone."""
    return caller.contract is None or webhook.token_id == caller.id


def get_delivery(
    session: Session, webhook_id: UUID, delivery_id: UUID
) -> tuple[WebhookDelivery, WebhookEvent]:
    """Find a delivery of a webhook. Raises NotFound."""
    statement = select(WebhookDelivery, WebhookEvent).join(WebhookEvent)
    found = session.exec(
        statement.where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no delivery {str(delivery_id)!r} of this webhook.")
    return found[0], found[1]


def create(session: Session, caller: Caller, write: WebhookWrite) -> tuple[Webhook, bytes]:
    """Make a webhook; its secret comes along, and is not to be had again."""
    _check(session, write)
    if write.notices:
        caller.need(Scope.ADMIN)
    id_, secret = new_id(), new_secret()
    values = {name: getattr(write, name) for name in _CONTENT}
    if caller.contract is not None and caller.contract.has_ended(latest()):
        raise Forbidden("The contract of this token has ended.")
    owner = None if caller.contract is None else caller.id
    encrypted = encrypt(session.database.settings, id_, secret)
    webhook = Webhook(**values, id=id_, secret=encrypted, token_id=owner)
    session.add(webhook)
    return webhook, secret


def encrypt_again(session: Session) -> tuple[int, int]:
    """Encrypt every secret under the present COPYDESK_SECRET_KEY.

    Return how many were encrypted, and how many cannot be read.
    """
    settings, lost, done = session.database.settings, 0, 0
    for webhook in session.exec(select(Webhook).order_by(col(Webhook.id)).with_for_update()):
        try:
            webhook.secret = encrypt(settings, webhook.id, decrypt(settings, webhook.id, webhook.secret))
            if webhook.old_secret is not None:
                old = decrypt(settings, webhook.id, webhook.old_secret)
                webhook.old_secret = encrypt(settings, webhook.id, old)
            done += 1
        except SecretUnreadable:
            lost += 1
    return done, lost


def replace(session: Session, caller: Caller, webhook: Webhook, write: WebhookReplace) -> None:
    """Write a webhook anew. Enabling one that was disabled goes on at once with what is pending."""
    refuse_changes(write, WebhookRead.model_validate(webhook), _READ_ONLY)
    _check(session, write)
    changed = [name for name in _CONTENT if getattr(webhook, name) != getattr(write, name)]
    if "notices" in changed:
        caller.need(Scope.ADMIN)
    for name in changed:
        setattr(webhook, name, getattr(write, name))
    if "enabled" in changed:
        webhook.disabled_at, webhook.disabled_reason = (
            (None, None) if webhook.enabled else (now(), "disabled by its keeper")
        )
    if {"enabled", "url"} & set(changed):
        webhook.tries, webhook.retry_at = 0, None
    if changed:
        _note_change(webhook)


def resume(webhook: Webhook) -> None:
    """Let what is pending be sent now, and begin the schedule anew. Enable a webhook that was disabled."""
    webhook.tries, webhook.retry_at = 0, None
    if not webhook.enabled:
        webhook.enabled, webhook.disabled_at, webhook.disabled_reason = True, None, None
        _note_change(webhook)


def rotate(session: Session, webhook: Webhook) -> bytes:
    """Give a webhook a new secret. For a day, messages are signed with both."""
    secret = new_secret()
    webhook.old_secret, webhook.old_secret_until = webhook.secret, now() + BOTH_FOR
    webhook.secret = encrypt(session.database.settings, webhook.id, secret)
    _note_change(webhook)
    return secret


def remove(session: Session, webhook: Webhook) -> None:
    """Delete a webhook and its log."""
    session.execute(delete(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == webhook.id))
    session.delete(webhook)


def redeliver(session: Session, webhook: Webhook, delivery: WebhookDelivery, event: WebhookEvent) -> None:
    """Let a message be sent again: it goes before what is pending and newer. Raises NothingSent."""
    _refuse_end(session, webhook, event.type)
    delivery.status, delivery.finished_at = DeliveryStatus.PENDING, None


def redeliver_span(session: Session, webhook: Webhook, span: Span) -> int:
    """Let the messages of a time be sent again, in their order; how many. Tests are left out.

    Raises NothingSent.
    """
    _refuse_end(session, webhook)
    again = update(WebhookDelivery).where(
        col(WebhookDelivery.webhook_id) == webhook.id,
        col(WebhookDelivery.status) == DeliveryStatus.DELIVERED,
        col(WebhookDelivery.created_at) >= span.since,
        col(WebhookDelivery.seq) > 0,
    )
    if span.until is not None:
        again = again.where(col(WebhookDelivery.created_at) < span.until)
    return rows_changed(session.execute(again.values(status=DeliveryStatus.PENDING, finished_at=None)))


def _refuse_end(session: Session, webhook: Webhook, type_: str = "") -> None:
    if not may_send(session, webhook, type_):
        raise NothingSent("The token of this webhook is revoked or expired, or its contract has ended.")


def _check(session: Session, write: WebhookWrite) -> None:
    settings = session.database.settings
    if not write.kinds and not write.notices:
        raise Unprocessable.at("/kinds", "must name a kind, unless notices name something")
    refuse_closed_literal(checked(write.url), allow_loopback=settings.outbound_allow_loopback)
    if settings.environment == "production" and not write.url.startswith("https://"):
        raise Unprocessable.at("/url", "must be an https address")


def _note_change(webhook: Webhook) -> None:
    webhook.version += 1
    webhook.updated_at = now()
