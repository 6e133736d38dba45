"""The pictures that a page shows between its headline and its text, outside the element that
holds the text.
"""

from lxml.html import HtmlElement

from service.newspages.asides import is_named_aside
from service.newspages.outline import Unit


def leading(units: list[Unit], container: HtmlElement | None, first: Unit | None) -> list[Unit]:
    """Return the units of pictures above `first`, the article's first text, that belong to the article all
    the same.
    """
    if container is None or first is None:
        return []
    frame = _frame(units, container)
    above = units[: next(index for index, unit in enumerate(units) if unit is first)]
    return [unit for unit in above if unit.holder is not None and _stands_in(unit.holder, frame)]


def _frame(units: list[Unit], container: HtmlElement) -> HtmlElement:
    """Return the element around headline and text, or the article element around the text where that is
    wider.
    """
    around = [container, *container.iterancestors()]
    above_headings = {
        ancestor for unit in units if unit.block.tag == "h1" for ancestor in unit.block.iterancestors()
    }
    shared = next((element for element in around if element in above_headings), container)
    article = next(
        (element for element in around if element.tag == "article" or element.get("itemtype")), container
    )
    if shared.tag in {"body", "html"}:
        return article
    return max((shared, article), key=around.index)


def _stands_in(holder: HtmlElement, frame: HtmlElement) -> bool:
    for ancestor in holder.iterancestors():
        if ancestor is frame:
            return True
        if ancestor.tag in {"aside", "nav", "footer"} or is_named_aside(ancestor):
            return False
    return False
