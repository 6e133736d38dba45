"""Every test that asks for a store runs on SQLite and on PostgreSQL, and with the settings that it says,
whoever runs it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.images import lab
from service.images.lab import start_process
from service.main import spare_what_stays
from service.settings import Settings
from tests.compiled import share_compiled
from tests.darkrooms import WarmDarkroom
from tests.databases import KINDS, begun_database, migrate
from tests.effort import LONG, is_left_out, left_out
from tests.postgres import fastest_folder
from tests.reporting import Failures
from tests.serving import EDITOR, Store, running, settings_for


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the files of all stores in memory; name failures as they happen, where there is a terminal: the
    processes of xdist have none.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(fastest_folder()))
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(Failures(terminal))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Do not look into what this run leaves out."""
    return is_left_out(collection_path) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that this run has no time for; in a long one, all have an hour."""
    if LONG:
        for item in items:
            item.add_marker(pytest.mark.timeout(3_600))
    without = left_out(items)
    config.hook.pytest_deselected(items=without)
    unwanted = {id(item) for item in without}
    items[:] = [item for item in items if id(item) not in unwanted]


def pytest_collection_finish() -> None:
    """Keep the collector from searching all modules for cycles again and again, as the service does."""
    spare_what_stays()


@pytest.fixture(scope="session", autouse=True)
def _warm() -> Iterator[None]:
    """Let stores find ready what a service finds ready that has run for a minute."""
    with pytest.MonkeyPatch.context() as patched:
        share_compiled(patched)
        patched.setattr(lab, "start_process", WarmDarkroom)
        yield


@pytest.fixture
def cold_darkrooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each darkroom of this test as a service does."""
    monkeypatch.setattr(lab, "start_process", start_process)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "copydesk.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of a database of each kind, as the first start of a store leaves it."""
    with begun_database(request.param, tmp_path, sqlite_template) as url:
        yield url


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
