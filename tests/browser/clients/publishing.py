"""Pages of publishers who use a banner of npm, as it was published, in the way that docs/consent/banners.md
tells them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from tests.browser.browsing import Reader, reading
from tests.serving import Store
from tests.websites import Website, answer

ROOT = Path(__file__).parents[3]
TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
}
PLACES = ("same origin", "another origin", "another site")
"""Where the page is, seen from the store: behind one host name with it, on a host name of the same site, or
anywhere else.
"""


def package(name: str, version: str, file: str) -> str:
    """A file of an npm package, as it was published."""
    folder = ROOT / "node_modules" / name
    if not folder.exists():
        pytest.skip(f"the npm package {name} is not installed here: npm install --no-save {name}@{version}")
    assert json.loads((folder / "package.json").read_text())["version"] == version
    return (folder / file).read_text()


def documented(pattern: str) -> str:
    """Return the one piece of docs/consent/banners.md that matches the pattern."""
    (found,) = re.findall(pattern, (ROOT / "docs/consent/banners.md").read_text(), re.DOTALL)
    return str(found)


def page(head: str) -> str:
    """The publisher's page."""
    head = f'<title>Tides</title><link rel="icon" href="data:,">{head}'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body><h1>High water at noon</h1></body></html>'
    )


def origin_of(place: str, store: Store, site: Website) -> str:
    """The origin of a page in this place."""
    elsewhere = {"another origin": site.url, "another site": site.url.replace("127.0.0.1", "localhost")}
    return elsewhere.get(place, store.settings.public_url)


@contextmanager
def visiting(
    browser: Browser, store: Store, site: Website, place: str, files: Mapping[str, str]
) -> Iterator[Reader]:
    """A reader of the publisher's page, the file `tides.html`."""
    origin = origin_of(place, store, site)

    def forward(route: Route) -> None:
        route.continue_(url=route.request.url.replace(origin, site.url, 1))

    with reading(browser, store, base_url=origin) as reader:
        for name, content in files.items():
            kind = TYPES[name.rpartition(".")[2]]
            site.pages[f"/{name}"] = answer(content.encode(), f"Content-Type: {kind}")
            if (
                place == "same origin"
            ):  # one host name, and a proxy behind it that knows what is not the store's
                reader.context.route(f"{origin}/{name}", forward)
        reader.page.goto("/tides.html")
        yield reader
