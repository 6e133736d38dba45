"""Databases of each kind with today's schema: empty ones, and ones as the first start of a store leaves them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from alembic import command

from service.consent.notices.defaults import ensure_defaults, provide
from service.database import Database
from service.rooms import open_database
from service.schema import migrations
from service.settings import Settings
from tests import postgres

KINDS = ("sqlite", "postgresql")
Write = Callable[[Database], None]


def migrate(url: str) -> None:
    """Give a database the newest schema."""
    command.upgrade(migrations(Settings(_env_file=None, database_url=url)), "head")


def begin(database: Database) -> None:
    """Publish the notice that the first start of a store publishes, which takes as long as the start."""
    provide(database)


def publish_notices(database: Database) -> None:
    """Publish the shipped notices."""
    with database.writing() as session:
        ensure_defaults(session)


@contextmanager
def empty_database(kind: str, folder: Path, template: Path) -> Iterator[str]:
    """Make a migrated database for as long as the block lasts; yield its address.

    SQLite's lies in `folder` and is a copy of `template`; PostgreSQL's is on the server of this run.
    """
    if kind == "sqlite":
        shutil.copy(template, folder / "copydesk.db")
        yield _address(folder / "copydesk.db")
        return
    with _copy(postgres.server().template("migrated", migrate)) as url:
        yield url


@contextmanager
def begun_database(kind: str, folder: Path, template: Path, write: Write = begin) -> Iterator[str]:
    """Make a migrated database into which `write` has written, which it does once for all such databases."""
    if kind == "sqlite":
        written = template.with_name(f"{write.__name__}.db")
        if not written.exists():
            shutil.copy(template, written)
            _write(write, _address(written))
        with empty_database(kind, folder, written) as url:
            yield url
        return
    server = postgres.server()
    with _copy(
        server.template(write.__name__, partial(_write, write), server.template("migrated", migrate))
    ) as url:
        yield url


def _address(file: Path) -> str:
    return f"sqlite:///{file}"


def _write(write: Write, url: str) -> None:
    database = open_database(Settings(_env_file=None, database_url=url))
    write(database)
    database.close()


@contextmanager
def _copy(template: str) -> Iterator[str]:
    server, name = postgres.server(), f"test_{uuid4().hex}"
    yield server.create_database(name, template)
    server.drop_database(name)
