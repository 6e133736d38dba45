"""Insert many events and readers at once, with one prepared statement for any number of rows on both
databases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Table, bindparam, column, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from service.consent.decisions.subjects import Subject
from service.consent.events import EVENT
from service.consent.models import ConsentEvent, EventRead, PurposeDecision
from service.database import Session, rows_changed

# Statements of the core, made once: through the ORM, making one takes longer than running it.
EVENTS, SUBJECTS = (ConsentEvent.metadata.tables[name] for name in ("consent_event", "consent_subject"))
_PLAIN = TypeAdapter(list[PurposeDecision])


def _from_json(table: Table) -> postgresql.Insert:
    """Take the rows out of one parameter, an array of JSON: with values for each, every number of rows would
    be another statement.
    """
    rows = func.jsonb_to_recordset(bindparam("rows", type_=postgresql.JSONB)).table_valued(
        *(column(one.name, one.type) for one in table.c)
    )
    return postgresql.insert(table).from_select(
        table.c.keys(), select(*rows.render_derived("given", with_types=True).c)
    )


_EVENTS_TO_SQLITE = sqlite.insert(EVENTS).on_conflict_do_nothing(index_elements=["dedupe"])
_EVENTS_TO_POSTGRES = (
    _from_json(EVENTS).on_conflict_do_nothing(index_elements=["dedupe"]).returning(EVENTS.c.event_id)
)
_SUBJECTS_TO_SQLITE = insert(SUBJECTS)
_SUBJECTS_TO_POSTGRES = _from_json(SUBJECTS)
_THERE = select(EVENTS.c.event_id).where(EVENTS.c.event_id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Adding:
    """An event to be added, unless one with its `dedupe` is there."""

    event: EventRead
    dedupe: str | None = None
    request_digest: str | None = None
    repeats: bool | None = None

    def row(self) -> dict[str, object]:
        """Its columns."""
        return {name: getattr(self.event, name) for name in EVENT} | {
            "dedupe": self.dedupe,
            "request_digest": self.request_digest,
            "repeats": self.repeats,
        }


def add_events(session: Session, events: Sequence[Adding]) -> frozenset[UUID]:
    """Insert events; those that were there already are not among the ids that come back."""
    if not events:
        return frozenset()
    connection = session.connection()
    if not session.database.is_sqlite:
        rows = [{**one.row(), "purposes": _PLAIN.dump_python(one.event.purposes)} for one in events]
        return frozenset(connection.execute(_EVENTS_TO_POSTGRES, {"rows": rows}).scalars())
    added = rows_changed(connection.execute(_EVENTS_TO_SQLITE, [one.row() for one in events]))
    ids = [one.event.event_id for one in events]
    # Returning ids would cost a statement for each number of rows; mostly all were added.
    return frozenset(ids if added == len(ids) else connection.execute(_THERE, {"ids": ids}).scalars())


def add_subjects(session: Session, subjects: Sequence[Subject]) -> None:
    """Insert readers."""
    if not subjects:
        return
    if session.database.is_sqlite:
        session.connection().execute(_SUBJECTS_TO_SQLITE, [one.row() for one in subjects])
        return
    # As PostgreSQL writes bytes.
    rows = [{**one.row(), "salt": f"\\x{one.salt.hex()}"} for one in subjects]
    session.connection().execute(_SUBJECTS_TO_POSTGRES, {"rows": rows})
