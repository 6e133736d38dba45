"""The tests of one module share a store on each database: each makes content of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.everywhere.stores import KINDS, serving
from tests.serving import Store


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A running store for all tests of a module."""
    with serving(request.param, tmp_path_factory.mktemp("store"), sqlite_template) as running_store:
        yield running_store
