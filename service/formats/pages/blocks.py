"""Units made into the blocks of an article: paragraphs, headings, quotes, lists and pictures."""

from collections.abc import Callable, Iterator
from itertools import groupby

from lxml.html import HtmlElement

from service.formats.pages.outline import Unit
from service.formats.pages.page import Block, Heading, ItemList, Paragraph, Picture, PictureBlock, Quote

_LEVELS = {"h1": 2, "h2": 2, "h3": 3, "h4": 4, "h5": 4, "h6": 4}


def blocks(
    units: list[Unit], container: HtmlElement | None, picture: Callable[[Unit], Picture | None]
) -> Iterator[Block]:
    """The blocks in reading order; what stands in one list or one quotation becomes one block."""
    for group, members in groupby(units, lambda unit: _group(unit, container)):
        together = list(members)
        if group is not None and group.tag == "blockquote":
            yield _quote(together)
        elif group is not None:
            yield ItemList(group.tag == "ol", _items(together))
        else:
            yield from filter(None, (_single(unit, picture) for unit in together))


def _group(unit: Unit, container: HtmlElement | None) -> HtmlElement | None:
    """The outermost list or quotation inside the container that the unit is a part of."""
    found = None
    if unit.holder is None and unit.block.tag not in _LEVELS:
        for element in (unit.block, *unit.block.iterancestors()):
            if element is container:
                break
            found = element if element.tag in {"blockquote", "ul", "ol"} else found
    return found


def _single(unit: Unit, picture: Callable[[Unit], Picture | None]) -> Block | None:
    if unit.holder is not None:
        found = picture(unit)
        return PictureBlock(found) if found else None
    if unit.block.tag in _LEVELS:
        return Heading(_LEVELS[unit.block.tag], unit.html)
    return Paragraph(unit.html)


def _items(units: list[Unit]) -> tuple[str, ...]:
    """One html for every item; the paragraphs of one item are divided by `<br>`."""
    runs = groupby(
        units,
        lambda unit: next(
            (e for e in (unit.block, *unit.block.iterancestors()) if e.tag == "li"), unit.block
        ),
    )
    return tuple("<br>".join(unit.html for unit in run) for _, run in runs)


def _quote(units: list[Unit]) -> Quote:
    """The quotation; who said it is the last part when a dash or the markup says so."""
    *said, last = units
    named = last.block.tag in {"footer", "cite", "figcaption"} or last.text[:1] in "—–"
    if said and named:
        return Quote("<br>".join(unit.html for unit in said), last.text.lstrip("—– ") or None)
    return Quote("<br>".join(unit.html for unit in units))
