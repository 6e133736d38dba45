"""Read rows of what is public: documents or cards, as they are without the pictures that have gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, case, null, select
from sqlmodel import col

from service.database import Session
from service.published import filters
from service.published.models import Kind, Published
from service.published.withdrawn import WAITING, Gone, pictures, until, without

Statement = Select[*tuple[Any, ...]]
Part = Literal["documents", "cards", "both"]
"""Columns of a row that a list needs. Of cards alone, the document of a row that has one is not read."""
_READ: dict[Part, Sequence[Any]] = {
    "documents": (col(Published.document), null()),
    "cards": (
        case((col(Published.card).is_(None), col(Published.document)), else_=None),
        col(Published.card),
    ),
    "both": (col(Published.document), col(Published.card)),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A row as it was read, and its key in the order of the list."""

    key: tuple[Any, ...]
    document: bytes
    card: bytes | None


def reading(part: Part, *key: Any) -> Statement:
    """Select what `read` reads of rows, each with its key."""
    return select(WAITING, *_READ[part], *key)


def read(
    session: Session, kind: Kind, statement: Statement, values: Mapping[str, Any] | None = None
) -> list[Found]:
    """Read documents, each with its key, as they are without the pictures that have gone."""
    # Before the rows are read: what ends meanwhile is among them, and the answer must not outlast it.
    gone = Gone(contract=session.contract)
    rows = session.execute(statement, values).all()
    if rows and rows[0][0]:
        gone = pictures(session)
        rows = session.execute(statement, values).all()
    shown, found = gone if kind is Kind.ARTICLE else Gone(gone.at), []
    for _, document, card, *key in rows:
        session.keep_until(until(card or document, gone))
        found.append(
            Found(tuple(key), without(document or b"", shown), None if card is None else without(card, shown))
        )
    if kind is Kind.CAPTION and rows:
        # Captions alone do not say until when they may be shown.
        filters.keep_until_next(session, kind, gone.at)
    return found
