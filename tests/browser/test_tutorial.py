"""The front end of the tutorial works after each of its steps."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from rich.console import Console

from service.demo.load import load
from tests.browser.browsing import Reader, reading, serving_readers
from tests.commands import ROOT
from tests.serving import Store
from tests.websites import Website, answer, website

TUTORIAL = (ROOT / "docs" / "guide" / "tutorial.md").read_text()
BRIDGE = "Harbour bridge reopens after a winter of repairs"


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    """The web server of the front end."""
    with website() as server:
        yield server


@pytest.fixture(scope="module")
def store(
    chromium: Browser, site: Website, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The demo, which lets the front end record decisions."""
    folder = tmp_path_factory.mktemp("store")
    with serving_readers("sqlite", folder, sqlite_template, consent_origins=site.url) as served:
        load(served.database, Console(file=StringIO()))
        yield served


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TUTORIAL, re.DOTALL | re.MULTILINE)


@contextmanager
def visiting(browser: Browser, store: Store, site: Website, step: int) -> Iterator[Reader]:
    """A reader of the front end as it is after a step."""
    scripts = blocks("js")[:step]
    if step > 1:
        assert scripts[0].endswith("await showList();\n")
        scripts[0] = scripts[0].removesuffix("await showList();\n")
    script = "\n".join(scripts).replace("http://localhost:8000", store.settings.public_url)
    (html,) = blocks("html")
    site.pages["/"] = answer(html.encode(), "Content-Type: text/html")
    site.pages["/front.js"] = answer(script.encode(), "Content-Type: text/javascript")
    with reading(browser, store, base_url=site.url) as reader:
        reader.page.goto("/")
        yield reader
        assert reader.complaints == []


def test_the_first_step_lists_articles(chromium: Browser, store: Store, site: Website) -> None:
    with visiting(chromium, store, site, 1) as reader:
        reader.page.get_by_role("link", name=BRIDGE).wait_for()
        assert reader.page.locator("article").count() >= 2


def test_the_second_step_shows_an_article_with_its_pictures(
    chromium: Browser, store: Store, site: Website
) -> None:
    with visiting(chromium, store, site, 2) as reader:
        reader.page.get_by_role("link", name=BRIDGE).click()
        reader.page.get_by_role("heading", level=1, name=BRIDGE).wait_for()
        image = reader.page.locator("figure img").first
        image.scroll_into_view_if_needed()
        reader.page.wait_for_function("() => document.querySelector('figure img').naturalWidth > 0")
        assert "w, " in str(image.get_attribute("srcset"))
        assert image.get_attribute("alt")
        assert "Harbour Press" in reader.page.locator("figcaption").first.inner_text()
        reader.page.get_by_role("link", name="All articles").click()
        reader.page.get_by_role("link", name=BRIDGE).wait_for()


def test_the_third_step_asks_once(chromium: Browser, store: Store, site: Website) -> None:
    with visiting(chromium, store, site, 3) as reader:
        banner = reader.page.locator("#banner")
        banner.wait_for(state="visible")
        reader.press("Reject")
        banner.wait_for(state="hidden")
        with reader.known() as client:
            assert client.get("/v1/consents/current").json()["reconsent_required"] is False
        with reader.page.expect_response("**/v1/consents/current*"):
            reader.page.reload()
        reader.page.get_by_role("link", name=BRIDGE).wait_for()
        assert banner.is_hidden()
