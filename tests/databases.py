"""Empty databases of each kind, with today's schema."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from alembic import command

from service.schema import migrations
from service.settings import Settings
from tests import postgres

KINDS = ("sqlite", "postgresql")


def migrate(url: str) -> None:
    """Give a database the newest schema."""
    command.upgrade(migrations(Settings(_env_file=None, database_url=url)), "head")


@contextmanager
def empty_database(kind: str, folder: Path, template: Path) -> Iterator[str]:
    """Make a migrated database for as long as the block lasts; yield its address.

    SQLite's lies in `folder` and is a copy of `template`; PostgreSQL's is on the server of this run.
    """
    if kind == "sqlite":
        shutil.copy(template, folder / "copydesk.db")
        yield f"sqlite:///{folder / 'copydesk.db'}"
        return
    server, name = postgres.server(), f"test_{uuid4().hex}"
    yield server.create_database(name, server.template("migrated", migrate))
    server.drop_database(name)
