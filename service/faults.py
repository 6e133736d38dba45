"""The one map from a database's fault to an answer: which faults one write has caused, which the store has,
and with what status each of them leaves.
"""

import enum
import sqlite3

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from service.errors import Conflict, InternalError, ServiceError, StorageFull, Unavailable, Unprocessable

DATABASE_FAULTS = (DBAPIError, PoolTimeout, StaleDataError, psycopg.Error, sqlite3.Error)
"""The exceptions of SQLAlchemy and the drivers when a database refuses or does not answer."""
log = structlog.get_logger()


class Fault(enum.Enum):
    """A kind of fault. Only CONFLICT, VALUE and BUG can be the fault of a single write."""

    CONFLICT = "another write came first"
    VALUE = "the database cannot hold a value"
    BUG = "the statement is wrong"
    OVERTAKEN = "the transaction lost a deadlock or a race"
    BUSY = "a lock, a limit or the time ended it"
    FULL = "the disk is full"
    READ_ONLY = "the database takes no writes"
    AWAY = "the database does not answer"


# PostgreSQL: by SQLSTATE, or by its first two characters, the class.
_SQLSTATES = {
    "08": Fault.AWAY,
    "22": Fault.VALUE,
    "23": Fault.CONFLICT,
    "25": Fault.BUSY,
    "25006": Fault.READ_ONLY,
    "28": Fault.AWAY,
    "3D": Fault.AWAY,
    "3F": Fault.AWAY,
    "40": Fault.OVERTAKEN,
    # Tables and rights are missing while a dump is being restored over the store.
    "42501": Fault.AWAY,
    "42P01": Fault.AWAY,
    "53": Fault.BUSY,
    "53100": Fault.FULL,
    "54": Fault.VALUE,
    "55": Fault.BUSY,
    "57": Fault.AWAY,
    "57014": Fault.BUSY,
    "58": Fault.AWAY,
    "F0": Fault.AWAY,
    "XX": Fault.AWAY,
}
# SQLite: by primary result code.
_SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_INTERRUPT: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_CONSTRAINT: Fault.CONFLICT,
    sqlite3.SQLITE_TOOBIG: Fault.VALUE,
    sqlite3.SQLITE_MISMATCH: Fault.VALUE,
    sqlite3.SQLITE_RANGE: Fault.BUG,
    sqlite3.SQLITE_MISUSE: Fault.BUG,
}
_DETAILS = {
    Fault.OVERTAKEN: "The database is busy: this request lost a race with another one.",
    Fault.BUSY: "The database is busy: this request has waited too long.",
    Fault.READ_ONLY: "The database takes no writes just now.",
    Fault.AWAY: "The database did not answer.",
}
_RETRY_AFTER = {Fault.FULL: 60, Fault.READ_ONLY: 10}


def fault_of(error: Exception) -> Fault:
    """Tell what kind of fault an exception of `DATABASE_FAULTS` is."""
    if isinstance(error, PoolTimeout):
        return Fault.BUSY
    if isinstance(error, StaleDataError):  # A row has gone since it was read.
        return Fault.CONFLICT
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    if isinstance(cause, psycopg.Error):
        return _of_postgres(cause)
    return Fault.BUG


def _of_sqlite(cause: sqlite3.Error) -> Fault:
    code = getattr(cause, "sqlite_errorcode", None)  # Absent when Python itself has refused.
    if code is None:
        return Fault.BUG if isinstance(cause, sqlite3.ProgrammingError) else Fault.AWAY
    return _SQLITE_CODES.get(code & 0xFF, Fault.AWAY)


def _of_postgres(cause: psycopg.Error) -> Fault:
    if cause.sqlstate is not None:
        return _SQLSTATES.get(cause.sqlstate) or _SQLSTATES.get(cause.sqlstate[:2]) or Fault.BUG
    if isinstance(cause, psycopg.DataError):
        return Fault.VALUE
    return Fault.AWAY if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) else Fault.BUG


def may_be_one_writes(error: Exception) -> bool:
    """Tell whether one write of a batch can have caused this, so that the others may succeed without it."""
    return fault_of(error) in (Fault.CONFLICT, Fault.VALUE, Fault.BUG)


def answer_to(error: Exception) -> ServiceError:
    """Return the answer to an exception of `DATABASE_FAULTS`."""
    match fault := fault_of(error):
        case Fault.CONFLICT:
            return Conflict("Somebody else has just written the same. Read what there is, and try again.")
        case Fault.VALUE:
            return Unprocessable("The database cannot hold a value of this request.")
        case Fault.BUG:
            return InternalError("The fault is in the log, under this request's X-Request-ID.")
        case Fault.FULL:
            return StorageFull("The database's disk is full.", headers={"Retry-After": "60"})
        case _:
            seconds = _RETRY_AFTER.get(fault, 2)
            return Unavailable(_DETAILS[fault], headers={"Retry-After": str(seconds)})


def refusal(error: Exception) -> ServiceError:
    """Log an exception of `DATABASE_FAULTS`, and return the answer to it."""
    fault = fault_of(error)
    if fault is Fault.BUG:
        log.error("wrong statement", exc_info=error)
    elif fault in (Fault.CONFLICT, Fault.VALUE):
        log.warning("one write refused", fault=fault.value, cause=_cause(error))
    else:
        log.error("database unavailable", fault=fault.value, cause=_cause(error))
    return answer_to(error)


def _cause(error: Exception) -> str:
    """Name an exception and its code. Its text is left out, because values of the request may be in it."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    return type(cause).__name__ if code is None else f"{type(cause).__name__} {code}"
