"""Choose which of a page's titles is the headline of its article, without the words around the headline
there.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.newspages.text import key, similar, words

_SITE_SUFFIX = re.compile(r"^(.{12,}?)\s*(?:\s[-–—|•·»]|[|｜：])\s*([^|｜]{2,60})$")
_SHORTEST = 8
# In words. Some pages give their headline as the name of their site.
_LONGEST_NAME = 5


@dataclass(frozen=True, slots=True)
class Titles:
    """The titles of a page: OpenGraph's, its echo for another network, one named outright, schema.org's,
    those shown, the window's.
    """

    social: str | None = None
    echo: str | None = None
    outright: str | None = None
    stated: str | None = None
    shown: list[str] = field(default_factory=list)
    window: str = ""


def best_headline(titles: Titles, site_names: Iterable[str | None]) -> str | None:
    """OpenGraph's headline, unless the page contradicts itself about it.

    A meta element that names the headline outright decides; a different echo, or a shown and a stated
    headline that differ from OpenGraph's and from each other, cast doubt on OpenGraph's.
    """
    names = {key(name) for name in site_names if name and words(name) <= _LONGEST_NAME} - (
        {key(titles.social or "")} & set(map(key, titles.shown))
    )
    stated = titles.stated if titles.stated and key(titles.stated) not in names else None
    shown = [
        text
        for text in titles.shown
        if (words(text) > 1 and key(text) not in names) or key(text) == key(stated or "")
    ]
    known = [text for text in (stated, *shown) if text]
    social = titles.social if titles.social and key(titles.social) not in names else None
    if social and _differs(social, known):
        social = _in_doubt(social, stated, shown, titles)
    own = social or stated or next(iter(known), None) or titles.echo or titles.window
    return _alone(own, known, names) if own else None


def _in_doubt(social: str, stated: str | None, shown: list[str], titles: Titles) -> str:
    """Return the headline where OpenGraph's differs from all that the page states and shows of its own."""
    known = [text for text in (stated, *shown) if text]
    outright = titles.outright
    if outright or (titles.echo and _differs(titles.echo, [social])) or _differs(stated, shown):
        return outright if outright and not _differs(outright, known) else next(iter([*shown[:1], *known]))
    if stated and shown and key(stated) != key(shown[0]):
        # Two that say the same in other words were written apart: against both, OpenGraph's is an older or a
        # shorter one.
        return shown[0]
    return social


def _alone(headline: str, known: list[str], names: set[str]) -> str:
    """Return the headline without a kicker before it and without the site's name, as far as the page has it
    that way elsewhere, too.
    """
    parts = [text for text in known if key(text) != key(headline) and _is_part(text, headline)]
    if parts:
        return _alone(max(parts, key=len), known, names)
    suffixed = _SITE_SUFFIX.match(headline)
    return suffixed[1] if suffixed and (key(suffixed[2]) in names) else headline


def _is_part(text: str, headline: str) -> bool:
    """Return whether the text is the beginning or the end of the headline, and what else is there stands
    apart from it.
    """
    if len(key(text)) < _SHORTEST or len(text) * 4 < len(headline):
        return False
    found = re.fullmatch(
        rf"(?:(?P<before>.*?)[\s:|｜：•·»«–—-]+)?{re.escape(text)}(?:\s*[|｜：•·»–—:-]+\s*(?P<after>.*))?",
        headline,
        re.IGNORECASE,
    )
    return found is not None


def _differs(text: str | None, others: list[str]) -> bool:
    return bool(text and others) and not any(similar(text or "", other) for other in others)
