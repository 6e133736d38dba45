"""Erase the link from events to a reader, in the rows and in SQLite's own log.

SQLite's write-ahead log holds every page as it was written, until the log is written over. So it is emptied
after an erasure. That nothing stays in the database file itself is `secure_delete`, which every connection
has.
"""

import sqlite3
from contextlib import closing, suppress

from sqlalchemy import delete, update

from service.consent.decisions import subjects
from service.consent.decisions.adding import EVENTS, SUBJECTS
from service.database import Database, Session

PATIENCE = 0.05
"""Seconds that the log's emptying waits for others: writers wait for it meanwhile."""


def erase(session: Session, secret: str | None) -> bool:
    """Delete the salt of the reader with this secret, and all else that links the reader to the events.
    Return False if the reader is unknown.
    """
    if secret is None:
        return False
    gone = (
        delete(SUBJECTS)
        .where(SUBJECTS.c.secret_digest == subjects.digest_of(secret))
        .returning(SUBJECTS.c.pseudonym)
    )
    pseudonym = session.connection().execute(gone).scalar_one_or_none()
    forget = (
        update(EVENTS)
        .where(EVENTS.c.pseudonym == pseudonym)
        .values(consent_id=None, dedupe=None, request_digest=None)
    )
    session.connection().execute(forget)
    return pseudonym is not None


def empty_log(database: Database) -> bool:
    """Write SQLite's log into the database file and make it empty. Return False where somebody still reads
    what was there before, and it has to be tried again. PostgreSQL looks after its log itself.
    """
    path = database.settings.sqlite_path
    log = path.with_name(f"{path.name}-wal")
    if not database.is_sqlite or not log.exists() or not log.stat().st_size:
        return True
    with (
        suppress(sqlite3.OperationalError),
        closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as own,
    ):
        own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return not log.exists() or not log.stat().st_size
