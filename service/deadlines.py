"""Cut the connection of a query that has passed its deadline, so that nobody waits for a database without an
end.

The database's own timeouts end a statement only while the server runs and can be reached. Cutting the
connection works in any case.
"""

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

import psycopg
import structlog

LOOKS_EVERY = 0.25
Driven = sqlite3.Connection | psycopg.Connection | psycopg.AsyncConnection
"""A connection of one of the two drivers."""
log = structlog.get_logger()


class Deadlines:
    """The connections of one process that are at work, until when each may be, and which threads wait for an
    answer.
    """

    def __init__(self) -> None:
        self._until: dict[Driven, float] = {}
        self._asked_at: dict[int, float] = {}
        # A connection must not be cut once its work has ended: somebody else may have it then.
        self._lock = Lock()

    def begin(self, connection: Driven, seconds: float) -> None:
        """Let a connection work for so many seconds."""
        self._until[connection] = time.monotonic() + seconds

    def end(self, connection: Driven) -> None:
        """Note that a connection has ended its work."""
        with self._lock:
            self._until.pop(connection, None)

    @contextmanager
    def within(self, connection: Driven, seconds: float) -> Iterator[None]:
        """Let a connection work for so many seconds, until the block ends."""
        self.begin(connection, seconds)
        try:
            yield
        finally:
            self.end(connection)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Note that this thread waits for an answer of the database until the block ends."""
        self.ask()
        try:
            yield
        finally:
            self.answered()

    def ask(self, *_: object) -> None:
        """Note that this thread waits for an answer of the database."""
        self._asked_at[get_ident()] = time.monotonic()

    def answered(self, *_: object) -> None:
        """Note that this thread has its answer, or will have none."""
        self._asked_at.pop(get_ident(), None)

    def silence(self, thread: int) -> float:
        """Return the seconds for which a thread has waited for the answer to one statement; 0.0 when it waits
        for none.
        """
        asked_at = self._asked_at.get(thread)
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    async def step(self) -> float:
        """Cut what is late, and return the seconds to wait."""
        self.cut_late()
        return LOOKS_EVERY

    def cut_late(self) -> None:
        """Cut every connection whose deadline has passed."""
        at = time.monotonic()
        for connection, until in list(self._until.items()):
            if until > at:
                continue
            with self._lock:
                if self._until.pop(connection, None) is not None:
                    log.error("a connection to the database was cut: its deadline had passed")
                    _cut(connection)


def _cut(connection: Driven) -> None:
    """Make whatever waits for this connection fail at once, in whatever thread."""
    if isinstance(connection, sqlite3.Connection):
        connection.interrupt()
    elif not connection.closed:
        # The socket is shut down, not closed: its number stays taken until the driver lets go of it.
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
