"""Send warnings to webhooks of the house that have subscribed to them. No entry of the feed
contains these.
"""

from datetime import timedelta
from uuid import UUID

import orjson
from pydantic import JsonValue
from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from starlette.concurrency import run_in_threadpool

from service.database import Database, Session, insert
from service.images.models import Image, ImageUse
from service.published.models import PublishedSequence
from service.tables import latest, new_id, now, write_time
from service.webhooks.models import Notice, Webhook, WebhookDelivery, WebhookEvent
from service.webhooks.outbox import delivery, message

LOOKS_EVERY = 5.0
AT_ONCE = 250
"""Pictures of one transaction."""


def hearers(session: Session, notice: Notice) -> list[UUID]:
    """Return the enabled webhooks that want a notice."""
    wanted = select(Webhook.id, Webhook.notices).where(col(Webhook.enabled))
    return [id_ for id_, notices in session.exec(wanted) if notice in notices]


def tell(session: Session, notice: Notice, data: dict[str, JsonValue]) -> None:
    """Insert a message and a delivery for each webhook that wants a notice."""
    told = hearers(session, notice)
    if not told:
        return
    at = now()
    event: dict[str, object] = {
        "id": new_id(),
        "type": str(notice),
        "seq": session.exec(select(PublishedSequence.seq)).one(),
        "body": message(str(notice), at, orjson.dumps(data)),
        "created_at": at,
    }
    session.execute(insert(session, WebhookEvent), [event])
    session.execute(insert(session, WebhookDelivery), [delivery(id_, event) for id_ in told])


async def warn_of_ends(database: Database) -> float:
    """Send a notice once for each licence of a picture that ends soon. Return the seconds until the next
    look.
    """
    if not await run_in_threadpool(_is_to_warn, database):
        return LOOKS_EVERY
    async with database.turn():
        await run_in_threadpool(_warn, database)
    return 0.1


def _is_to_warn(database: Database) -> bool:
    with database.reading() as session:
        if not hearers(session, Notice.IMAGE_EXPIRING):
            return False
        return session.exec(select(Image.id).where(*_soon(database)).limit(1)).first() is not None


def _warn(database: Database) -> None:
    with database.writing() as session:
        soon = select(Image).where(*_soon(database)).order_by(col(Image.usable_until)).limit(AT_ONCE)
        for image in session.exec(soon.with_for_update(skip_locked=True)):
            assert image.usable_until is not None
            uses = select(func.count()).select_from(ImageUse).where(ImageUse.image_id == image.id)
            tell(
                session,
                Notice.IMAGE_EXPIRING,
                {
                    "id": str(image.id),
                    "usable_until": write_time(image.usable_until),
                    "credit_line": image.credit_line,
                    "source": image.source,
                    "uses": session.exec(uses).one(),
                },
            )
            image.warned_of = image.usable_until


def _soon(database: Database) -> tuple[ColumnElement[bool], ...]:
    ahead = timedelta(seconds=database.settings.picture_expiring_seconds)
    return (
        col(Image.usable_until) > latest(),
        col(Image.usable_until) <= latest() + ahead,
        col(Image.expired_at).is_(None),
        col(Image.deleted_at).is_(None),
        col(Image.warned_of).is_distinct_from(col(Image.usable_until)),
    )
