"""Parse the bytes of a saved page into a tree, whatever they claim to be: the one place where HTML is decoded
and parsed.
"""

import re
from itertools import islice

from lxml import etree, html

from service.newspages.decoding import decode, label, marked
from service.newspages.page import NotAnArticle

_OF_THE_HEAD = frozenset({"base", "link", "meta", "noscript", "script", "style", "template", "title"})
# Bytes. The heaviest news pages carry 2 MB of markup; what lies beyond this is not looked at.
_LONGEST_PAGE = 4_000_000
_LONGEST_SAMPLE = 40_000
# News pages have some thousands of elements; reading time grows with them, in places with their square.
_MOST_ELEMENTS = 30_000
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(rb"<html[^>]{0,300}?\slang\s*=\s*[\"']?([a-z]{2})\b", re.IGNORECASE)
_BY_LANGUAGE = {
    "ar": "windows-1256",
    "bg": "windows-1251",
    "cs": "windows-1250",
    "el": "iso-8859-7",
    "et": "windows-1257",
    "fa": "windows-1256",
    "he": "windows-1255",
    "hu": "windows-1250",
    "ja": "shift_jis",
    "ko": "euc-kr",
    "lt": "windows-1257",
    "lv": "windows-1257",
    "mk": "windows-1251",
    "pl": "windows-1250",
    "ru": "windows-1251",
    "sk": "windows-1250",
    "sl": "windows-1250",
    "sr": "windows-1251",
    "th": "windows-874",
    "tr": "windows-1254",
    "uk": "windows-1251",
    "vi": "windows-1258",
    "zh": "gbk",
}


def parse(page: bytes, charset: str | None) -> html.HtmlElement:
    """Return the tree of the page; `charset` is what the server said of it, if anything.

    Raises `NotAnArticle` when the bytes hold no markup, or more of it than any article.
    """
    text = _decode(page[:_LONGEST_PAGE], charset)
    if "<" not in text:
        raise NotAnArticle("This is no HTML page.")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(text.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as problem:
        raise NotAnArticle("This HTML page is empty.") from problem
    if next(islice(tree.iter(), _MOST_ELEMENTS, None), None) is not None:
        raise NotAnArticle(f"The page has more than {_MOST_ELEMENTS:,} elements.")
    _give_body(tree)
    return tree


def _give_body(tree: html.HtmlElement) -> None:
    """Part head and body where the page leaves their tags out: the parser takes elements that are younger
    than itself for a part of the head.
    """
    head = tree.find("head")
    if head is None or tree.find("body") is not None:
        return
    first = next((at for at, child in enumerate(head) if child.tag not in _OF_THE_HEAD), len(head))
    body = html.Element("body")
    body.extend(list(head)[first:])
    tree.append(body)


def _decode(page: bytes, charset: str | None) -> str:
    """Return the page as text: by its byte order mark, else as UTF-8 where the bytes are that, else by the
    server's word, the page's own, or the habit of its language. No stated name counts that breaks the text.
    """
    if mark := marked(page):
        return decode(page, mark)
    declared = _DECLARED.search(page[:_LONGEST_SAMPLE])
    stated = label((declared[1] or declared[2]).decode("ascii", "replace")) if declared else None
    names = [name for name in (label(charset), stated) if name]
    if "iso-2022-jp" not in names and _mostly_utf8(page):
        return decode(page, "utf-8")
    for name in names:
        # A page cannot name UTF-16 in a meta element that is read byte by byte (HTML Standard, 13.2.3.2).
        text = decode(page, "utf-8" if name == stated and name.startswith("utf-16") else name)
        if _is_clean(text):
            return text
    return decode(page, _usual(page))


def _usual(page: bytes) -> str:
    """Return the encoding that browsers take for the language of a page that states none (13.2.3.2)."""
    language = _LANGUAGE.search(page[:_LONGEST_SAMPLE])
    return (
        _BY_LANGUAGE.get(language[1].decode("ascii").lower(), "windows-1252") if language else "windows-1252"
    )


def _mostly_utf8(page: bytes) -> bool:
    """Return whether so few bytes break UTF-8 that they are dirt rather than another encoding."""
    return _is_clean(page[: _LONGEST_SAMPLE * 10].decode("utf-8", errors="replace"))


def _is_clean(text: str) -> bool:
    """Return whether less than a tenth of what is not ASCII means nothing; a cut end is no fault."""
    foreign = sum(character > "\x7f" for character in text)
    return text.count("\ufffd", 0, -1) * 10 <= foreign
