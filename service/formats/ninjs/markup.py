"""An article's body as the HTML of a ninjs body, and back: each block is one element, and pictures refer to
associations by name.

Of our own HTML the same blocks come back. That of others is read as pages are, but to the word: no word is
lost, and none is joined to the next.
"""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement, document_fromstring

from service import newspages
from service.articles.body import (
    LONGEST_CODE,
    Code,
    Divider,
    Embed,
    Heading,
    ItemList,
    Paragraph,
    Quote,
    ResolvedBlock,
    ResolvedImage,
    Table,
    as_html,
    figure,
)
from service.formats.xml import allowed
from service.newspages.blocks import blocks, code, is_code
from service.newspages.outline import Unit, outline
from service.newspages.tables import fits, tables

REFERENCE, EMBED = "data-association", "data-embed"
_FLAT = frozenset(
    "div section article main body header footer center aside details form fieldset nav address".split()
)
_LEVELS = {"h1": 2, "h2": 2, "h3": 3, "h4": 4, "h5": 4, "h6": 4}
_LEAVES = frozenset({"p", "figcaption", "summary", "legend", "dt", "dd", "caption", *_LEVELS})
_BLOCKS = _LEAVES | {"blockquote", "ul", "ol", "figure", "img", "hr", "pre", "table", "dl"}
_DROPPED = frozenset({"script", "style", "noscript", "template", "iframe", "object", "svg", "head", "title"})
_PARTS = tuple(_FLAT | _BLOCKS | {"li", "td", "th"})
_VOID = frozenset({"br", "hr", "img", "wbr", "input", "source", "col"})
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Characters that the store refuses in a text."""
LONGEST = 4_000_000
"""Characters of a body that are read. The longest articles have some hundred thousand."""
_MOST_ITEMS = 500


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in a body: the name of its association, or the address that it is shown from, with the words
    that stand by it there.
    """

    name: str | None
    address: str | None = None
    alt: str = ""
    caption: str = ""

    def words(self) -> list[Paragraph]:
        """Return its words as paragraphs, for where the picture itself cannot be shown."""
        return [Paragraph(html=html.escape(text, quote=False)) for text in (self.alt, self.caption) if text]


Found = Paragraph | Heading | Quote | ItemList | Table | Code | Embed | Divider | Shown


