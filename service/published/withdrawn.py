"""Leave pictures that may not be shown any longer out of documents that were rendered before.

A document says until when each of its pictures may be shown. Whoever reads documents reads them through
`without`, so that no document shows a picture from the end of its licence on, whenever the document is
rendered again.

The transaction that withdraws a picture renders the articles that show it for a tenth of a second; the others
wait in `published_awaiting`, which holds the reason meanwhile. Whoever reads documents asks in the same
statement whether anything waits so. Therefore no document shows a withdrawn picture from the commit on, in
any process and however many articles wait, and a store in which nothing waits pays nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import col, func, select

from service.ages import earliest
from service.contracts import Contract, PictureRight
from service.database import Session
from service.published.models import Awaiting, Reason
from service.tables import latest, stored_time

_WAITING = col(Awaiting.withdrawn_for).is_not(None)
WAITING = select(func.count()).select_from(Awaiting).where(_WAITING).scalar_subquery()
"""Counts the withdrawals that articles await, in the snapshot of the statement that reads documents."""
WAITING_SQL = "(SELECT count(*) FROM published_awaiting WHERE withdrawn_for IS NOT NULL)"
PICTURES_SQL = (
    "SELECT image_id, withdrawn_for, gone_from FROM published_awaiting WHERE withdrawn_for IS NOT NULL"
)
# A text of the document cannot look so: its quotes are escaped.
_ENDS = re.compile(rb'"usable_until":"([^"]+)"')
_ANY = b'"usable_until":"'


@dataclass(frozen=True, slots=True)
class Gone:
    """The pictures that documents are read without at a time: some by their ids, each with the reason, and
    all whose licence has ended by then. At `next_at` there are more.
    """

    at: datetime = field(default_factory=latest)
    reasons: Mapping[str, str] = field(default_factory=dict)
    next_at: datetime | None = None
    contract: Contract | None = None
    """The contract of the reader, who gets no picture that it does not give."""

    @property
    def leaves_out_none(self) -> bool:
        """Return whether only licences that end leave out pictures."""
        return not self.reasons and self.next_at is None and not self.hides

    @property
    def hides(self) -> bool:
        """Return whether a contract leaves out pictures."""
        return self.contract is not None and self.contract.pictures is not PictureRight.ALL


def pictures(session: Session) -> Gone:
    """Return the withdrawals that articles await. Read the documents afterwards, never before: a batch may
    end between.
    """
    columns = select(Awaiting.image_id, Awaiting.withdrawn_for, Awaiting.gone_from)
    return by_id(session.exec(columns.where(_WAITING)), session.contract)


def by_id(
    rows: Iterable[tuple[UUID | str, str | None, datetime | str | None]], contract: Contract | None = None
) -> Gone:
    """Return the withdrawals of pictures, whose ids and times SQLite's driver gives as text."""
    at, reasons, next_at = latest(), dict[str, str](), None
    for id_, reason, gone_from in rows:
        begins = None if gone_from is None else stored_time(gone_from)
        if begins is None or begins <= at:
            reasons[str(UUID(str(id_)))] = reason or ""
        else:
            next_at = earliest(next_at, begins)
    return Gone(at, reasons, next_at, contract)


def until(document: bytes, gone: Gone) -> datetime | None:
    """Return the time at which a document that was read without pictures must be read anew."""
    if _ANY not in document:
        return gone.next_at
    return earliest(gone.next_at, *(end for end in _ends(document) if end > gone.at))


def without(document: bytes, gone: Gone) -> bytes:
    """Return an article, or its card, without the pictures that have gone: as it will be rendered."""
    has_ends = _ANY in document
    if not (has_ends or gone.reasons or gone.hides):
        return document
    named = {id_: reason for id_, reason in gone.reasons.items() if id_.encode() in document}
    has_ended = has_ends and any(end <= gone.at for end in _ends(document))
    if not document or not (named or has_ended or gone.hides):
        return document
    article = orjson.loads(document)
    lead = article.get("lead_image")
    if lead is not None and (lead["id"] in named or _has_ended(lead, gone.at)):
        article["lead_image"] = None
    if gone.hides and not _leave_out(article, gone.contract) and not named and not has_ended:
        return document
    for block in article.get("body", ()):
        if block["type"] != "image":
            continue
        reason = named.get(block["image_id"])
        if reason is None and _has_ended(block["image"], gone.at):
            reason = str(Reason.EXPIRED)
        if reason is not None:
            told = {"reason": reason} if reason else None
            block |= {"image": None, "caption": None, "withdrawn": told}
    return orjson.dumps(article)


def _leave_out(article: dict[str, Any], contract: Contract | None) -> bool:
    """Leave out of an article the pictures that a contract does not give, with their captions. Return whether
    there are any.
    """
    has_left = article.get("lead_image_id") is not None and not _is_given(article["lead_image"], contract)
    if has_left:
        article |= {"lead_image_id": None, "lead_image": None}
    if "body" in article:
        body = [
            block
            for block in article["body"]
            if block["type"] != "image" or _is_given(block["image"], contract)
        ]
        has_left |= len(body) < len(article["body"])
        article["body"] = body
    return has_left


def _is_given(picture: Mapping[str, Any] | None, contract: Contract | None) -> bool:
    if contract is None:
        return True
    return contract.gives_picture(None if picture is None else picture.get("source"))


def _ends(document: bytes) -> list[datetime]:
    return [datetime.fromisoformat(end.decode()) for end in _ENDS.findall(document)]


def _has_ended(picture: Mapping[str, object] | None, at: datetime) -> bool:
    end = None if picture is None else picture.get("usable_until")
    return isinstance(end, str) and datetime.fromisoformat(end) <= at
