"""Count every name anew once a day, and at once in a store that was just migrated or restored.

Counts change in the transactions that publish. A version of before there were counts may have published
meanwhile, and what it has left wrong is put right here.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from anyio import to_thread
from sqlalchemy import ColumnElement, delete, func, update
from sqlalchemy.orm import Mapped
from sqlmodel import col, select

from service.database import Database, Session, upsert
from service.published.models import (
    Kind,
    NameField,
    Published,
    PublishedName,
    PublishedSequence,
    PublishedTerm,
)
from service.published.names import COUNTED_AS
from service.published.render import lock_counter
from service.tables import now

ANEW_AFTER = timedelta(days=1)
LOOKS_EVERY = 60.0
AT_ONCE = 50
SECONDS_AT_ONCE = 0.02
"""A batch ends after this time, because nobody publishes while it lasts."""
REST = 10.0
"""The job rests so many times as long as its batch took."""


@dataclass(slots=True)
class Counting:
    """The count of one process, and the name that it has come to."""

    database: Database
    _field: NameField | None = None
    _value: str | None = None
    _begun_at: datetime | None = None

    async def step(self) -> float:
        """Count some names; return the seconds to rest."""
        if self._field is None and not await to_thread.run_sync(self._is_due):
            return LOOKS_EVERY
        began = time.monotonic()
        async with self.database.turn():
            await to_thread.run_sync(self.count_some)
        return LOOKS_EVERY if self._field is None else REST * (time.monotonic() - began)

    def _is_due(self) -> bool:
        with self.database.reading() as session:
            last = select(PublishedSequence.counted_at, PublishedSequence.counted_as)
            counted_at, counted_as = session.exec(last).one()
        if counted_at is not None and counted_at > now() - ANEW_AFTER and counted_as == COUNTED_AS:
            return False
        self._field, self._value, self._begun_at = next(iter(NameField)), None, now()
        return True

    def count_some(self) -> None:
        """Count the next names."""
        assert self._field is not None
        until = time.monotonic() + SECONDS_AT_ONCE
        with self.database.writing() as session:
            lock_counter(session)
            for _ in range(AT_ONCE):
                name = _next(session, self._field, self._value)
                if name is None:
                    self._go_on(session)
                    return
                _count(session, self._field, name)
                self._value = name
                if time.monotonic() > until:
                    return

    def _go_on(self, session: Session) -> None:
        assert self._field is not None
        fields = list(NameField)
        place = fields.index(self._field) + 1
        self._field, self._value = (fields[place] if place < len(fields) else None), None
        if self._field is None:
            session.execute(
                update(PublishedSequence).values(counted_at=self._begun_at, counted_as=COUNTED_AS)
            )


def _next(session: Session, field: NameField, after: str | None) -> str | None:
    """Return the next name, of an article or of a count that is kept."""
    value, having = _having(field)
    used = select(func.min(value)).where(*having)
    kept = select(func.min(col(PublishedName.value))).where(col(PublishedName.field) == field.value)
    if after is not None:
        used, kept = used.where(value > after), kept.where(col(PublishedName.value) > after)
    either = used.union_all(kept).subquery()
    name: str | None = session.execute(select(func.min(either.c[0]))).scalar_one()
    return name


def _count(session: Session, field: NameField, name: str) -> None:
    value, having = _having(field)
    count = session.execute(select(func.count()).where(*having, value == name)).scalar_one()
    if count:
        session.execute(
            upsert(session, PublishedName), [{"field": field.value, "value": name, "count": count}]
        )
    else:
        session.execute(
            delete(PublishedName).where(
                col(PublishedName.field) == field.value, col(PublishedName.value) == name
            )
        )


def _having(field: NameField) -> tuple[Mapped[Any], list[ColumnElement[bool]]]:
    """Return the column that holds the names of a field, and the condition on its rows."""
    columns = {
        NameField.SECTION: col(Published.section),
        NameField.LANGUAGE: col(Published.language),
        NameField.SOURCE: col(Published.source),
    }
    if field is NameField.KIND:
        return col(Published.kind), [col(Published.reason).is_(None)]
    if field in columns:
        return columns[field], [col(Published.kind) == Kind.ARTICLE, col(Published.reason).is_(None)]
    return col(PublishedTerm.value), [col(PublishedTerm.field) == field.value]
