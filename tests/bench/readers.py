"""A store in which a million readers have decided, each once, and every decision is sealed into the log.

`python -m tests.bench.readers DATABASE_URL` fills an empty database and prints how many it has written: rows
go straight into the service's own tables, and the log is the service's own.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta

from alembic import command
from sqlalchemy import insert
from sqlmodel import select

from service.consent.decisions.subjects import Subject, derived_secret, new_subject
from service.consent.log.sealing import seal
from service.consent.models import (
    VALIDITY_DAYS,
    Action,
    Choice,
    ConsentEvent,
    ConsentNotice,
    PurposeDecision,
    State,
)
from service.consent.notices.defaults import DEFAULT_KEY, ensure_defaults
from service.consent.signing import Signer
from service.database import Session
from service.rooms import open_database
from service.schema import migrations
from service.settings import Settings
from service.tables import new_id, now

VERSION = 1
"""Raise it when this file writes something else: kept stores are then written anew."""
READERS = 1_000_000
AT_ONCE = 5_000
EVENTS, SUBJECTS = (ConsentEvent.metadata.tables[name] for name in ("consent_event", "consent_subject"))


def secrets(settings: Settings, every: int) -> Iterator[str]:
    """The cookies of some of the readers: of each so many, one."""
    return (derived_secret(settings.signing_key, _name(number)) for number in range(0, READERS, every))


def _name(number: int) -> str:
    return f"reader {number}"


def fill(settings: Settings) -> None:
    """Migrate an empty database, and write readers and their events."""
    command.upgrade(migrations(settings), "head")
    database = open_database(settings)
    with database.writing() as session:
        ensure_defaults(session)
        notice = session.exec(select(ConsentNotice).where(ConsentNotice.notice_key == DEFAULT_KEY)).one()
    for first in range(0, READERS, AT_ONCE):
        with database.writing() as session:
            _write(
                session,
                notice,
                [
                    new_subject(settings.signing_key, _name(number))
                    for number in range(first, first + AT_ONCE)
                ],
            )
        sys.stdout.write(f"{AT_ONCE}\n")
        sys.stdout.flush()
    seal(database, Signer(settings.signing_key))
    database.close()


def _write(session: Session, notice: ConsentNotice, readers: list[Subject]) -> None:
    session.connection().execute(insert(SUBJECTS), [reader.row() for reader in readers])
    session.connection().execute(
        insert(EVENTS), [_event(notice, reader.pseudonym, place) for place, reader in enumerate(readers)]
    )


def _event(notice: ConsentNotice, pseudonym: str, place: int) -> dict[str, object]:
    """Every third reader accepts, the others reject."""
    accepts, at = place % 3 == 0, now()
    granted = {purpose.purpose_key for purpose in notice.purposes if accepts or purpose.required}
    return {
        "event_id": new_id(),
        "pseudonym": pseudonym,
        "event_time": at,
        "client_event_time": None,
        "decided_at": at,
        "valid_until": at + timedelta(days=VALIDITY_DAYS),
        "event_state": State.GIVEN if accepts else State.REFUSED,
        "action": Action.ACCEPT_ALL if accepts else Action.REJECT_ALL,
        "notice_key": notice.notice_key,
        "notice_version": notice.version,
        "purposes": [
            PurposeDecision(
                purpose_key=each.purpose_key,
                decision=Choice.GRANTED if each.purpose_key in granted else Choice.DENIED,
            )
            for each in notice.purposes
        ],
        "notice_content_hash": notice.content_hash,
        "language": notice.language,
        "ui_surface": "banner",
        "gpc": False,
        "country": None,
        "consent_id": new_id().hex,
        "previous_event_id": None,
        "dedupe": None,
        "request_digest": None,
    }


if __name__ == "__main__":
    fill(
        Settings(
            _env_file=None,
            database_url=sys.argv[1],
            secret_key="a secret of the benchmark, which guards nothing",
        )
    )
