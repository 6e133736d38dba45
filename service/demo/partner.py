"""An invented partner, which is told of some of the sample news while they are loaded, so that there is a log
of deliveries.

The partner listens on this machine for as long as the samples are loaded, and refuses the last message. Its
webhook is disabled afterwards, so that nothing is sent to an address where nobody listens any more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from sqlmodel import col, func, select

from service.database import Database, Session
from service.http.callers import HOUSE
from service.published.feed import Followed
from service.tables import now
from service.webhooks import delivery, lifecycle
from service.webhooks.models import (
    DeliveryStatus,
    Webhook,
    WebhookContent,
    WebhookDelivery,
    WebhookReplace,
    WebhookWrite,
)
from service.webhooks.worker import send

NAME = "Business and science, for the demo's partner"
SECTIONS = ["Business", "Science"]


class _Partner(BaseHTTPRequestHandler):
    """Takes every message until it is to refuse."""

    refuses = False

    def do_POST(self) -> None:  # the name that http.server calls
        """Take a message, or refuse it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(503 if self.refuses else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that http.server has
        """Say nothing on the terminal."""


@contextmanager
def telling(database: Database) -> Iterator[None]:
    """Tell the partner what is published within the block, once in the life of a store."""
    with database.reading() as session:
        known = session.exec(select(Webhook).where(Webhook.name == NAME)).first()
    if known is not None and not known.enabled:
        yield
        return
    # Messages to this machine itself are refused elsewhere: they would reach what is behind the firewall.
    settings = database.settings.model_copy(update={"outbound_allow_loopback": True})
    local = Database(settings, database.publisher)
    handler = type("Partner", (_Partner,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        Thread(target=listener.serve_forever, daemon=True).start()
        try:
            _subscribe(local, f"http://127.0.0.1:{listener.server_port}/hooks/copydesk")
            yield
            _deliver(local, handler)
        finally:
            listener.shutdown()
            local.close()


def _subscribe(database: Database, url: str) -> None:
    with database.writing() as session:
        webhook = session.exec(select(Webhook).where(Webhook.name == NAME)).first()
        if webhook is None:
            lifecycle.create(
                session, HOUSE, WebhookWrite(url=url, name=NAME, kinds=[Followed.ARTICLE], sections=SECTIONS)
            )
        else:
            lifecycle.replace(session, HOUSE, webhook, _as(webhook, url=url))


def _deliver(database: Database, partner: type[_Partner]) -> None:
    """Send what is pending, one message after the other, and disable the webhook when the last is refused."""
    while messages := delivery.lease(database, _now, 1):
        (message,) = messages
        partner.refuses = _pending(database) == 1
        attempt, retry_after = send(database.settings, message)
        if (following := delivery.record(database, message, attempt, retry_after, _now)) is not None:
            delivery.release(database, following)
    with database.writing() as session:
        webhook = session.exec(select(Webhook).where(Webhook.name == NAME)).one()
        lifecycle.replace(session, HOUSE, webhook, _as(webhook, enabled=False))


def _now(session: Session) -> datetime:
    return now()


def _pending(database: Database) -> int:
    pending = select(func.count()).select_from(WebhookDelivery).join(Webhook)
    pending = pending.where(Webhook.name == NAME, col(WebhookDelivery.status) == DeliveryStatus.PENDING)
    with database.reading() as session:
        return session.exec(pending).one()


def _as(webhook: Webhook, **changed: object) -> WebhookReplace:
    members = {name: getattr(webhook, name) for name in WebhookContent.model_fields}
    return WebhookReplace.model_validate({**members, **changed})
