"""A store whose database's disk can be broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.faults.breaking import SmallDisk
from tests.serving import settings_for


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    """The disk of this test's database."""
    small = SmallDisk()
    yield small
    small.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path, disk: SmallDisk) -> Settings:
    """Settings of a store that waits two seconds for a lock."""
    return settings_for(database_url, tmp_path, request_deadline=8)
