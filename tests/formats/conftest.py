"""A second store, to bring things into."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from alembic import command

from service.schema import migrations
from tests.serving import EDITOR, running, settings_for


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[httpx.Client]:
    """An editor of another store, which knows nothing yet."""
    settings = settings_for(f"sqlite:///{tmp_path / 'elsewhere.db'}", tmp_path / "elsewhere")
    command.upgrade(migrations(settings), "head")
    with running(settings) as store, store.client(*EDITOR) as editor:
        yield editor
