"""Where the pictures of these tests are kept: in a folder, and in a bucket of a real S3 server."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests import buckets
from tests.serving import EDITOR, running, settings_for


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on its way into a bucket lies there: tests look whether anything was left behind."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


PAIRS = {("sqlite", "file"), ("postgresql", "s3")}
"""Every database and every media store is tried, not each with each: neither knows of the other."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out a test's other pairs of a database and a media store."""
    left_out = [item for item in items if not _is_paired(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_paired(item: pytest.Item) -> bool:
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return {"database_url", "media"} - values.keys() != set() or (
        values["database_url"],
        values["media"],
    ) in PAIRS


@pytest.fixture(params=["file", "s3"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, object]:
    """The settings of an empty store of each kind. The tests that ask for it run on both."""
    if request.param == "file":
        return {"media_url": f"file:{tmp_path / 'media'}"}
    return buckets.bucket()


@pytest.fixture
def settings_on_both(database_url: str, tmp_path: Path, media: dict[str, object]) -> Settings:
    """Settings of this test's store, on each kind of database and each kind of media store."""
    return settings_for(database_url, tmp_path, **media)


@pytest.fixture(scope="module")
def sqlite_editor(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """An editor of a store that the tests of a module share: what a picture says is no question of the
    database.
    """
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(sqlite_template, folder / "copydesk.db")
    settings = settings_for(f"sqlite:///{folder / 'copydesk.db'}", folder)
    with running(settings) as store, store.client(*EDITOR, name="editor") as writer:
        yield writer
