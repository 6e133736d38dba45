"""axe-core finds no serious fault in any page, with the banner and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.browsing import BRIDGE, DESK, PHONE, Reader, reading
from tests.browser.clients.publishing import package
from tests.consent.deciding import decide
from tests.serving import Store

FAULTS = """async () => {
  const { violations } = await axe.run();
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    return package("axe-core", "4.14.1", "axe.min.js")


def choosing(reader: Reader) -> None:
    reader.page.goto(BRIDGE)
    reader.banner.locator("summary").click()


def decided(path: str) -> Callable[[Reader], None]:
    def arrive(reader: Reader) -> None:
        reader.page.goto("/")
        reader.press("Accept")
        reader.page.goto(path)

    return arrive


def charted(reader: Reader) -> None:
    for action in ["accept_all", "reject_all"] * 10:
        with reader.store.client() as client:
            decide(client, action)
    reader.page.goto("/consent/report")
    reader.page.get_by_label("Token").fill(reader.store.token("consent:read"))
    reader.press("Show")
    assert reader.page.locator("svg circle").count() > 0


PAGES: dict[str, Callable[[Reader], object]] = {
    "front page with banner": lambda reader: reader.page.goto("/"),
    "article with banner": lambda reader: reader.page.goto(BRIDGE),
    "choosing": choosing,
    "front page": decided("/"),
    "article": decided(BRIDGE),
    "first visit to the choice": lambda reader: reader.page.goto("/consent"),
    "choice": decided("/consent"),
    "receipt": decided("/v1/consents/current/receipt"),
    "report": lambda reader: reader.page.goto("/consent/report"),
    "report with its chart": charted,
    "search": lambda reader: reader.page.goto("/search?q=harbour"),
    "no such article": lambda reader: reader.page.goto("/read/nothing-of-this-name"),
}


@pytest.mark.parametrize(
    ("page", "viewport", "scheme"),
    [
        *((page, DESK, "light") for page in PAGES),
        *((page, PHONE, "light") for page in ("choosing", "report with its chart")),
        *((page, PHONE, "dark") for page in ("front page with banner", "article", "choosing", "choice")),
        ("report with its chart", DESK, "dark"),
    ],
)
def test_axe_finds_no_serious_fault(
    chromium: Browser, store: Store, axe: str, page: str, viewport: dict[str, int], scheme: str
) -> None:
    with reading(chromium, store, viewport=viewport, color_scheme=scheme) as reader:
        PAGES[page](reader)
        reader.page.evaluate(axe)
        assert reader.page.evaluate(FAULTS) == []
