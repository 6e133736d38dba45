"""An article's body as the HTML of a ninjs body, and back: each block is one element, and pictures refer to
associations by name.

Of our own HTML the same blocks come back. Of that of others paragraphs, headings, quotations, lists, figures
and rules are known; whatever else stands there keeps its words.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from service.articles.body import (
    Divider,
    Embed,
    Heading,
    ItemList,
    Paragraph,
    Quote,
    ResolvedBlock,
    ResolvedImage,
    as_html,
    figure,
)
from service.formats.xml import allowed

REFERENCE, EMBED = "data-association", "data-embed"
_FLAT = frozenset({"div", "section", "article", "main", "body", "header", "footer", "center", "aside"})
_LEVELS = {"h1": 2, "h2": 2, "h3": 3, "h4": 4, "h5": 4, "h6": 4}
_DROPPED = frozenset(
    {"script", "style", "noscript", "template", "iframe", "object", "svg", "form", "head", "title"}
)
_VOID = frozenset({"br", "hr", "img", "wbr", "input", "source", "col"})
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that the store refuses in a text."""
LONGEST = 4_000_000
"""Characters of a body that are read. The longest articles have some hundred thousand."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a body: the name of its association, or the address that it is shown from."""

    name: str | None
    address: str | None = None


Found = Paragraph | Heading | Quote | ItemList | Embed | Divider | Shown


def to_html(blocks: list[ResolvedBlock], name: Callable[[ResolvedImage], str]) -> str:
    """The body as HTML. Pictures that are gone are left out."""
    return "\n".join(
        _html(block, name)
        for block in blocks
        if not isinstance(block, ResolvedImage) or block.image is not None
    )


def _html(block: ResolvedBlock, name: Callable[[ResolvedImage], str]) -> str:
    if isinstance(block, ResolvedImage):
        drawn = figure(block.image, block.caption) or "<figure></figure>"
        return drawn.replace("<figure", f'<figure {REFERENCE}="{html.escape(name(block))}"', 1)
    if isinstance(block, Embed):
        address = html.escape(block.url)
        return f'<figure {EMBED}="{address}"><a href="{address}">{address}</a></figure>'
    return as_html([block])


def from_html(markup: str) -> list[Found]:
    """The blocks of a body in HTML."""
    text = allowed(CONTROL.sub("", markup[:LONGEST]))
    tree = document_fromstring(f"<!doctype html><html><body>{text}</body></html>")
    etree.strip_elements(tree, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    body = tree.find("body")
    return [] if body is None else [block for block in _blocks(body) if not _is_empty(block)]


def from_text(text: str) -> list[Found]:
    """The paragraphs of a body in plain text: with blank lines between, or else one on each line."""
    text = CONTROL.sub("", text.replace("\r\n", "\n")).strip()
    divided = re.split(r"\n\s*\n", text)
    parts = divided if len(divided) > 1 else text.split("\n")
    return [
        Paragraph(html=html.escape(" ".join(part.split()), quote=False)) for part in parts if part.strip()
    ]


def _is_empty(block: Found) -> bool:
    return isinstance(block, Quote) and not block.html and block.cite is None


def _blocks(body: HtmlElement) -> Iterator[Found]:
    """Blocks in reading order. Loose words between them, with their inline elements, are paragraphs."""
    loose: list[str] = []
    for element, text in _events(body):
        if element is None:
            loose.append(html.escape(text, quote=False))
        elif _is_block(element):
            yield from _paragraph(loose)
            yield from _block(element)
        elif element.tag not in _DROPPED:
            loose.append(_outer(element))
    yield from _paragraph(loose)


def _events(body: HtmlElement) -> Iterator[tuple[HtmlElement | None, str]]:
    """Elements and the texts between them, with what is only a frame around others opened. No recursion:
    pages nest deeply.
    """
    waiting: list[HtmlElement | str] = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield None, each
        elif each.tag in _FLAT:
            inner: list[HtmlElement | str] = [each.text or ""]
            for child in each:
                inner += [child, child.tail or ""]
            waiting += reversed(inner)
        else:
            yield each, ""


def _is_block(element: HtmlElement) -> bool:
    return element.tag in _LEVELS or element.tag in {
        "p",
        "blockquote",
        "ul",
        "ol",
        "figure",
        "img",
        "hr",
        "pre",
        "table",
        "dl",
    }


def _paragraph(loose: list[str]) -> Iterator[Paragraph]:
    words = "".join(loose).strip()
    loose.clear()
    if words:
        yield Paragraph(html=words)


def _block(element: HtmlElement) -> Iterator[Found]:
    match element.tag:
        case "hr":
            yield Divider()
        case "figure" | "img":
            yield from _figure(element)
        case "blockquote":
            yield _quote(element)
        case "ul" | "ol":
            items = [_inner(item) for item in element.iterchildren("li")]
            yield ItemList(ordered=element.tag == "ol", items=items[:500])
        case "p" | "pre" | "table" | "dl":
            yield from _figures_in(element)
            if element.tag == "p":
                yield Paragraph(html=_inner(element))
            elif text := " ".join(str(element.text_content()).split()):
                yield Paragraph(html=html.escape(text, quote=False))
        case _:
            yield Heading(level=_level(element), html=_inner(element))


def _level(element: HtmlElement) -> int:
    return _LEVELS[str(element.tag)]


def _figures_in(paragraph: HtmlElement) -> Iterator[Found]:
    for picture in paragraph.iter("img"):
        yield from _figure(picture)


def _figure(element: HtmlElement) -> Iterator[Found]:
    if address := element.get(EMBED):
        yield Embed.model_construct(type="embed", url=address)
        return
    picture = element if element.tag == "img" else next(element.iter("img"), None)
    name, address = element.get(REFERENCE), None if picture is None else picture.get("src")
    if name or address:
        yield Shown(name, address)


def _quote(element: HtmlElement) -> Quote:
    said_by = next((each for each in element.iter("footer", "cite")), None)
    who = ""
    if said_by is not None:
        named = said_by.find("cite")
        who = str((said_by if named is None else named).text_content())
        who = re.sub(r"\s*[\n\t\r]\s*", " ", who if named is not None else who.lstrip(" \n\t—–")).strip()
        said_by.drop_tree()
    paragraphs = [_inner(each) for each in element.iterchildren("p")]
    return Quote(
        html="<br>".join(paragraphs) if paragraphs else _inner(element), cite=who[:500].strip() or None
    )


def _inner(element: HtmlElement) -> str:
    """What stands in an element, to be sanitised by the block that takes it."""
    return html.escape(element.text or "", quote=False) + "".join(
        _outer(child) + html.escape(child.tail or "", quote=False) for child in element
    )


def _outer(element: HtmlElement) -> str:
    # As XML, since libxml2 percent-encodes addresses when it writes HTML; nothing but void elements may then
    # close itself.
    for each in element.iter():
        if each.text is None and len(each) == 0 and each.tag not in _VOID:
            each.text = ""
    written: str = etree.tostring(element, encoding="unicode", method="xml", with_tail=False)
    return written
