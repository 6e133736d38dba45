"""Every test that asks for a store runs on SQLite and on PostgreSQL, and with the settings that it says,
whoever runs it.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from alembic import command

from service.database import migrations
from service.settings import Settings
from tests import postgres
from tests.serving import ORIGIN, Store, running

for own in [
    name for name in os.environ if name.startswith("COPYDESK_") and not name.startswith("COPYDESK_TEST_")
]:
    # Whoever works on Copydesk may have exported settings of a store of their own, to which tests must do
    # nothing.
    del os.environ[own]

SECRET = "a secret of the tests, long enough to be taken"
EDITOR = ("content:read", "content:write", "content:publish")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Some proofs take minutes: they are cut short unless asked for in full."""
    parser.addoption(
        "--long", action="store_true", help="run the proofs that are cut short otherwise in full"
    )


def settings_for(url: str, folder: Path, **changes: object) -> Settings:
    """Settings of a test's store; the environment and `.env` are not asked."""
    known = {
        "database_url": url,
        "media_url": f"file:{folder / 'media'}",
        "public_url": ORIGIN,
        "secret_key": SECRET,
        "log_level": "error",
    }
    return Settings(_env_file=None, **known | {"database_pool_size": 4, "picture_ahead": False, **changes})


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "copydesk.db"
    command.upgrade(migrations(settings_for(f"sqlite:///{path}", path.parent)), "head")
    return path


def _migrated_postgres(url: str) -> None:
    command.upgrade(migrations(settings_for(url, Path("unused"))), "head")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "copydesk.db")
        yield f"sqlite:///{tmp_path / 'copydesk.db'}"
        return
    server, name = postgres.server(), f"test_{uuid4().hex}"
    yield server.create_database(name, server.template("migrated", _migrated_postgres))
    server.drop_database(name)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's store; a module may override this fixture."""
    return settings_for(database_url, tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A running store."""
    with running(settings) as running_store:
        yield running_store


@pytest.fixture
def client(store: Store) -> Iterator[httpx.Client]:
    """A reader: no token."""
    with store.client() as reader:
        yield reader


@pytest.fixture
def editor(store: Store) -> Iterator[httpx.Client]:
    """An editor: may read, write and publish content."""
    with store.client(*EDITOR, name="editor") as writer:
        yield writer


@pytest.fixture
def admin(store: Store) -> Iterator[httpx.Client]:
    """An administrator."""
    with store.client("admin", name="admin") as administrator:
        yield administrator
