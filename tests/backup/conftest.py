"""Empty stores, and folders to fill them from."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from service.settings import Settings
from tests.backup.drilling import New, export
from tests.databases import empty_database
from tests.formats.front_page import illustrated
from tests.serving import EDITOR, serving, settings_for


@pytest.fixture
def new(tmp_path: Path, sqlite_template: Path) -> Iterator[New]:
    """Make an empty, migrated store of a kind, which nobody serves yet."""
    with ExitStack() as made:

        def make(kind: str) -> Settings:
            folder = tmp_path / f"store-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return settings_for(made.enter_context(empty_database(kind, folder, sqlite_template)), folder)

        yield make


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """An export of one article with its picture and caption."""
    folder = tmp_path_factory.mktemp("exported")
    with serving("sqlite", folder, sqlite_template) as store, store.client(*EDITOR) as editor:
        illustrated(editor)
        return export(store, folder / "out", everything=True)


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of that export, to do something to."""
    return Path(shutil.copytree(exported, tmp_path / "exported"))
