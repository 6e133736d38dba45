"""Show why a text was found: some of its words as HTML, with the hits in `<mark>` and everything else escaped."""

import html
from collections.abc import Iterable, Sequence

from service.published.cutting import BREAK, cut_in_place, fold
from service.published.query import Phrase, Query

BEFORE, LONGEST = 60, 240
"""Characters of the text before the first hit, and in all."""
MOST_READ = 50_000
"""Characters of an article that are looked through for a hit."""
Span = tuple[int, int]


def snippet(query: Query, texts: Iterable[str]) -> str:
    """Return the part of the first text with a hit; without one, the beginning of the first text that has any."""
    phrases = [phrase for group in query.groups for phrase in group]
    beginning, left = "", MOST_READ
    for text in texts:
        for line in text.splitlines():
            plain = " ".join(line[:left].split())
            left -= len(plain)
            beginning = beginning or plain
            if hits := _hits(plain, phrases):
                return _marked(plain, hits)
            if left <= 0:
                break
    return _marked(beginning, [])


def _hits(line: str, phrases: Sequence[Phrase]) -> list[Span]:
    """Return where the phrases are in a line, in their order."""
    folded = fold(line)
    near = [phrase for phrase in phrases if all(word == BREAK or word in folded for word in phrase.words)]
    if not near:
        return []
    words = cut_in_place(line)
    found = [span for phrase in near for span in _places(words, phrase)]
    joined: list[Span] = []
    for begin, end in sorted(found):
        if joined and begin < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _places(words: Sequence[tuple[str, int, int]], phrase: Phrase) -> Iterable[Span]:
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
