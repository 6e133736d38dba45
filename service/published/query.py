"""Read what somebody searches for, in a syntax of our own, so that none of a database's ever reaches it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from service.published.cutting import cut

SYNTAX = (
    'full text: every word must be there; `"in quotes"` a phrase; `word*` what begins so; `-word` leaves out'
    " what has it; `this OR that`. A hit in the headline comes first."
)
_OPENING, _CLOSING = "“”„‟«»‹›「『《〝＂", "“”„‟«»‹›」』》〞〟＂"
_TERM = re.compile(rf'(-?)(?:"([^"]*)"|[{_OPENING}]([^{_CLOSING}]*)[{_CLOSING}]|(\S+))')
_OR = "OR"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row; of the last one perhaps only the beginning."""

    words: tuple[str, ...]
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A full-text query: one phrase of each group, and none of those that are left out."""

    groups: list[list[Phrase]] = field(default_factory=list)
    left_out: list[Phrase] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Return whether there is anything to find."""
        return bool(self.groups)


@dataclass(frozen=True, slots=True)
class _Term:
    phrase: Phrase
    is_left_out: bool
    is_or: bool = False


def parse(text: str) -> Query:
    """Read a query. Every text is one; a text without words finds nothing."""
    query, joins = Query(), False
    terms = [term for term in map(_term, _TERM.finditer(text)) if term.phrase.words]
    for term, following in zip_longest(terms, terms[1:]):
        if term.is_left_out:
            query.left_out.append(term.phrase)
        elif joins:
            query.groups[-1].append(term.phrase)
        elif not (term.is_or and query.groups and following and not following.is_left_out):
            query.groups.append([term.phrase])
        else:
            joins = True
            continue
        joins = False
    return query


def _term(found: re.Match[str]) -> _Term:
    minus, straight, curly, bare = found.groups()
    if bare is None:
        return _Term(_phrase(cut(straight if straight is not None else curly)), bool(minus))
    return _Term(_phrase(cut(bare), is_prefix=bare.endswith("*")), bool(minus), is_or=found[0] == _OR)


def _phrase(words: Sequence[str], *, is_prefix: bool = False) -> Phrase:
    return Phrase(tuple(words), is_prefix)
