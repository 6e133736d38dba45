"""A store that the tests of a module share, on both kinds of database and both kinds of media store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import buckets
from tests.databases import KINDS
from tests.serving import Store, serving


@pytest.fixture(scope="module", params=KINDS)
def store(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A running store for all tests of a module: on SQLite with a folder, on PostgreSQL with a bucket.

    A module may give it `SETTINGS`.
    """
    media = buckets.bucket() if request.param == "postgresql" else {}
    settings = media | getattr(request.module, "SETTINGS", {})
    with serving(
        request.param, tmp_path_factory.mktemp("store"), sqlite_template, **settings
    ) as running_store:
        yield running_store
