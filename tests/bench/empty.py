"""Empty stores for figures that have to begin with nothing: migrated once, and then copied."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from shutil import copyfile

from alembic import command

from service.schema import migrations
from service.settings import Settings
from tests import postgres
from tests.bench.measure import Bench
from tests.bench.served import Served
from tests.bench.stand import SECRET, make_writer, served_store
from tests.bench.stores import make_durable

_numbers = count(1)


class Empty(ABC):
    """One kind of database."""

    database: str

    @abstractmethod
    def made(self) -> str:
        """Make another empty store; return its address."""

    @contextmanager
    def served(self, bench: Bench) -> Iterator[tuple[Served, str, str]]:
        """Serve one: the server, its database's address, and a token that may write."""
        url = self.made()
        with served_store(bench, url) as served:
            yield served, url, make_writer(url)


class EmptySqlite(Empty):
    """A file for each store."""

    database = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "empty.db"
        _migrate(f"sqlite:///{self.template}")

    def made(self) -> str:
        path = self.folder / f"empty-{next(_numbers)}.db"
        copyfile(self.template, path)
        return f"sqlite:///{path}"


class EmptyPostgres(Empty):
    """A database for each store, in the server of this run, which writes as one does that must
    lose nothing.
    """

    database = "PostgreSQL"

    def __init__(self) -> None:
        self.server = postgres.server()
        self.template = self.server.template("bench_empty", _migrate)
        make_durable(self.server.url())

    def made(self) -> str:
        return self.server.create_database(f"bench_empty_{next(_numbers)}", self.template)


def empties(folder: Path, *, with_postgres: bool) -> Sequence[Empty]:
    """Those that this run measures."""
    return [EmptySqlite(folder), *([EmptyPostgres()] if with_postgres else [])]


def _migrate(url: str) -> None:
    command.upgrade(migrations(Settings(_env_file=None, database_url=url, secret_key=SECRET)), "head")
