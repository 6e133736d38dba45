"""Everything can be done with the keyboard alone: in an order that makes sense, and with the focus always to
be seen.
"""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.browsing import BRIDGE, DESK, PHONE, Reader, reading
from tests.consent.deciding import current, granted
from tests.serving import Store

FOCUSED = """() => {
  const focused = document.activeElement, box = focused.getClientRects()[0], style = getComputedStyle(focused);
  const atop = document.elementFromPoint(box.x + Math.min(box.width / 2, 20), box.y + box.height / 2);
  return {
    name: (focused.labels?.[0] ?? focused).innerText.split("\\n")[0],
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    uncovered: focused.contains(atop),
  };
}"""


def step(reader: Reader) -> dict[str, Any]:
    """Go on to the next thing that takes the keyboard."""
    reader.page.keyboard.press("Tab")
    return reader.page.evaluate(FOCUSED)


def test_whoever_comes_by_keyboard_may_skip_what_is_before_the_article(reader: Reader) -> None:
    reader.page.goto(BRIDGE)
    names = [step(reader)["name"] for _ in range(5)]
    assert names == ["Skip to the content", "Accept", "Reject", "Choose", "Copydesk"]
    reader.page.goto("/")
    step(reader)
    reader.page.keyboard.press("Enter")
    assert reader.page.evaluate("document.activeElement.id") == "content"


def test_choosing_needs_no_mouse(reader: Reader) -> None:
    reader.page.goto(BRIDGE)
    while step(reader)["name"] != "Choose":
        pass
    reader.page.keyboard.press("Enter")
    assert step(reader)["name"] == "Preferences"
    assert step(reader)["name"] == "Analytics"
    reader.page.keyboard.press("Space")
    assert [step(reader)["name"] for _ in range(2)] == ["Marketing", "Save my choice"]
    reader.page.keyboard.press("Enter")
    expect(reader.banner).to_be_hidden()
    with reader.known() as client:
        assert granted(current(client)) == {"necessary", "analytics"}


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("path", ["/", BRIDGE, "/consent", "/consent/report"])
def test_the_focus_is_always_seen_and_never_behind_the_banner(
    chromium: Browser, store: Store, path: str, viewport: dict[str, int]
) -> None:
    with reading(chromium, store, viewport=viewport, reduced_motion="reduce") as reader:
        reader.page.goto(path)
        first, seen = step(reader), []
        while not seen or (seen[-1] != first and len(seen) < 60):
            seen.append(step(reader))
            if reader.page.evaluate("document.activeElement === document.body"):
                break
        steps = [first, *seen[:-1]]
        assert len(steps) > 4
        assert [one for one in steps if not (one["outlined"] and one["uncovered"])] == []
