"""Let only one process at a time serve a SQLite file."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from service.settings import Settings


class AlreadyServed(RuntimeError):
    """Another process serves this SQLite file."""


@contextmanager
def serving_alone(settings: Settings) -> Iterator[None]:
    """Hold the lock of the one process that serves a SQLite file. PostgreSQL needs none.

    The lock is on a file of its own, because closing the database file would release SQLite's locks on it.
    The kernel releases the lock when the process ends.
    """
    if not settings.is_sqlite:
        yield
        return
    path = settings.sqlite_path
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}-serving").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(
                f"Another process serves {path}. SQLite is served by one; more than one needs PostgreSQL."
            ) from None
        yield
