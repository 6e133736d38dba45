"""Make the units of a page into the blocks of an article: paragraphs, headings, quotes, lists, tables and
pictures.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TypeVar

from lxml.html import HtmlElement

from service.newspages.embeds import HOSTS_OTHERS, embed_address
from service.newspages.outline import Unit, inline_html
from service.newspages.page import Block, Code, Embed, Heading, ItemList, Paragraph, Quote
from service.newspages.tables import is_data, tables

_WHOLE = ("table", "pre", *HOSTS_OTHERS)
_LANGUAGE = re.compile(r"(?:^|\s)(?:lang(?:uage)?-)([A-Za-z0-9+#._-]{1,40})")
_LEVELS = {"h1": 2, "h2": 2, "h3": 3, "h4": 4, "h5": 4, "h6": 4}


Shown = TypeVar("Shown")
# A longer list goes on in a second block.
_MOST_ITEMS = 500


def blocks(
    units: list[Unit],
    container: HtmlElement | None,
    base: str | None,
    picture: Callable[[Unit], Shown | None],
) -> Iterator[Block | Shown]:
    """Yield the blocks in reading order; what stands in one list or one quotation becomes one block, and the
    place of a picture what `picture` makes of it.
    """
    for group, members in groupby(units, lambda unit: _group(unit, container)):
        together = list(members)
        if group is not None and group.tag in {"blockquote", "figure"}:
            yield _quote(together)
        elif group is not None:
            items = _items(together)
            for start in range(0, len(items), _MOST_ITEMS):
                yield ItemList(group.tag == "ol", items[start : start + _MOST_ITEMS])
        else:
            for unit in together:
                yield from _single(unit, base, picture)


def _group(unit: Unit, container: HtmlElement | None) -> HtmlElement | None:
    """Return the outermost list or quotation inside the container that the unit is a part of."""
    found = None
    if unit.is_text and unit.block.tag not in _LEVELS:
        for element in (unit.block, *unit.block.iterancestors()):
            if element is container:
                break
            quoted = element.tag == "figure" and next(element.iter("blockquote"), None) is not None
            found = element if element.tag in {"blockquote", "ul", "ol"} or quoted else found
    return found


def _single(unit: Unit, base: str | None, picture: Callable[[Unit], Shown | None]) -> Iterator[Block | Shown]:
    if unit.holder is not None:
        found = picture(unit)
        if found is not None:
            yield found
    elif unit.whole is not None:
        yield from _whole(unit.whole, base)
    elif unit.block.tag in _LEVELS:
        yield Heading(_LEVELS[unit.block.tag], unit.html)
    else:
        yield Paragraph(unit.html)


def wholes(body: HtmlElement, base: str | None) -> set[HtmlElement]:
    """Return the elements that stand whole: tables of data, source text, and what is shown from
    other hosts.
    """
    return {
        element
        for element in body.iter(*_WHOLE)
        if is_data(element) or is_code(element) or embed_address(element, base) is not None
    }


def is_code(element: HtmlElement) -> bool:
    """Return whether the element is source text, not merely text whose spaces count."""
    return element.tag == "pre" and next(element.iter("code"), None) is not None


def _whole(element: HtmlElement, base: str | None) -> Iterator[Block]:
    if element.tag == "table":
        yield from tables(element, lambda cell: inline_html(cell, base))
    elif element.tag == "pre":
        yield code(element)
    else:
        address = embed_address(element, base)
        if address:
            yield Embed(address)


def code(element: HtmlElement) -> Code:
    """Read source text with the language that its class names."""
    inner = next(element.iter("code"), element)
    named = _LANGUAGE.search(f"{inner.get('class') or ''} {element.get('class') or ''}")
    return Code(str(element.text_content()), named[1] if named else None)


def _items(units: list[Unit]) -> tuple[str, ...]:
    """Return one html for every item; the paragraphs of one item are divided by `<br>`."""
    runs = groupby(
        units,
        lambda unit: next(
            (e for e in (unit.block, *unit.block.iterancestors()) if e.tag == "li"), unit.block
        ),
    )
    return tuple("<br>".join(unit.html for unit in run) for _, run in runs)


def _quote(units: list[Unit]) -> Quote:
    """Return the quotation; who said it is the last part when a dash or the markup says so."""
    *said, last = units
    named = last.block.tag in {"footer", "cite", "figcaption"} or last.text[:1] in "—–"
    if said and named:
        return Quote("<br>".join(unit.html for unit in said), last.text.lstrip("—– ") or None)
    return Quote("<br>".join(unit.html for unit in units))
