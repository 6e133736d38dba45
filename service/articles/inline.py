"""Inline HTML inside the blocks of a body: always clean, and as plain text."""

import html
import re
from functools import lru_cache
from typing import Annotated

import nh3
from pydantic import AfterValidator, WithJsonSchema
from typing_extensions import TypeAliasType

from service.tables import clean_text, composed

INLINE_TAGS = frozenset("a strong em code sub sup br span s del ins q mark small ruby rt rp abbr bdi".split())
LONGEST_INLINE = 50_000
_KEPT, _SHORT = 1_024, 1_000
"""Texts that are kept as they were sanitised, and characters below which a text is."""
_TWO_SLASHES = re.compile(r"[\\/][\t\n\r]*[\\/]")
_EDGE = "".join(map(chr, range(33)))


def _whole_link(_element: str, name: str, value: str) -> str | None:
    """Write out the scheme of a link to another host that names none; drop a link that only browsers take for
    one, because they read a backslash as a slash.
    """
    if name != "href" or _TWO_SLASHES.match(value.lstrip(_EDGE)) is None:
        return value
    return f"https:{value.strip(_EDGE)}" if value.strip(_EDGE).startswith("//") else None


_CLEANER = nh3.Cleaner(
    tags={*INLINE_TAGS, "b", "i"},
    attributes={"a": {"href"}, "span": {"lang"}},
    url_schemes={"http", "https", "mailto", "tel"},
    link_rel=None,
    attribute_filter=_whole_link,
)
"""Made once, which costs as much as cleaning a paragraph."""
_BLOCK_TAG = re.compile(
    r"(?=</?(?:address|article|aside|audio|blockquote|button|canvas|caption|center|dd|details|dialog|dir|div|dl|dt"
    r"|embed|fieldset|figcaption|figure|footer|form|frameset|h[1-6]|header|hgroup|hr|input|legend|li|main|menu"
    r"|nav|object|ol|optgroup|option|p|picture|pre|search|section|select|summary|table|tbody|td|tfoot|th"
    r"|thead|title|tr|ul|video)[\s/>])",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"\s*(?:<br>\s*)+")
_OLD_NAMES = (("<b>", "<strong>"), ("</b>", "</strong>"), ("<i>", "<em>"), ("</i>", "</em>"))
_TAG = re.compile("<[^>]*>")
"""A tag in clean HTML, in which `<` and `>` are always those of a tag, even in an address."""
_WORDS = re.compile("[^<>]+")
"""Texts between the tags of clean HTML. Only these are composed, because an accent that follows a tag must
not become one character with the end of the tag.
"""
_MARKUP = re.compile("[<>&\u00a0\x00\r]")
"""Without any of these a text is its own HTML, and need not be parsed."""
_UNSAID = re.compile(r"<rp>[^<]*</rp>|<del>.*?</del>[ \n]?", re.DOTALL)
_SAID = {"<br>": "\n", "<q>": "“", "</q>": "”", "<rt>": "（", "</rt>": "）"}


def sanitise(value: str) -> str:
    """Keep inline elements and links to http, https, mailto and tel; drop all other markup.

    `b` and `i` become `strong` and `em`. What block elements would part is parted by `br`, so that no two
    words become one. Cleaning what is clean already changes nothing.
    """
    if _MARKUP.search(value) is None:
        return value.strip()
    parted = _BLOCK_TAG.sub("<br>", value)
    clean = _cleaned(parted)
    # Sanitising moves content out of a table that is dropped, which may nest links. HTML does not allow that,
    # and the next round takes them apart.
    while "<" in clean and clean != value:
        value, clean = clean, _cleaned(clean)
    if parted != value and _BLOCK_TAG.search(parted):
        clean = _BREAKS.sub("<br>", clean).removeprefix("<br>").removesuffix("<br>").strip()
    return clean


def _cleaned(value: str) -> str:
    clean: str = _CLEANER.clean(value)
    for old, new in _OLD_NAMES:
        clean = clean.replace(old, new)
    return clean.strip()


def plain(inline: str) -> str:
    """Return inline HTML as plain text: deleted words left out, quotations and readings in their marks."""
    if "<" in inline:
        inline = _TAG.sub(_said, _UNSAID.sub("", inline))
    return html.unescape(inline)


def _said(tag: re.Match[str]) -> str:
    return _SAID.get(tag[0], "")


def _composed(words: re.Match[str]) -> str:
    return composed(words[0])


@lru_cache(maxsize=_KEPT)
def _sanitised_lately(value: str) -> str:
    # An article is read again each time that it is edited, and sanitising is most of what that takes.
    return sanitise(value)


def _inline(value: str) -> str:
    given = clean_text(value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value)
    clean = _sanitised_lately(given) if len(given) < _SHORT else sanitise(given)
    # Measured and looked through as it is kept: sanitising turns & into &amp;, and &#7; into a control
    # character.
    if clean != given:
        clean_text(clean)
    if not clean.isascii():
        clean = _WORDS.sub(_composed, clean)
    if len(clean) > LONGEST_INLINE:
        raise ValueError(f"must not have more than {LONGEST_INLINE} characters")
    return clean


_SAID_OF_IT = (
    f"Inline HTML, sanitised. These elements are kept: {', '.join(sorted(INLINE_TAGS))}; b and i become"
    " strong and em. Of their attributes, `href` of a (http, https, mailto, tel) and `lang` of span. What"
    " block elements would part is parted by br."
)
Inline = TypeAliasType(
    "Inline",
    Annotated[
        str,
        WithJsonSchema({"type": "string", "maxLength": LONGEST_INLINE, "description": _SAID_OF_IT}),
        AfterValidator(_inline),
    ],
)
"""Inline HTML, sanitised."""
