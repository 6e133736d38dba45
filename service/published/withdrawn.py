"""Leave withdrawn pictures out of documents that were rendered before the withdrawal.

The transaction that withdraws a picture renders the articles that show it for a tenth of a second; the others wait in
`published_awaiting`, which holds the reason meanwhile. Whoever reads documents asks in the same statement whether
anything waits so, and reads them through `without` if it does. Therefore no document shows a withdrawn picture from the
commit on, in any process and however many articles wait, and a store in which nothing waits pays nothing.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

import orjson
from sqlmodel import col, func, select

from service.database import Session
from service.published.models import Awaiting

Reasons = Mapping[str, str]
"""The reasons of withdrawals by the ids of their pictures, as documents write them."""
NONE: Reasons = {}
_WAITING = col(Awaiting.withdrawn_for).is_not(None)
WAITING = select(func.count()).select_from(Awaiting).where(_WAITING).scalar_subquery()
"""Counts the withdrawals that articles await, in the snapshot of the statement that reads documents."""
WAITING_SQL = "(SELECT count(*) FROM published_awaiting WHERE withdrawn_for IS NOT NULL)"
PICTURES_SQL = "SELECT image_id, withdrawn_for FROM published_awaiting WHERE withdrawn_for IS NOT NULL"


def pictures(session: Session) -> Reasons:
    """Return the withdrawals that articles await. Read the documents afterwards, never before: a batch may end between."""
    return by_id(session.exec(select(Awaiting.image_id, Awaiting.withdrawn_for).where(_WAITING)))


def by_id(rows: Iterable[tuple[UUID | str, str | None]]) -> Reasons:
    """Return the reasons by the ids of their pictures, which SQLite's driver gives as text."""
    return {str(UUID(str(id_))): reason or "" for id_, reason in rows}


def without(document: bytes, withdrawn: Reasons) -> bytes:
    """Return an article, or its card, without withdrawn pictures: as it will be rendered."""
    named = {id_: reason for id_, reason in withdrawn.items() if id_.encode() in document}
    if not named:
        return document
    article = orjson.loads(document)
    lead = article.get("lead_image")
    if lead is not None and lead["id"] in named:
        article["lead_image"] = None
    for block in article.get("body", ()):
        if block["type"] == "image" and block["image_id"] in named:
            block |= {"image": None, "caption": None, "withdrawn": {"reason": named[block["image_id"]]}}
    return orjson.dumps(article)
