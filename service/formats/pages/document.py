"""Bytes of a saved page made into a tree, whatever they claim to be: the one place where HTML is decoded and
parsed.
"""

import codecs
import re
from itertools import islice

from lxml import etree, html

from service.formats.pages.page import NotAnArticle

# Bytes. The heaviest news pages carry 2 MB of markup; what lies beyond this is not looked at.
_LONGEST_PAGE = 4_000_000
_LONGEST_SAMPLE = 40_000
# News pages have some thousands of elements; reading time grows with them, in places with their square.
_MOST_ELEMENTS = 30_000
_DECLARED = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,100}encoding=[\"']([\w.:-]{2,40})",
    re.IGNORECASE,
)
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# Only what pages are written in: Python also knows codecs that run escapes or unpack archives.
_TEXT_CODECS = re.compile(
    r"utf-(?:8|16(?:-[lb]e)?)|iso8859-\d+|cp125\d|cp874|cp866|koi8-[ru]|ascii|gb2312|gbk|gb18030|big5(?:hkscs)?"
    r"|shift_jis|cp932|euc_jp|iso2022_jp|euc_kr|cp949|tis-620|mac-(?:roman|cyrillic)"
)
# What browsers read under these names (WHATWG Encoding Standard, section 4.2).
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis-620": "cp874",
}

_LANGUAGE = re.compile(rb"<html[^>]{0,300}?\slang\s*=\s*[\"']?([a-z]{2})\b", re.IGNORECASE)
_BY_LANGUAGE = {
    "ar": "cp1256",
    "bg": "cp1251",
    "cs": "cp1250",
    "el": "iso8859-7",
    "et": "cp1257",
    "fa": "cp1256",
    "he": "cp1255",
    "hu": "cp1250",
    "ja": "cp932",
    "ko": "cp949",
    "lt": "cp1257",
    "lv": "cp1257",
    "mk": "cp1251",
    "pl": "cp1250",
    "ru": "cp1251",
    "sk": "cp1250",
    "sl": "cp1250",
    "sr": "cp1251",
    "th": "cp874",
    "tr": "cp1254",
    "uk": "cp1251",
    "vi": "cp1258",
    "zh": "gb18030",
}


def parse(page: bytes, charset: str | None) -> html.HtmlElement:
    """The tree of the page; `charset` is what the server said of it, if anything.

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
    return tree


def _decode(page: bytes, charset: str | None) -> str:
    """The page as text. A stated charset is believed only where the bytes bear it out, UTF-8 first of all."""
    marked = [name for mark, name in _MARKS if page.startswith(mark)]
    declared = _DECLARED.search(page[:_LONGEST_SAMPLE])
    stated = (declared[1] or declared[2]).decode("ascii", "replace") if declared else None
    for name in filter(None, (*marked, "utf-8", _known(charset), _known(stated))):
        decoded = _strictly(page, name)
        if decoded is not None:
            return decoded
    return page.decode("utf-8" if _mostly_utf8(page) else _usual(page), errors="replace")


def _usual(page: bytes) -> str:
    """The charset that browsers take for the language of a page that states none (HTML Standard, 13.2.3.2)."""
    language = _LANGUAGE.search(page[:_LONGEST_SAMPLE])
    return _BY_LANGUAGE.get(language[1].decode("ascii").lower(), "cp1252") if language else "cp1252"


def _strictly(page: bytes, name: str) -> str | None:
    """The text, or None where the bytes contradict the name. A character cut off at the end is no
    contradiction.
    """
    try:
        return codecs.getincrementaldecoder(name)().decode(page)
    except (UnicodeError, LookupError):
        return None


def _mostly_utf8(page: bytes) -> bool:
    """Whether so few bytes break UTF-8 that they are dirt rather than another charset."""
    text = page[: _LONGEST_SAMPLE * 10].decode("utf-8", errors="replace")
    foreign = sum(character > "\x7f" for character in text)
    return text.count("\ufffd") * 10 < foreign


def _known(name: str | None) -> str | None:
    try:
        found = codecs.lookup((name or "").strip().lower()).name
    except (LookupError, ValueError):
        return None
    return _WIDER.get(found, found) if _TEXT_CODECS.fullmatch(found) else None
