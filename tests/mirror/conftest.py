"""An origin on a real socket, and a mirror of it, which the tests of one module share."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import KINDS
from tests.mirror.mirrors import mirroring
from tests.serving import Store
from tests.sharing import store
from tests.sync.following import listening

__all__ = ["store"]


@pytest.fixture(scope="module")
def origin(store: Store) -> Iterator[str]:
    """The address of the origin."""
    with listening(store.app, store.portal) as address:
        yield address


@pytest.fixture(scope="module")
def mirror(
    origin: str, store: Store, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A mirror of the origin, on a database of the same kind."""
    kind = KINDS[0] if store.settings.is_sqlite else KINDS[1]
    with mirroring(kind, origin, tmp_path_factory.mktemp("mirror"), sqlite_template) as running_mirror:
        yield running_mirror


@pytest.fixture
def reader(mirror: Store) -> Iterator[httpx.Client]:
    """A reader of the mirror."""
    with mirror.client() as client:
        yield client
