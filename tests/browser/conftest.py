"""A Chromium and a store with the sample news. Without a Chromium all of this is skipped, and the run says
so.
"""

import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console

from service.demo.load import load
from tests.browser.browsing import Reader, reading, serving_readers
from tests.serving import EDITOR, Store

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ALONE = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""It speaks to the pages that it is shown, and to nobody else."""


# Not for the whole session: while Playwright runs, no other test could run an event loop in this thread.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser."""
    if CHROMIUM is None:
        pytest.skip(
            "no Chromium is installed here, so no page was opened in a browser: apt-get install chromium"
        )
    with sync_playwright() as playwright:
        # Pages are our own; root, as which containers run tests, has no sandbox.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=ALONE)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def store(
    chromium: Browser, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with the sample news. On which database it is makes no difference to a browser."""
    with serving_readers("sqlite", tmp_path_factory.mktemp("store"), sqlite_template) as served:
        load(served.database, Console(file=StringIO()))
        yield served


@pytest.fixture
def has_scripts() -> bool:
    """Whether the browser runs scripts; a module may override this."""
    return True


@pytest.fixture
def reader(chromium: Browser, store: Store, has_scripts: bool) -> Iterator[Reader]:
    """A reader whose browser has nothing to complain about, and asks nobody but the store."""
    with reading(chromium, store, java_script_enabled=has_scripts) as somebody:
        yield somebody
        assert somebody.complaints == []
        assert [
            address for address in somebody.asked if not address.startswith(f"{store.settings.public_url}/")
        ] == []


@pytest.fixture
def newsroom(store: Store) -> Iterator[httpx.Client]:
    """Whoever writes notices and news."""
    with store.client("consent:write", *EDITOR, name="newsroom") as writer:
        yield writer
