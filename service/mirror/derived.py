"""Find rows of a mirror that are found otherwise than their own documents say: under another slug, in another
list, or with another card.

The digest proves documents. What finds them is beside them, and is compared with them here, at the mirror
alone: a row that differs is fetched again, because its origin knows also what no document says.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import orjson
from sqlalchemy import Row, select
from sqlmodel import col

from service.ages import earliest
from service.articles.cards import card_of_document
from service.database import Session
from service.http.conditional import etag_of
from service.published.mirroring import Arrived
from service.published.models import Kind, NameField, Published, PublishedSlug, PublishedTerm
from service.published.terms import SHOWS

MOST = 10_000
"""Rows that are fetched again after one comparison; the next comparison finds others."""
Term = tuple[str, str, datetime]
_IN_CARD = ("id", "width", "height", "credit_line", "placeholder", "usable_until")


@dataclass(slots=True)
class Suspects:
    """The numbers of live rows that are found otherwise than their documents say."""

    COLUMNS: ClassVar[Sequence[Any]] = (
        Published.etag,
        Published.slug,
        Published.section,
        Published.language,
        Published.source,
        Published.published_at,
        Published.updated_at,
        Published.expires_at,
        Published.good_until,
        Published.card,
    )
    numbers: list[int] = field(default_factory=list)

    def look(self, session: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
        """Look at rows that were read with these columns."""
        live = [row for row in rows if row.reason is None]
        terms = _terms(session, [row.id for row in live if row.kind is Kind.ARTICLE])
        slugs = _slugs(session, [row.slug for row in live if row.slug is not None])
        for row in live:
            if len(self.numbers) < MOST and not _is_right(row, terms[row.id], slugs.get(row.slug)):
                self.numbers.append(row.seq)

    def ranges(self, most: int) -> list[tuple[int, int]]:
        """Return ranges of at most so many numbers in which they all are."""
        found = list[tuple[int, int]]()
        for number in sorted(self.numbers):
            if found and number - found[-1][0] < most:
                found[-1] = found[-1][0], number
            else:
                found.append((number, number))
        return found


class Finding:
    """The terms and slugs of articles at this mirror, as they compare with those that the origin tells."""

    def __init__(self, session: Session, articles: Sequence[UUID]) -> None:
        self._terms = _terms(session, articles)
        self._slugs: dict[UUID, set[str]] = defaultdict(set)
        columns = select(col(PublishedSlug.article_id), col(PublishedSlug.slug))
        for id_, slug in session.execute(columns.where(col(PublishedSlug.article_id).in_(articles))):
            self._slugs[id_].add(slug)

    def differs(self, row: Arrived, here: Published) -> bool:
        """Return whether a row that is here is found otherwise than it is at the origin."""
        facts = row.facts
        told = (
            facts.slug,
            facts.section,
            facts.language,
            facts.source,
            facts.published_at,
            facts.updated_at,
            facts.expires_at,
            facts.good_until,
        )
        if _columns(here) != told or facts.moves != here.moves:
            return True
        if row.reason is None and (facts.negative or "").encode() != (here.negative or b""):
            return True
        if row.kind is not Kind.ARTICLE:
            return False
        terms = {(*term, facts.published_at) for term in facts.pairs} if row.reason is None else set()
        is_carded = here.card is None or here.card == row.card
        return self._slugs[row.id] != {*facts.slugs} or self._terms[row.id] != terms or not is_carded


def _terms(session: Session, articles: Sequence[UUID]) -> dict[UUID, set[Term]]:
    found: dict[UUID, set[Term]] = defaultdict(set)
    columns = select(
        col(PublishedTerm.id),
        col(PublishedTerm.field),
        col(PublishedTerm.value),
        col(PublishedTerm.published_at),
    )
    for id_, *term in session.execute(columns.where(col(PublishedTerm.id).in_(articles))):
        found[id_].add((term[0], term[1], term[2]))
    return found


def _slugs(session: Session, slugs: Sequence[str]) -> dict[str, UUID]:
    columns = select(col(PublishedSlug.slug), col(PublishedSlug.article_id))
    return {row[0]: row[1] for row in session.execute(columns.where(col(PublishedSlug.slug).in_(slugs)))}


def _is_right(row: Row[*tuple[Any, ...]], terms: set[Term], of_slug: UUID | None) -> bool:
    try:
        said = orjson.loads(row.document)
    except orjson.JSONDecodeError:
        return True  # The digest finds it.
    if row.etag != etag_of(row.document, row.version):
        return False
    if row.kind is not Kind.ARTICLE:
        return _columns(row) == _of_other(row, said)
    return (
        _columns(row) == _of_article(said)
        and of_slug == row.id
        and terms == {(*term, row.published_at) for term in _said_terms(said)}
        and _is_card(row.card, row.document, said)
    )


def _columns(row: Row[*tuple[Any, ...]] | Published) -> tuple[object, ...]:
    return (
        row.slug,
        row.section,
        row.language,
        row.source,
        row.published_at,
        row.updated_at,
        row.expires_at,
        row.good_until,
    )


def _of_article(said: dict[str, Any]) -> tuple[object, ...]:
    shown = [said["lead_image"], *(block["image"] for block in _pictures(said))]
    return (
        said["slug"],
        said["section"],
        said["language"],
        said["source"],
        _time(said["published_at"]),
        _time(said["updated_at"]),
        _time(said.get("usable_until")),
        earliest(*(_time(each.get("usable_until")) for each in shown if each is not None)),
    )


def _of_other(row: Row[*tuple[Any, ...]], said: dict[str, Any]) -> tuple[object, ...]:
    """Return the columns of an image or caption. The right of a caption is that of its picture."""
    is_image = row.kind is Kind.IMAGE
    return (
        None,
        None,
        None if is_image else said["language"],
        said["source"] if is_image else None,
        _time(said["created_at"]),
        _time(said["updated_at"]),
        _time(said.get("usable_until")) if is_image else row.expires_at,
        None,
    )


def _pictures(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in said["body"] if block["type"] == "image"]


def _said_terms(said: dict[str, Any]) -> set[tuple[str, str]]:
    shown = [block["image_id"] for block in _pictures(said)]
    if said["lead_image_id"] is not None:
        shown.append(said["lead_image_id"])
    return {
        *((NameField.TAG.value, tag) for tag in said["tags"]),
        *((NameField.AUTHOR.value, author["name"]) for author in said["authors"]),
        *((SHOWS, image) for image in shown),
    }


def _is_card(card: bytes | None, document: bytes, said: dict[str, Any]) -> bool:
    """Return whether a card says what the document does. To make it anew takes ten times as long as to
    compare what both say.
    """
    if card is None:
        return True  # Lists give what the document says.
    try:
        told = orjson.loads(card)
    except orjson.JSONDecodeError:
        return False
    lead, whole = told.pop("lead_image", None), said["lead_image"]
    is_alike = all(name in said and said[name] == value for name, value in told.items())
    if is_alike and (lead is None) == (whole is None) and len(told) == len(said) - 2:
        if lead is None or whole is None:
            return True
        caption = None if whole["caption"] is None else {"alt_text": whole["caption"]["alt_text"]}
        if (
            all(lead.get(name) == whole.get(name) for name in _IN_CARD)
            and lead.get("caption") == caption
            and all(each in whole["renditions"] for each in lead["renditions"])
        ):
            return True
    return card == card_of_document(document)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
