"""Let only one process at a time serve a SQLite file."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from service.settings import Settings


class AlreadyServed(RuntimeError):
    """Another process serves this SQLite file."""


@contextmanager
def serving_alone(settings: Settings) -> Iterator[None]:
    """Be the one process that serves a SQLite file; PostgreSQL takes many.

    The lock is on a file of its own: closing the database's would let go of SQLite's locks on it. The kernel
    ends it with the process.
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
