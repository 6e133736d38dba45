"""Pages stand still while their pictures arrive, and fit on any screen."""

import httpx
import pytest
from playwright.sync_api import Browser, Route

from tests.articles.newsroom import published
from tests.browser.browsing import BRIDGE, DESK, PHONE, reading
from tests.serving import Store

WATCH_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) shifts.push(`${value} ${sources.map(({ node }) => node?.nodeName)}`);
  }).observe({ type: "layout-shift", buffered: true });
"""
PAINTED = "new Promise((done) => new PerformanceObserver(done).observe({ type: 'paint', buffered: true }))"
LOADED = "Promise.all([...document.images].map((image) => image.decode()))"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/", BRIDGE])
def test_nothing_moves_when_the_pictures_arrive(
    chromium: Browser, store: Store, path: str, viewport: dict[str, int]
) -> None:
    with reading(chromium, store, viewport=viewport) as reader:
        held: list[Route] = []

        def hold(route: Route) -> None:
            held.append(route)

        reader.context.add_init_script(WATCH_SHIFTS)
        reader.context.route("**/media/**", hold)
        reader.page.goto(path, wait_until="domcontentloaded")
        reader.page.evaluate(PAINTED)
        assert held
        for route in held:
            route.continue_()
        reader.context.unroute("**/media/**")
        reader.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        reader.page.evaluate(LOADED)
        assert reader.page.locator("img").count() > 1
        reader.page.evaluate(TWO_FRAMES)  # what moves is told after the frame in which it has moved
        assert reader.page.evaluate("shifts") == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_pages_fit_the_width_of_the_screen(
    chromium: Browser, store: Store, newsroom: httpx.Client, width: int
) -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente"
    slug = published(
        newsroom, headline=word, summary=word, byline=word, body=[{"type": "paragraph", "html": word}]
    )["slug"]
    with reading(chromium, store, viewport={"width": width, "height": 800}) as reader:
        paths = ("/", BRIDGE, f"/read/{slug}", "/consent", "/consent/report", "/desk/followers")
        for path in (*paths, "/search?q=harbour"):
            reader.page.goto(path)
            assert reader.page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert reader.page.evaluate("scrollY") == 0, path
            cut = "[...document.querySelectorAll('#notice *')].filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)"
            assert reader.page.evaluate(f"{cut}.map((each) => each.outerHTML)") == [], path