def to_html(blocks: list[ResolvedBlock], name: Callable[[ResolvedImage], str]) -> str:
    """Return the body as HTML. Pictures that are gone are left out."""
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
    """Return the blocks of a body in HTML."""
    text = allowed(CONTROL.sub("", markup[:LONGEST]))
    tree = document_fromstring(f"<!doctype html><html><body>{text}</body></html>")
    etree.strip_elements(tree, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    body = tree.find("body")
    return [] if body is None else [block for block in _blocks(body) if not _is_empty(block)]


def from_text(text: str) -> list[Found]:
    """Return the paragraphs of a body in plain text: with blank lines between, or else one on each line."""
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
    for element in _events(body):
        if isinstance(element, str):
            loose.append(html.escape(element, quote=False))
        elif element is None:
            yield from _paragraph(loose)
        elif _is_block(element) or _has_parts(element):
            yield from _paragraph(loose)
            yield from _block(element)
        elif element.tag not in _DROPPED:
            loose.append(_outer(element))
    yield from _paragraph(loose)


def _events(body: HtmlElement) -> Iterator[HtmlElement | str | None]:
    """Elements and the texts between them, with what is only a frame around others opened, and None at its
    edges. No recursion: pages nest deeply.
    """
    waiting: list[HtmlElement | str | None] = [body]
    while waiting:
        each = waiting.pop()
        if isinstance(each, HtmlElement) and each.tag in _FLAT:
            inner: list[HtmlElement | str | None] = [None, each.text or ""]
            for child in each:
                inner += [child, child.tail or ""]
            waiting += [None, *reversed(inner)]
        else:
            yield each


def _is_block(element: HtmlElement) -> bool:
    return element.tag in _BLOCKS


def _paragraph(loose: list[str]) -> Iterator[Paragraph]:
    words = "".join(loose).strip()
    loose.clear()
    if words:
        yield Paragraph(html=words)


def _block(element: HtmlElement) -> Iterator[Found]:
    """Read one element: what this store writes itself to the letter, and all else as pages are read."""
    exact = _EXACT.get(str(element.tag))
    if element.tag in _LEAVES and not _has_parts(element):
        exact = _leaf
    found = list(exact(element)) if exact is not None else []
    yield from found or _as_of_a_page(element)


def _has_parts(element: HtmlElement) -> bool:
    return next(element.iterdescendants(*_PARTS), None) is not None


def _leaf(element: HtmlElement) -> Iterator[Found]:
    level = _LEVELS.get(str(element.tag))
    inner = _inner(element)
    yield Paragraph(html=inner) if level is None else Heading(level=level, html=inner)


def _divider(_element: HtmlElement) -> Iterator[Found]:
    yield Divider()


def _list(element: HtmlElement) -> Iterator[Found]:
    """Read a list of nothing but plain items."""
    items = list(element.iterchildren("li"))
    loose = (element.text or "") + "".join(child.tail or "" for child in element)
    if len(items) == len(element) and not loose.strip() and not any(map(_has_parts, items)):
        for start in range(0, max(1, len(items)), _MOST_ITEMS):
            inner = [_inner(item) for item in items[start : start + _MOST_ITEMS]]
            yield ItemList(ordered=element.tag == "ol", items=inner)


def _table(element: HtmlElement) -> Iterator[Found]:
    """Read a table whose cells hold nothing but text."""
    cells = list(element.iter("td", "th"))
    if not cells or any(map(_has_parts, cells)) or not fits(element):
        return
    for part in tables(element, _inner):
        yield Table.model_construct(
            type="table",
            caption=part.caption,
            header=list(map(list, part.header)),
            rows=list(map(list, part.rows)),
        )


def _preformatted(element: HtmlElement) -> Iterator[Found]:
    if _has_parts(element):
        return
    if is_code(element):
        part = code(element)
        yield Code(language=part.language, text=part.text[:LONGEST_CODE])
    else:
        yield from from_text(str(element.text_content()))


def _figure(element: HtmlElement) -> Iterator[Found]:
    if address := element.get(EMBED):
        yield Embed.model_construct(type="embed", url=address)
        return
    picture = element if element.tag == "img" else next(element.iter("img"), None)
    name, address = element.get(REFERENCE), None if picture is None else picture.get("src")
    if name or (picture is not None and not _holds_more(element)):
        alt = "" if picture is None else picture.get("alt") or ""
        caption = next(element.iter("figcaption"), None)
        said = (
            " ".join(unit.text for unit in outline(caption, None, literal=True))
            if caption is not None
            else ""
        )
        yield Shown(name, address, " ".join(alt.split()), said)


def _holds_more(figure: HtmlElement) -> bool:
    """Return whether more than one picture and its caption stands in the figure."""
    pictures = sum(1 for _ in figure.iter("img"))
    captions = {e for caption in figure.iter("figcaption") for e in caption.iter()}
    blocks = figure.iterdescendants(*(_BLOCKS - {"img", "figure", "figcaption"}))
    outside = [
        text
        for e in figure.iter()
        if e not in captions
        for text in (e.text, e.tail if e is not figure else "")
    ]
    return (
        pictures > 1
        or any(e not in captions for e in blocks)
        or any(text and text.strip() for text in outside)
    )


def _quotation(element: HtmlElement) -> Iterator[Found]:
    """Read a quotation of nothing but plain paragraphs and who said it."""
    parts = [part for part in element.iterdescendants(*_PARTS) if part.tag != "footer"]
    alone = element.iterchildren("p") if parts else ()
    loose = parts and ((element.text or "") + "".join(e.tail or "" for e in element)).strip()
    if len(list(alone)) == len(parts) and not loose:
        yield _quote(element)


_EXACT: dict[str, Callable[[HtmlElement], Iterator[Found]]] = {
    "hr": _divider,
    "figure": _figure,
    "img": _figure,
    "blockquote": _quotation,
    "ul": _list,
    "ol": _list,
    "table": _table,
    "pre": _preformatted,
}


def _as_of_a_page(element: HtmlElement) -> Iterator[Found]:
    """Read an element as the reader of pages does, which parts what stands in each other."""
    pictures = {
        picture for picture in element.iter("figure", "img") if next(_figure(picture), None) is not None
    }
    outer = {inner for picture in pictures for inner in picture.iterdescendants()}
    apart = {e for e in element.iter("table", "pre") if e is not element and any(_EXACT[str(e.tag)](e))}
    units = outline(element, None, pictures - outer, apart, literal=True)

    def shown(unit: Unit) -> Shown | None:
        found = next(_figure(unit.holder), None) if unit.holder is not None else None
        return found if isinstance(found, Shown) else None

    for block in blocks(units, None, None, shown):
        yield from _as_ours(block)


def _as_ours(block: newspages.Block | Shown) -> Iterator[Found]:
    match block:
        case Shown():
            yield block
        case newspages.Heading():
            yield Heading(level=block.level, html=block.html)
        case newspages.Quote():
            yield Quote(html=block.html, cite=(block.cite or "")[:500].strip() or None)
        case newspages.ItemList():
            yield ItemList(ordered=block.ordered, items=list(block.items))
        case newspages.Table():
            yield Table(
                caption=block.caption, header=list(map(list, block.header)), rows=list(map(list, block.rows))
            )
        case newspages.Code():
            yield Code(language=block.language, text=block.text[:LONGEST_CODE])
        case newspages.Paragraph():
            yield Paragraph(html=block.html)


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
    """Return the markup inside an element. The block that takes it sanitises it."""
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
