"""The pictures that a page shows between its headline and its text, outside the element that holds the text."""

import re

from lxml.html import HtmlElement

from service.formats.pages.figures import named
from service.formats.pages.outline import Unit

_ELSEWHERE = re.compile(
    r"(?:^|[\s_-])(?:related|recommend\w*|promo\w*|teasers?|author\w*|byline|avatar|bio|logo|nav|navigation|menu"
    r"|sidebar|newsletters?|ads?|advert\w*|share|social|most-?read|trending|comments?|footer|cookie\w*|consent|popup|modal)(?=$|[\s_-])"
)


def leading(units: list[Unit], container: HtmlElement | None, first: Unit | None) -> list[Unit]:
    """The units of pictures above `first`, the article's first text, that belong to the article all the same."""
    if container is None or first is None:
        return []
    frame = _frame(units, container)
    found = []
    for unit in units:
        if unit is first:
            return found
        if unit.holder is not None and _stands_in(unit.holder, frame) and unit.holder is not container:
            found.append(unit)
    return found


def _frame(units: list[Unit], container: HtmlElement) -> HtmlElement:
    """The smallest element around headline and text; without a headline, the article element around the text."""
    around = [container, *container.iterancestors()]
    headings = [unit.block for unit in units if unit.block.tag == "h1"]
    for element in around:
        if any(element is ancestor for heading in headings for ancestor in heading.iterancestors()):
            break
    else:
        element = container
    named_article = next((e for e in around if e.tag == "article" or e.get("itemtype")), element)
    return max((element, named_article), key=around.index) if element.tag != "body" else named_article


def _stands_in(holder: HtmlElement, frame: HtmlElement) -> bool:
    for ancestor in holder.iterancestors():
        if ancestor is frame:
            return True
        if ancestor.tag in {"aside", "nav", "footer"} or _ELSEWHERE.search(f"{named(ancestor)} {ancestor.get('id') or ''}".lower()):
            return False
    return False
