"""Each fault of a database has one answer, whoever meets it."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from service.faults import answer_to, may_be_one_writes

POSTGRES = {
    "55P03": 503,  # lock not available
    "57014": 503,  # statement timeout
    "40001": 503,  # serialization failure
    "40P01": 503,  # deadlock
    "53100": 507,  # disk full
    "53200": 503,  # out of memory
    "53300": 503,  # too many connections
    "57P01": 503,  # administrator's shutdown
    "57P03": 503,  # starting up
    "08006": 503,  # connection failure
    "25006": 503,  # a standby
    "42P01": 503,  # a dump is being restored
    "58030": 503,  # input or output error
    "XX001": 503,  # damaged data
    "23505": 409,  # unique violation
    "22001": 422,  # too long
    "54000": 422,  # more than an index takes
    "42601": 500,  # syntax error
}
ONE_WRITES = {409, 422, 500}


@pytest.mark.parametrize(("sqlstate", "status"), POSTGRES.items())
def test_what_postgresql_reports(sqlstate: str, status: int) -> None:
    cause = psycopg.errors.lookup(sqlstate)("…")
    for fault in (cause, DBAPIError("INSERT …", {}, cause)):
        answer = answer_to(fault)
        assert (answer.status, "Retry-After" in answer.headers) == (status, status in (503, 507))
        assert may_be_one_writes(fault) is (status in ONE_WRITES)


def _fill(connection: sqlite3.Connection, _path: Path) -> None:
    connection.execute("PRAGMA max_page_count = 3")
    connection.execute("INSERT INTO kept VALUES (zeroblob(100000))")


def _wait_for_another(connection: sqlite3.Connection, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


def _read_only(connection: sqlite3.Connection, _path: Path) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute("DELETE FROM kept")


def _again(connection: sqlite3.Connection, _path: Path) -> None:
    for _ in range(2):
        connection.execute("INSERT INTO kept VALUES (x'00')")


def _too_long(connection: sqlite3.Connection, _path: Path) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000)
    connection.execute("INSERT INTO kept VALUES (?)", (b"x" * 2_000,))


def _late(connection: sqlite3.Connection, _path: Path) -> None:
    threading.Timer(0.05, connection.interrupt).start()
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    ).fetchall()


def _away(_connection: sqlite3.Connection, path: Path) -> None:
    sqlite3.connect(path.parent / "nowhere" / "copydesk.db")


SQLITE = {
    _fill: 507,
    _wait_for_another: 503,
    _read_only: 503,
    _late: 503,
    _away: 503,
    _again: 409,
    _too_long: 422,
}


@pytest.mark.parametrize(("breaks", "status"), SQLITE.items())
def test_what_sqlite_reports(
    breaks: Callable[[sqlite3.Connection, Path], None], status: int, tmp_path: Path
) -> None:
    path = tmp_path / "copydesk.db"
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    connection.execute("CREATE TABLE kept (value BLOB UNIQUE)")
    with pytest.raises(sqlite3.Error) as raised:
        breaks(connection, path)
    connection.close()
    assert answer_to(raised.value).status == status
    assert may_be_one_writes(raised.value) is (status in ONE_WRITES)


def test_what_sqlalchemy_reports() -> None:
    assert answer_to(PoolTimeout("no connection is free")).status == 503
    assert answer_to(StaleDataError("the row has gone")).status == 409
