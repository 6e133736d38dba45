"""A store whose notices are the shipped ones, and people who decide on them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.databases import KINDS, begun_database, publish_notices
from tests.serving import Store, settings_for


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of a database of each kind that has the shipped notices."""
    with begun_database(request.param, tmp_path, sqlite_template, publish_notices) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Tests decide more often than readers do."""
    return settings_for(database_url, tmp_path, consent_rate_limit=100_000)


@pytest.fixture
def newsroom(store: Store) -> Iterator[httpx.Client]:
    """Whoever writes the notices."""
    with store.client("consent:write", name="newsroom") as writer:
        yield writer
