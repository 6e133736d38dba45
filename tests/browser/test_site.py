"""A front end in TypeScript, generated types and Vite, at an origin of its own: it shows news, searches,
previews, and asks about cookies, in few lines that compile strictly.
"""

import mimetypes
import re
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from rich.console import Console

from service.demo.load import load
from tests.browser.browsing import Reader, reading, serving_readers
from tests.packages import STRICT, link_packages, run
from tests.serving import EDITOR, Store
from tests.websites import Website, answer, website

SOURCE = Path(__file__).parent / "site"
HEADLINE = "Harbour bridge reopens after a winter of repairs"


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    """The web server of the front end."""
    with website() as server:
        yield server


@pytest.fixture(scope="module")
def store(
    chromium: Browser, site: Website, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The demo as a front end elsewhere uses it: the addresses in it are whole, and this origin's decisions
    are taken.
    """
    settings = {"absolute_urls": True, "cors_origins": site.url, "consent_origins": site.url}
    with serving_readers("sqlite", tmp_path_factory.mktemp("store"), sqlite_template, **settings) as served:
        load(served.database, Console(file=StringIO()))
        yield served


@pytest.fixture(scope="module", autouse=True)
def built(store: Store, site: Website, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Generate the types from the store, compile the front end, build it, and put it on the web server."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(SOURCE, folder, dirs_exist_ok=True)
    link_packages(folder)
    with store.client() as client:
        (folder / "openapi.json").write_bytes(client.get("/openapi.json").content)
    run(folder, "openapi-typescript openapi.json --output schema.d.ts")
    run(folder, f"tsc {STRICT} --noUncheckedIndexedAccess main.ts env.d.ts")
    run(folder, "vite build --logLevel error", VITE_STORE=store.settings.public_url)
    for file in (folder / "dist").rglob("*"):
        if file.is_file():
            address = f"/{file.relative_to(folder / 'dist')}".replace("/index.html", "/")
            kind = mimetypes.guess_type(file)[0]
            site.pages[address] = answer(file.read_bytes(), f"Content-Type: {kind}")


@pytest.fixture
def visitor(chromium: Browser, store: Store, site: Website) -> Iterator[Reader]:
    """A reader of the front end, whose browser has nothing to complain about."""
    with reading(chromium, store, base_url=site.url) as reader:
        yield reader
        assert reader.complaints == []


def test_the_front_end_is_short_and_casts_nothing() -> None:
    lines = [line for file in SOURCE.iterdir() for line in file.read_text().splitlines()]
    assert len(lines) <= 150
    assert [line for line in lines if re.search(r"\b(any|as|unknown)\b|@ts-|!\.|!;", line)] == []


def test_the_list_shows_cards_with_pictures(visitor: Reader) -> None:
    visitor.page.goto("/")
    card = visitor.page.locator("article", has=visitor.page.get_by_role("link", name=HEADLINE))
    image = card.locator("img")
    image.scroll_into_view_if_needed()
    visitor.page.wait_for_function(
        "() => [...document.querySelectorAll('figure:not([hidden]) img')].every((image) => image.naturalWidth > 0)"
    )
    assert visitor.page.locator("article").count() >= 2
    assert "480w" in str(image.get_attribute("srcset"))
    assert image.get_attribute("alt")


def test_an_article_has_its_blocks_and_its_pictures_their_captions(visitor: Reader) -> None:
    visitor.page.goto("/")
    visitor.page.get_by_role("link", name=HEADLINE).click()
    visitor.page.get_by_role("heading", level=1, name=HEADLINE).wait_for()
    assert visitor.page.locator("article h2").all_inner_texts() == ["Two weeks early"]
    assert "our patience" in visitor.page.locator("blockquote").inner_text()
    captions = visitor.page.locator("figcaption").all_inner_texts()
    assert len(captions) == 2
    assert all("Harbour Press" in caption for caption in captions)


def test_a_search_marks_what_it_found(visitor: Reader) -> None:
    visitor.page.goto("/")
    visitor.page.get_by_role("searchbox").fill("bearings")
    visitor.page.keyboard.press("Enter")
    assert visitor.page.locator("mark").inner_text() == "bearings"
    assert visitor.page.locator("article").count() == 1
    visitor.page.get_by_role("searchbox").fill("zeppelin")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_text("Nothing was found.").wait_for()


def test_a_preview_shows_a_draft_at_its_address_alone(visitor: Reader, store: Store) -> None:
    with store.client(*EDITOR) as editor:
        draft = editor.post(
            "/v1/articles",
            json={
                "headline": "Ferry is to stay",
                "body": [{"type": "paragraph", "html": "Until <em>May</em>."}],
            },
        ).json()
        preview = editor.post(f"/v1/articles/{draft['id']}/previews", json={}).json()
    visitor.page.goto(f"/#preview/{preview['href'].rpartition('/')[2]}")
    visitor.page.get_by_role("heading", level=1, name="Ferry is to stay").wait_for()
    assert visitor.page.locator("em").inner_text() == "May"
    visitor.page.goto(f"/#read/{draft['slug']}")
    assert "no published article" in visitor.page.get_by_role("alert").inner_text()
    assert "404" in visitor.complaints.pop()


@pytest.mark.parametrize(("button", "standing"), [("Accept", "ConsentGiven"), ("Reject", "ConsentRefused")])
def test_the_banner_asks_once_and_a_decision_is_withdrawn(
    visitor: Reader, button: str, standing: str
) -> None:
    visitor.page.goto("/")
    banner = visitor.page.locator("#banner")
    banner.wait_for(state="visible")
    visitor.press(button)
    visitor.page.get_by_text(f"Cookies: {standing}").wait_for()
    assert banner.is_hidden()
    with visitor.page.expect_response("**/v1/consents/current*"):
        visitor.page.reload()
    visitor.page.get_by_text(f"Cookies: {standing}").wait_for()
    assert banner.is_hidden()
    with visitor.known() as client:
        assert client.get("/v1/consents/current").json()["status"] == standing
    visitor.press("Withdraw")
    visitor.page.get_by_text("Cookies: ConsentWithdrawn").wait_for()
