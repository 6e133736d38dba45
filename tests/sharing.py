"""A store that the tests of a module share. A conftest imports it by its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS
from tests.serving import Store, serving


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A running store for all tests of a module."""
    with serving(request.param, tmp_path_factory.mktemp("store"), sqlite_template) as running_store:
        yield running_store
