"""Readers with a browser of their own, which remembers what it asked for and what it complained about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page

from service.consent.decisions.subjects import COOKIE
from tests.commands import free_port
from tests.serving import Store, serving
from tests.sync.following import listening

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
BRIDGE = "/read/harbour-bridge-reopens-after-a-winter-of-repairs"


class Reader:
    """Somebody who reads: a browser without history, and the store's own view of them."""

    def __init__(self, browser: Browser, store: Store, **context: Any) -> None:
        self.store = store
        self.context = browser.new_context(
            **{"base_url": store.settings.public_url, "viewport": DESK} | context
        )
        self.context.set_default_timeout(10_000)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.context.on("console", lambda said: self.complaints.append(said.text))
        self.context.on("weberror", lambda fault: self.complaints.append(fault.error.message))
        self.page: Page = self.context.new_page()

    @property
    def banner(self) -> Locator:
        """The notice that asks."""
        return self.page.locator("#notice")

    def press(self, name: str) -> None:
        """Press the one visible button of this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    @contextmanager
    def known(self) -> Iterator[httpx.Client]:
        """A client with this browser's cookie, to ask the store about the reader."""
        held = {one["name"]: one["value"] for one in self.context.cookies(self.store.settings.public_url)}
        with self.store.client() as client:
            client.headers["Cookie"] = f"{COOKIE}={held[COOKIE]}"
            yield client


@contextmanager
def reading(browser: Browser, store: Store, **context: Any) -> Iterator[Reader]:
    """A reader for as long as the block lasts."""
    reader = Reader(browser, store, **context)
    try:
        yield reader
    finally:
        reader.context.close()


@contextmanager
def serving_readers(kind: str, folder: Path, template: Path, **changes: object) -> Iterator[Store]:
    """A store at an address that browsers reach."""
    port = free_port()
    known = {"public_url": f"http://127.0.0.1:{port}", "consent_rate_limit": 100_000}
    with (
        serving(kind, folder, template, **known | changes) as store,
        listening(store.app, store.portal, port),
    ):
        yield store
