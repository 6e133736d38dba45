"""A page's tree laid out as a row of units in reading order: runs of inline html, and the places of pictures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.formats.pages.text import tidy

_BLOCKS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_SILENT = frozenset(
    "script style noscript template svg math iframe button select textarea input nav object embed video audio canvas map dialog head "
    "datalist progress meter label".split()
)
_INLINE = {
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "cite": "em",
    "code": "code",
    "sub": "sub",
    "sup": "sup",
}
_EMPTY = re.compile(r"<(strong|em|code|sub|sup|a|span)(?: [^<>]*)?>(\s*)</\1>")
_LONGEST_ADDRESS = 2_000
_SCHEMES = frozenset({"http", "https", "mailto"})


@dataclass(slots=True, eq=False)
class Unit:
    """One run of inline content (`html`, `text`), or the place of a picture (`holder` set, text empty).

    `block` is the innermost block element around the run, `linked` the number of its characters in links.
    """

    block: HtmlElement
    html: str = ""
    text: str = ""
    linked: int = 0
    holder: HtmlElement | None = None


def outline(body: HtmlElement, base: str | None, holders: set[HtmlElement]) -> list[Unit]:
    """The units of the tree; subtrees in `holders` are pictures, each one unit."""
    around = {ancestor for holder in holders for ancestor in holder.iterancestors()}
    return list(_Walk(base, holders, around).units(body))


@dataclass(slots=True)
class _Walk:
    base: str | None
    holders: set[HtmlElement]
    around: set[HtmlElement]
    blocks: list[HtmlElement] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    linked: int = 0
    links: int = 0

    def units(self, body: HtmlElement) -> Iterator[Unit]:
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            tag = str(element.tag)
            if event == "end":
                yield from self._leave(element, tag)
                if element is not body:
                    self._say(element.tail)
            elif element in self.holders or (tag in _SILENT and element not in self.around):
                walk.skip_subtree()
                if element in self.holders:
                    yield from self._flush()
                    yield Unit(self.blocks[-1] if self.blocks else body, holder=element)
            else:
                yield from self._enter(element, tag)
                self._say(element.text)
        yield from self._flush()

    def _enter(self, element: HtmlElement, tag: str) -> Iterator[Unit]:
        if tag in _BLOCKS:
            yield from self._flush()
            self.blocks.append(element)
        elif tag == "br":
            if self.parts and self.parts[-1] == "<br>":
                yield from self._flush()
            else:
                self.parts.append("<br>")
                self.texts.append("\n")
        else:
            self.links += tag == "a"
            opening = self._opening(element, tag)
            if opening:
                self.opened.append(opening)
                self.parts.append(opening[0])

    def _leave(self, element: HtmlElement, tag: str) -> Iterator[Unit]:
        if tag in _BLOCKS and self.blocks and self.blocks[-1] is element:
            yield from self._flush()
            self.blocks.pop()
        elif (tag not in _SILENT or element in self.around) and element not in self.holders and tag != "br":
            self.links -= tag == "a"
            if self._opening(element, tag):
                self.parts.append(f"</{self.opened.pop()[1]}>")

    def _opening(self, element: HtmlElement, tag: str) -> tuple[str, str] | None:
        if tag in _INLINE:
            return f"<{_INLINE[tag]}>", _INLINE[tag]
        if tag == "a":
            href = self._href(element.get("href"))
            return (f'<a href="{escape(href)}">', "a") if href else None
        lang = element.get("lang") if tag == "span" else None
        return (f'<span lang="{escape(lang)}">', "span") if lang else None

    def _href(self, href: str | None) -> str | None:
        return absolute(href, self.base)

    def _say(self, said: str | None) -> None:
        if not said:
            return
        spaced = re.sub(r"[ \t\r\n\f]+", " ", said)
        if not spaced.isspace() or (self.parts and self.parts[-1] != "<br>"):
            self.parts.append(escape(spaced, quote=False))
            self.texts.append(spaced)
            self.linked += len(spaced) if self.links else 0

    def _flush(self) -> Iterator[Unit]:
        text = tidy("".join(self.texts).replace("\n", " "))
        if text and self.blocks:
            closing = "".join(f"</{tag}>" for _, tag in reversed(self.opened))
            yield Unit(self.blocks[-1], _trimmed("".join(self.parts) + closing), text, self.linked)
        self.parts = [opening for opening, _ in self.opened]
        self.texts, self.linked = [], 0


def absolute(href: str | None, base: str | None) -> str | None:
    """The address made absolute, or None when it is no http, https or mailto address, or none that anybody
    would follow.
    """
    try:
        joined = urljoin(base or "", tidy(href or ""))
        parts = urlsplit(joined)
        whole = parts.scheme == "mailto" or (parts.hostname and parts.username is None)
        return (
            joined
            if href and whole and parts.scheme in _SCHEMES and len(joined) <= _LONGEST_ADDRESS
            else None
        )
    except ValueError:
        return None


def web_address(href: str | None, base: str | None) -> str | None:
    """The address made absolute, or None when it is no address of the web."""
    address = absolute(href, base)
    return address if address and address.startswith("http") else None


def _trimmed(markup: str) -> str:
    """The markup without empty elements, and without spaces or breaks at its ends."""
    before = None
    while before != markup:
        before, markup = markup, _EMPTY.sub(r"\2", markup)
    markup = tidy(markup)
    return re.sub(r"^(?:<br>\s*)+|(?:\s*<br>)+$", "", markup).strip()
