"""Stores that several tests share, and stores with settings of their own, on either database."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from alembic import command

from service.database import migrations
from service.settings import Settings
from tests import postgres
from tests.conftest import settings_for
from tests.serving import Store, running

KINDS = ("sqlite", "postgresql")


@contextmanager
def empty_database(kind: str, folder: Path, template: Path) -> Iterator[str]:
    """The address of a new, migrated database, gone at the end."""
    if kind == "sqlite":
        shutil.copy(template, folder / "copydesk.db")
        yield f"sqlite:///{folder / 'copydesk.db'}"
        return
    server, name = postgres.server(), f"test_{uuid4().hex}"
    yield server.create_database(name, server.template("migrated", _migrate))
    server.drop_database(name)


def _migrate(url: str) -> None:
    command.upgrade(migrations(settings_for(url, Path("unused"))), "head")


@contextmanager
def serving(kind: str, folder: Path, template: Path, **changes: object) -> Iterator[Store]:
    """A running store on a new database, with settings of its own."""
    with (
        empty_database(kind, folder, template) as url,
        running(settings_for(url, folder, **changes)) as store,
    ):
        yield store


@contextmanager
def another(store: Store, **changes: object) -> Iterator[Store]:
    """A second app on the database of a running one."""
    known: Settings = store.settings
    with running(settings_for(known.database_url, known.media_directory.parent, **changes)) as second:
        yield second
