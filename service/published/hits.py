"""Find published articles by their words: among all hits where these are few, and else among a bounded
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, case, func, select
from sqlalchemy.sql.selectable import TextualSelect
from sqlmodel import col

from service.database import Session
from service.http import pages
from service.published.looks import BEGINS, Look, Values, Within
from service.published.models import Published
from service.published.numbering import TEXT
from service.published.query import Query
from service.published.words import TextIndex

TEXT_KEY = func.coalesce(col(Published.text_key), col(Published.seq))
MOST_HITS = 1_000
"""Hits that are read and sorted for a page, or counted: each costs as much as ten entries of an index."""
MOST_LOOKED_UP = 500
"""Rows that meet a filter and whose texts are searched one by one, for a page."""
WINDOWS = (100, MOST_HITS, 20_000, 200_000)
"""Hits that are looked at for a page: the later ones only where the first are too few, or are all of one
moment.
"""
LATELY, MANY = 1_000, 20
"""PostgreSQL finds all hits of a word at once, and in no order. A word that so many of the newest texts
have is therefore looked for in one text after the other.
"""
MOST_PROBED = 300
"""Entries of an index whose texts are searched one by one, for a page: each costs as much as ten hits that
are found together.
"""
MOST_KNOWN = 200
"""Queries that are kept put together, of the searches that were asked for last."""
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
_ASTRAY = timedelta(milliseconds=100)
"""A text is found under a time that is later by no more than this, because keys of its own time were taken.
"""


def are_many(session: Session, index: TextIndex, query: Query) -> bool:
    """Return whether PostgreSQL must not find all hits at once, because many of the newest texts are hits."""
    if session.database.is_sqlite or index.key_of(session, pages.MOST_READ) is None:
        return False
    lately = select(func.count()).select_from(index.among(query, LATELY).subquery())
    number: int = session.execute(lately).scalar_one()
    return number >= MANY and number * index.size(session) > LATELY * MOST_HITS


def are_few(session: Session, index: TextIndex, query: Query) -> bool:
    """Return whether all hits may be read for a page, where they are not many of the newest texts."""
    # In no order, so that PostgreSQL need not look at each hit before the first.
    newest = MOST_HITS + 1 if session.database.is_sqlite else None
    look = Look(index.table, session.database.is_sqlite, most=newest)
    values = {look.within.value: index.wanted(session, query, look.within)}
    return session.execute(_numbered(look, MOST_HITS + 1), values).first() is None


@dataclass(frozen=True)
class Hits:
    """The texts in which words are found."""

    session: Session
    query: Query
    is_alone: bool
    """True: nothing else is asked for."""
    within: Within = Within.TEXTS

    @cached_property
    def are_few(self) -> bool:
        """Return whether all of them may be read for a page."""
        return not self._are_many and are_few(self.session, TEXT, self.query)

    @cached_property
    def _are_many(self) -> bool:
        return are_many(self.session, TEXT, self.query)

    @property
    def are_sorted(self) -> bool:
        """Return whether all of them are read for a page: because few may meet the rest of the filter, or
        because PostgreSQL finds all at once.
        """
        return not (self.is_alone and self.session.database.is_sqlite) and self.are_few

    @property
    def windows(self) -> Sequence[int]:
        """Return how many are looked at for a page, in turn. PostgreSQL is asked once for many."""
        return WINDOWS if self.session.database.is_sqlite else WINDOWS[1:]

    def only(self, within: Within) -> "Hits":
        """Return those in headlines, or the others."""
        return replace(self, within=within)

    def all(self) -> "Window":
        """Return all of them."""
        look = Look(TEXT.table, self.session.database.is_sqlite, self.within)
        return Window(look, self.values(), is_read=True)

    def counted(self) -> Look:
        """Return how those are found that are counted."""
        is_sqlite = self.session.database.is_sqlite
        return Look(TEXT.table, is_sqlite, self.within, MOST_HITS, is_among=self._are_many)

    def probed(self) -> ColumnElement[bool]:
        """Return the condition that a row's text is a hit, by which each row's text is looked up."""
        return TEXT.has(self.session, self.query, TEXT_KEY, col(Published.id))

    def tier(self) -> ColumnElement[int]:
        """Return 1 for a row in whose headline the words are found, else 0."""
        return tier(TEXT.has(self.session, self.query, TEXT_KEY, col(Published.id), Within.HEADLINES))

    def values(self, *also: Within) -> Values:
        """Write down what is looked for, as parameters."""
        return {
            within.value: TEXT.wanted(self.session, self.query, within) for within in (self.within, *also)
        }

    def window(self, after: pages.Key | None, most: int, *, descending: bool) -> "Window":
        """Return the next hits by time of publication after a key; on PostgreSQL those in the next
        texts, as long as these have some.
        """
        values, begins = self.values(), None
        if after is not None:
            at = after[0]
            assert isinstance(at, datetime)
            values[BEGINS] = begins = TEXT.edge(at + _ASTRAY if descending else at, last=descending)
        is_sqlite = self.session.database.is_sqlite
        look = Look(TEXT.table, is_sqlite, self.within, most, begins is not None, descending)
        if is_sqlite:
            return Window(look, values)
        among = replace(look, is_among=True)
        last = TEXT.key_of(self.session, most, begins=begins, descending=descending)
        is_enough = last is None or most != MOST_HITS
        if is_enough or self.session.execute(_numbered(among, MANY), values).first() is not None:
            return Window(among, values, is_read=True, last=last)
        return Window(look, values)


@dataclass(frozen=True, slots=True)
class Window:
    """Some hits, and the parameters of the statements that find them. `last` is the last key that was looked
    at, None where these are the last; unless that `is_read`, it comes with them.
    """

    look: Look
    values: Values
    is_read: bool = False
    last: int | None = None

    def last_of(self, session: Session) -> int | None:
        """Return the last key, where no rows come with it."""
        if self.is_read or self.look.most is None:
            return self.last
        return session.execute(_numbered(self.look, self.look.most), self.values).scalar()

    def end(self, last: int | None) -> pages.Key | None:
        """Return the key behind which there may be other hits: None where these are the last."""
        if last is None:
            return None
        time = TEXT.time_of(last)
        # A text that was left out may have the time of the last one, or an earlier one than that of its key.
        return (time, LAST) if self.look.descending else (time - _ASTRAY, FIRST)


def tier(is_found: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the place of a row among hits, of which those in headlines are first."""
    return case((is_found, 1), else_=0)


def joined(hits: CTE) -> list[ColumnElement[bool]]:
    """Join rows to hits. A text under another key than its row's is one that an older version has left."""
    return [col(Published.id) == hits.c.id, hits.c.key == TEXT_KEY]


def materialized(found: TextualSelect) -> CTE:
    """Return hits as they are joined: SQLite would else look for each article among them."""
    return found.cte("hits").prefix_with("MATERIALIZED")


@cache
def _numbered(look: Look, number: int) -> Select[*tuple[int, ...]]:
    """Return the query for the key of the hit of a number, from 1 on."""
    return select(look.found().subquery().c.key).limit(1).offset(number - 1)
