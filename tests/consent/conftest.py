"""A store whose notices are the shipped ones, and people who decide on them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.consent.notices.defaults import ensure_defaults
from service.settings import Settings
from tests.serving import Store, settings_for


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Tests decide more often than readers do."""
    return settings_for(database_url, tmp_path, consent_rate_limit=100_000)


@pytest.fixture(autouse=True)
def shipped_notices(request: pytest.FixtureRequest) -> None:
    """Publish the shipped notices wherever a test has a store."""
    if "store" in request.fixturenames:
        store: Store = request.getfixturevalue("store")
        with store.database.writing() as session:
            ensure_defaults(session)


@pytest.fixture
def newsroom(store: Store) -> Iterator[httpx.Client]:
    """Whoever writes the notices."""
    with store.client("consent:write", name="newsroom") as writer:
        yield writer
