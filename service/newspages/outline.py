"""Lay a page's tree out as a row of units in reading order: runs of inline html, the places of pictures, and
what stands whole: tables, source text, and embeds from other hosts.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urljoin, urlsplit

from lxml import etree
from lxml.html import HtmlElement

from service.newspages.text import tidy

_BLOCKS = frozenset(
    "address article aside blockquote body center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
_SILENT = frozenset(
    "script style noscript template svg math iframe button select textarea input nav object embed video audio canvas map dialog head "
    "datalist progress meter label".split()
)
_INLINE = {
    "abbr": "abbr",
    "bdi": "bdi",
    "ins": "ins",
    "mark": "mark",
    "ruby": "ruby",
    "rt": "rt",
    "s": "s",
    "strike": "s",
    "b": "strong",
    "strong": "strong",
    "i": "em",
    "em": "em",
    "cite": "em",
    "code": "code",
    "sub": "sub",
    "sup": "sup",
}
# Deleted words and what stands in for ruby are no words of the article.
_LEFT_OUT = frozenset({"del", "rp", "rtc"})
_QUOTATION_MARKS = {
    "de": "„“",
    "cs": "„“",
    "pl": "„”",
    "hu": "„”",
    "ro": "„”",
    "fr": "«»",
    "es": "«»",
    "it": "«»",
    "pt": "«»",
    "ru": "«»",
    "uk": "«»",
    "el": "«»",
    "no": "«»",
    "nb": "«»",
    "sv": "””",
    "fi": "””",
    "ja": "「」",
}
# An agency's body is taken word for word.
_LITERAL_SILENT = frozenset(
    "script style noscript template svg math iframe object embed video audio canvas map head title datalist".split()
)
_LITERAL_INLINE = {"del": "del", "q": "q", "rp": "rp"}
_EMOJI_NAMES = re.compile(r"(?:^|[\s_-])(?:tw)?emoji(?:$|[\s_-])|wp-smiley", re.IGNORECASE)
_EMPTY = re.compile(r"<(strong|em|code|sub|sup|a|span|abbr|bdi|ins|mark|s|ruby|rt)(?: [^<>]*)?>(\s*)</\1>")
# A reading stands in brackets where ruby is not drawn above its base.
_CLOSING = {"rt": "</rt><rp>）</rp>"}
_LONGEST_ADDRESS = 2_000
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


@dataclass(slots=True, eq=False)
class Unit:
    """One run of inline content (`html`, `text`), or the place of a picture (`holder` set, text empty).

    `block` is the innermost block element around the run, `linked` the number of its characters in links.
    A table, source text or an embed is one unit, too: `whole` is its element, `text` what it says.
    """

    block: HtmlElement
    html: str = ""
    text: str = ""
    linked: int = 0
    holder: HtmlElement | None = None
    whole: HtmlElement | None = None

    @property
    def is_text(self) -> bool:
        """Return whether it is a run of inline content."""
        return self.holder is None and self.whole is None


def outline(
    body: HtmlElement,
    base: str | None,
    holders: Collection[HtmlElement] = (),
    wholes: Collection[HtmlElement] = (),
    *,
    literal: bool = False,
) -> list[Unit]:
    """Return the units of the tree; subtrees in `holders` are pictures, and those in `wholes` stand whole.

    `literal` keeps deleted words and quotation elements, and what only frames of pages are made of.
    """
    apart = {*holders, *wholes}
    around = {ancestor for element in apart for ancestor in element.iterancestors()}
    language = next((e.get("lang") for e in (body, *body.iterancestors()) if e.get("lang")), None)
    marks = _QUOTATION_MARKS.get((language or "").lower()[:2], "“”")
    return list(_Walk(body, base, set(holders), set(wholes), around, marks, literal).units())


def inline_html(element: HtmlElement, base: str | None) -> str:
    """Return what stands in the element as inline html, its blocks parted by `<br>`."""
    return "<br>".join(unit.html for unit in outline(element, base) if unit.html)


def emoji(image: HtmlElement) -> str | None:
    """Return the characters that the picture stands for, None when it is more than they are."""
    alt = (image.get("alt") or "").strip()
    if not alt or len(alt) > 24:
        return None
    drawn = _EMOJI_NAMES.search(image.get("class") or "") is not None
    return alt if drawn or (len(alt) <= 8 and not any(map(str.isalnum, alt)) and not alt.isascii()) else None


@dataclass(slots=True)
class _Walk:
    body: HtmlElement
    base: str | None
    holders: set[HtmlElement]
    wholes: set[HtmlElement]
    around: set[HtmlElement]
    marks: str
    literal: bool
    blocks: list[HtmlElement] = field(default_factory=list)
    opened: list[tuple[str, str]] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    linked: int = 0
    links: int = 0

    def units(self) -> Iterator[Unit]:
        body = self.body
        walk = etree.iterwalk(body, events=("start", "end"))
        for event, element in walk:
            tag = str(element.tag)
            if event == "end":
                yield from self._leave(element, tag)
                if element is not body:
                    self._say(element.tail)
            elif element in self.holders or element in self.wholes:
                walk.skip_subtree()
                yield from self._flush()
                yield self._apart(element, self.blocks[-1] if self.blocks else body)
            elif self._is_left_out(element, tag):
                walk.skip_subtree()
            else:
                yield from self._enter(element, tag)
                self._say(element.text)
        yield from self._flush()

    def _is_left_out(self, element: HtmlElement, tag: str) -> bool:
        if self.literal:
            return tag in _LITERAL_SILENT
        return tag in _LEFT_OUT or (tag in _SILENT and element not in self.around)

    def _apart(self, element: HtmlElement, block: HtmlElement) -> Unit:
        if element in self.holders:
            return Unit(block, holder=element)
        said = tidy(" ".join(map(str, element.itertext())))
        linked = sum(len(str(link.text_content())) for link in element.iter("a"))
        return Unit(block, text=said, linked=linked, whole=element)

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
        elif tag == "img":
            self._say(emoji(element))
        elif tag == "q" and not self.literal:
            self._say(self.marks[0])
        else:
            self.links += tag == "a"
            opening = self._opening(element, tag)
            if opening:
                self.opened.append(opening)
                self.parts.append(opening[0])
                if tag == "rt" and not self.literal:
                    self.texts.append("（")

    def _leave(self, element: HtmlElement, tag: str) -> Iterator[Unit]:
        if tag in _BLOCKS and self.blocks and self.blocks[-1] is element:
            yield from self._flush()
            self.blocks.pop()
        elif tag == "q" and not self.literal:
            self._say(self.marks[1])
        elif self._was_entered(element, tag):
            self.links -= tag == "a"
            if self._opening(element, tag):
                self.parts.append(self._closing(self.opened.pop()[1]))
            if tag == "rt" and not self.literal:
                self.texts.append("）")

    def _was_entered(self, element: HtmlElement, tag: str) -> bool:
        apart = element in self.holders or element in self.wholes or tag in {"br", "img"}
        return not apart and not self._is_left_out(element, tag)

    def _closing(self, tag: str) -> str:
        return _CLOSING["rt"] if tag == "rt" and not self.literal else f"</{tag}>"

    def _opening(self, element: HtmlElement, tag: str) -> tuple[str, str] | None:
        if tag == "rt" and not self.literal:
            return "<rp>（</rp><rt>", "rt"
        if self.literal and tag in _LITERAL_INLINE:
            return f"<{tag}>", tag
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
        if text:
            closing = "".join(self._closing(tag) for _, tag in reversed(self.opened))
            yield Unit(
                self.blocks[-1] if self.blocks else self.body,
                _trimmed("".join(self.parts) + closing),
                text,
                self.linked,
            )
        self.parts = [opening for opening, _ in self.opened]
        self.texts, self.linked = [], 0


def absolute(href: str | None, base: str | None) -> str | None:
    """Return the address made absolute, or None when it is no http, https or mailto address, or none that
    anybody would follow.
    """
    try:
        joined = urljoin(base or "", tidy(href or ""))
        parts = urlsplit(joined)
        whole = parts.scheme in {"mailto", "tel"} or (parts.hostname and parts.username is None)
        return (
            joined
            if href and whole and parts.scheme in _SCHEMES and len(joined) <= _LONGEST_ADDRESS
            else None
        )
    except ValueError:
        return None


def web_address(href: str | None, base: str | None) -> str | None:
    """Return the address made absolute, or None when it is no address of the web."""
    address = absolute(href, base)
    return address if address and address.startswith("http") else None


def _trimmed(markup: str) -> str:
    """Return the markup without empty elements, and without spaces or breaks at its ends."""
    before = None
    while before != markup:
        before, markup = markup, _EMPTY.sub(r"\2", markup)
    markup = tidy(markup)
    return re.sub(r"^(?:<br>\s*)+|(?:\s*<br>)+$", "", markup).strip()
