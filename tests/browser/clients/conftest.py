"""A publisher's web server, and a store that takes what is decided on its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.browsing import serving_readers
from tests.serving import Store
from tests.websites import Website, website


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    """The publisher's own web server."""
    with website() as server:
        yield server


@pytest.fixture(scope="module")
def place() -> str:
    """Where the publisher's page is, where a test does not say it."""
    return "another origin"


@pytest.fixture(scope="module")
def store(
    place: str, site: Website, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store that lets the publisher's pages record consent."""
    settings = {"consent_origins": site.url, "consent_cookie_cross_site": place == "another site"}
    # Notices as they are now, not as a browser that asked some seconds ago may still have them.
    settings |= {"public_max_age": 0, "public_stale_while_revalidate": 0}
    with serving_readers("sqlite", tmp_path_factory.mktemp("store"), sqlite_template, **settings) as served:
        yield served
