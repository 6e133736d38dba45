"""Rates of readers' decisions by day, notice version, country and surface. Counts from 1 to 9 are
suppressed.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, case, func
from sqlmodel import col

from service.consent.decisions.impressions import ConsentImpression
from service.consent.models import Action, ConsentEvent
from service.database import Session

SMALLEST = 10
"""The smallest count that is told: a smaller one could point at a person."""


class Dimension(StrEnum):
    """A column by which rates can be broken down, beside the notice."""

    DAY = "day"
    NOTICE_VERSION = "notice_version"
    COUNTRY = "country"
    UI_SURFACE = "ui_surface"


class Cell(BaseModel):
    """Figures of one cell. `decisions` are those that accepted, rejected or chose; `acceptance_rate` is the
    share that accepted.

    A figure is null when it is below ten but not none, or would follow from such a one; `suppressed` says
    that there is any.
    """

    notice_key: str
    day: date | None = None
    notice_version: int | None = None
    country: str | None = None
    ui_surface: str | None = None
    impressions: int | None = 0
    decisions: int | None = 0
    accepted: int | None = 0
    rejected: int | None = 0
    custom: int | None = 0
    acknowledged: int | None = 0
    withdrawn: int | None = 0
    acceptance_rate: float | None = None
    suppressed: bool = False


class Rates(BaseModel):
    """A report: a cell for each combination of what it is `by`. Days are those of UTC; `until` is the last
    one.
    """

    since: date
    until: date
    by: list[Dimension] = Field(examples=[["day", "country"]])
    suppressed_below: int = Field(SMALLEST, description="figures from one up to this are not told")
    items: list[Cell]
    next: str | None = None


_FIGURES = {
    "accepted": Action.ACCEPT_ALL,
    "rejected": Action.REJECT_ALL,
    "custom": Action.SAVE,
    "acknowledged": Action.ACKNOWLEDGE,
    "withdrawn": Action.WITHDRAW,
}
_PARTS = frozenset(("accepted", "rejected", "custom"))


def rates(
    session: Session, since: date, until: date, by: Sequence[Dimension], notice_key: str | None
) -> Rates:
    """Count what was shown and decided from one day to another."""
    figures = {"impressions": 0, **dict.fromkeys(_FIGURES, 0)}
    cells: dict[tuple[Any, ...], dict[str, int]] = {}
    for names, statement in (
        (("impressions",), _shown(since, until, by, notice_key)),
        (tuple(_FIGURES), _decided(since, until, by, notice_key)),
    ):
        for row in session.execute(statement):
            place = (
                row[0],
                *(str(value) if value not in (None, "") else None for value in row[1 : len(by) + 1]),
            )
            cells.setdefault(place, dict(figures)).update(zip(names, row[len(by) + 1 :], strict=True))
    ordered = sorted(cells, key=lambda place: tuple("" if part is None else part for part in place))
    items = [_cell(place[0], dict(zip(by, place[1:], strict=True)), cells[place]) for place in ordered]
    return Rates(since=since, until=until, by=list(by), items=items)


def _shown(since: date, until: date, by: Sequence[Dimension], key: str | None) -> Select[*tuple[Any, ...]]:
    place: list[Any] = [
        col(ConsentImpression.notice_key),
        *(getattr(ConsentImpression, dimension) for dimension in by),
    ]
    chosen = sqlalchemy.select(*place, func.sum(ConsentImpression.impressions)).where(
        col(ConsentImpression.day).between(since, until)
    )
    return (chosen if key is None else chosen.where(col(ConsentImpression.notice_key) == key)).group_by(
        *place
    )


def _decided(since: date, until: date, by: Sequence[Dimension], key: str | None) -> Select[*tuple[Any, ...]]:
    day: ColumnElement[Any] = func.date(ConsentEvent.event_time)
    place: list[Any] = [
        col(ConsentEvent.notice_key),
        *(day if dimension is Dimension.DAY else getattr(ConsentEvent, dimension) for dimension in by),
    ]
    counts = [
        func.sum(case((col(ConsentEvent.action) == action, 1), else_=0)) for action in _FIGURES.values()
    ]
    # Ids begin with their time, and are the one thing about time that is indexed.
    within = (
        col(ConsentEvent.event_id) >= _first_id(since),
        col(ConsentEvent.event_id) < _first_id(until + timedelta(days=1)),
    )
    counted = (col(ConsentEvent.action) != Action.EXPIRE, col(ConsentEvent.repeats).is_not(True))
    chosen = sqlalchemy.select(*place, *counts).where(*within, *counted)
    return (chosen if key is None else chosen.where(col(ConsentEvent.notice_key) == key)).group_by(*place)


def _first_id(day: date) -> UUID:
    """Return the smallest UUIDv7 of a day (RFC 9562, 5.7)."""
    return UUID(int=int(datetime.combine(day, time(), UTC).timestamp() * 1000) << 80)


def _cell(key: str, place: dict[Dimension, str | None], counted: dict[str, int]) -> Cell:
    told: dict[str, int | None] = {**counted, "decisions": sum(counted[part] for part in _PARTS)}
    hidden = {
        name for name in ("impressions", "acknowledged", "withdrawn", "decisions") if _is_small(told[name])
    }
    hidden |= _PARTS if "decisions" in hidden else _hidden_parts(counted)
    rate = (
        None
        if "accepted" in hidden or not told["decisions"]
        else round(counted["accepted"] / told["decisions"], 4)
    )
    return Cell.model_validate(
        {
            "notice_key": key,
            **place,
            **told,
            **dict.fromkeys(hidden),
            "acceptance_rate": rate,
            "suppressed": bool(hidden),
        }
    )


def _is_small(figure: int | None) -> bool:
    return figure is not None and 0 < figure < SMALLEST


def _hidden_parts(counted: dict[str, int]) -> set[str]:
    """Return the parts of `decisions` that must not be told: the small ones, and more until those cannot be
    worked out from the rest.
    """
    hidden = {part for part in _PARTS if _is_small(counted[part])}
    for part in sorted(_PARTS - hidden, key=lambda part: counted[part]):
        together = [counted[one] for one in hidden if counted[one]]
        if not hidden or (len(together) > 1 and sum(together) >= SMALLEST):
            break
        if counted[part]:
            hidden.add(part)
    return hidden
