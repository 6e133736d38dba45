"""Show why a text was found: some of its words as HTML, with the hits in `<mark>` and everything else
escaped.
"""

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from service.published.cutting import BREAK, LONGEST_WORD, Placed, as_ascii, cut_in_place, fold
from service.published.query import Phrase, Query

BEFORE, LONGEST = 60, 240
"""Characters of the text before the first hit, and in all."""
MOST_READ = 50_000
"""Characters of an article that are looked through for a hit."""
Span = tuple[int, int]


def snippet(query: Query, texts: Iterable[str]) -> str:
    """Return the part of the first text with a hit; without one, the beginning of the first text that has
    any.
    """
    phrases = [phrase for group in query.groups for phrase in group]
    beginning, left = "", MOST_READ
    for text in texts:
        shown = text[:left]
        left -= len(shown)
        if (line := _line_of_hit(shown, phrases)) is not None and (hits := _hits(line, phrases)):
            return _marked(line, hits)
        beginning = beginning or next(filter(None, map(_plain, shown.split("\n"))), "")
        if left <= 0:
            break
    return _marked(beginning, [])


def _line_of_hit(text: str, phrases: Sequence[Phrase]) -> str | None:
    """Return the first line of a text that has a phrase, on one line and with one space between words."""
    folded = as_ascii(text)
    if folded is None:
        return next((line for line in map(_plain, text.split("\n")) if _hits(line, phrases)), None)
    hits = [hit.start() for phrase in phrases if (hit := _first(phrase, folded)) is not None]
    if not hits:
        return None
    begin = text.rfind("\n", 0, min(hits)) + 1
    end = text.find("\n", begin)
    return _plain(text[begin:] if end < 0 else text[begin:end])


def _first(phrase: Phrase, folded: str) -> re.Match[str] | None:
    # Looking for a word is faster than looking for a pattern.
    place = folded.find(phrase.words[0])
    return None if place < 0 else _pattern(phrase).search(folded, place)


def _plain(line: str) -> str:
    return " ".join(line.split())


def _hits(line: str, phrases: Sequence[Phrase]) -> list[Span]:
    """Return where the phrases are in a line, in their order."""
    folded = as_ascii(line)
    if folded is not None:
        found = [hit.span(1) for phrase in phrases for hit in _pattern(phrase).finditer(folded)]
    else:
        folded = fold(line)
        near = [phrase for phrase in phrases if all(word == BREAK or word in folded for word in phrase.words)]
        words = cut_in_place(line) if near else []
        found = [span for phrase in near for span in _places(words, phrase)]
    joined: list[Span] = []
    for begin, end in sorted(found):
        if joined and begin < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


@lru_cache(1_000)
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    """Return what finds a phrase in a text that is folded into ASCII, wherever it begins."""
    words = r"[^a-z0-9\n]+".join(
        re.escape(word) + ("[a-z0-9]*" if len(word) == LONGEST_WORD else "") for word in phrase.words
    )
    end = "[a-z0-9]*" if phrase.is_prefix else "(?![a-z0-9])"
    return re.compile(f"(?<![a-z0-9])(?=({words}{end}))")


def _places(words: Sequence[Placed], phrase: Phrase) -> Iterable[Span]:
    *first, last = phrase.words
    for place in range(len(words) - len(first)):
        row = [word for word, _, _ in words[place : place + len(phrase.words)]]
        if row[:-1] == first and (row[-1].startswith(last) if phrase.is_prefix else row[-1] == last):
            yield words[place][1], words[place + len(first)][2]


def _marked(line: str, hits: Sequence[Span]) -> str:
    first = hits[0][0] if hits else 0
    begin = 0 if first <= BEFORE else _at_word(line, first - BEFORE, first)
    end = len(line) if len(line) - begin <= LONGEST else line.rfind(" ", begin, begin + LONGEST)
    last_needed = hits[0][1] if hits else 1
    if end < last_needed:
        end = max(begin + LONGEST, last_needed)
    shown, place = ["… " if begin else ""], begin
    for hit, ends in hits:
        if ends > end:
            break
        shown += [html.escape(line[place:hit]), "<mark>", html.escape(line[hit:ends]), "</mark>"]
        place = ends
    return "".join([*shown, html.escape(line[place:end]), " …" if end < len(line) else ""])


def _at_word(line: str, earliest: int, latest: int) -> int:
    """Return where a word begins, or the earliest place where none does."""
    space = line.find(" ", earliest, latest)
    return earliest if space < 0 else space + 1
