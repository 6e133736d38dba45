"""Find the address of a picture's file: of all that its markup carries, the best that is no placeholder."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from service.newspages.outline import web_address

FILE = re.compile(r"\.(?:jpe?g|png|webp|avif|gif)$", re.IGNORECASE)
IMAGES = ("img", "amp-img", "amp-anim")
# A candidate of a srcset (HTML Standard, 4.8.4.2.2): commas inside an address part nothing.
_CANDIDATE = re.compile(r"[\s,]*(?P<address>\S*[^\s,])(?:,+(?=\s|$)|(?P<size>(?:\([^)]*\)|[^,(])*)(?:,|$))")
_SIZE = re.compile(r"(?<![\w.])(\d{1,5}(?:\.\d+)?)([wx])(?![\w.])")
_LAZY = re.compile(r"^data-.*(?:src|original|lazy|image|img|url|full|large|hi-?res|zoom|background|bg)")
_SURE = re.compile(r"src|original|lazy")
_OF_ANOTHER = re.compile(
    r"share|link|page|thumb|placeholder|avatar|low|lqip|blur|tiny|preload|href|logo|author"
)
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:blank|placeholder|spacer|pixel|loading|loader|lazy|lazyload|transparent|dummy|clear|empty|1x1|1px"
    r"|grey|gray|trans|fallback|preloader|no-?image)(?:[_.-][\w-]*)?\.\w+$",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\{\{?\s*(?:width|w|size)\s*\}?\}|%7B(?:width|w)%7D", re.IGNORECASE)
_USUAL_WIDTH = 1_200
_MOST_ATTRIBUTES = 60


@dataclass(frozen=True, slots=True)
class _Candidate:
    address: str
    width: float
    lazy: bool


def picture_address(image: HtmlElement, base: str | None) -> str | None:
    """Return the absolute address of the picture's largest file, None when only placeholders are named."""
    found = [
        (candidate, address)
        for candidate in _candidates(image)
        if (address := _real(candidate.address, image, base)) is not None
    ]
    if not found:
        return None
    # The address that a script is to load comes before a placeholder, whatever its size.
    return max(found, key=lambda pair: (pair[0].width, pair[0].lazy))[1]


def srcset(value: str) -> Iterator[tuple[str, float | None, float | None]]:
    """Read a srcset: each address with its width or its density, None where it states none."""
    for found in islice(_CANDIDATE.finditer(value[:20_000]), 100):
        size = _SIZE.search(found["size"] or "")
        number = float(size[1]) if size else None
        yield (
            found["address"],
            number if size and size[2] == "w" else None,
            number if size and size[2] == "x" else None,
        )


def _candidates(image: HtmlElement) -> Iterator[_Candidate]:
    width = image.get("width") or ""
    stated = float(width) if re.fullmatch(r"\d{1,5}", width, re.ASCII) else 0.0
    yield from _named(image, stated)
    # The parser takes the elements after a source for its content.
    for source in (e for frame in islice(image.iterancestors("picture"), 1) for e in frame.iter("source")):
        yield from _named(source, stated)
    for inner in _without_scripts(image):
        yield from _named(inner, stated)
    link = next(islice(image.iterancestors("a"), 1), None)
    if link is not None and FILE.search(_path(link.get("href") or "")):
        yield _Candidate(link.get("href") or "", max(stated, 1.0), lazy=True)


def _named(element: HtmlElement, stated: float) -> Iterator[_Candidate]:
    for name, value in islice(element.items(), _MOST_ATTRIBUTES):
        if "srcset" in name:
            for address, width, density in srcset(value):
                yield _Candidate(address, width or max(stated, 1.0) * (density or 1.0), name != "srcset")
        elif name == "src":
            yield _Candidate(value, stated, lazy=False)
        elif _names_file(name, value):
            yield _Candidate(value, max(stated, 1.0), lazy=True)


def _names_file(name: str, value: str) -> bool:
    if not _LAZY.search(name) or _OF_ANOTHER.search(name) or len(value) > 2_000:
        return False
    return (_SURE.search(name) is not None and "/" in value) or FILE.search(_path(value)) is not None


def _without_scripts(image: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the picture that browsers without scripts are shown in the place of this one."""
    parent = image.getparent()
    for place in (image.getnext(), parent.getnext() if parent is not None else None):
        if place is not None and place.tag == "noscript":
            yield from place.iter(*IMAGES)
    yield from (inner for frame in image.iterchildren("noscript") for inner in frame.iter(*IMAGES))


def _real(address: str, image: HtmlElement, base: str | None) -> str | None:
    address = address.strip()
    if address.startswith("data:") or _PLACEHOLDER.search(_path(address)):
        return None
    if _TEMPLATE.search(address):
        widths = [int(width) for width in re.findall(r"\d{2,4}", image.get("data-widths") or "")]
        address = _TEMPLATE.sub(str(max(widths, default=_USUAL_WIDTH)), address)
    return web_address(address, base)


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""
