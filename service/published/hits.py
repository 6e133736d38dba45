"""Find published articles by their words: among all hits where these are few, and else among a bounded
number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.sql.selectable import TextualSelect
from sqlmodel import col, select

from service.database import Session
from service.http import pages
from service.published.models import Published
from service.published.numbering import TEXT
from service.published.query import Query
from service.published.words import TextIndex, Within

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
    found = index.matching(session, query, newest=newest).subquery()
    return not pages.is_more_than(session, select(found.c.key), MOST_HITS)


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

    def newest(self, most: int | None) -> TextualSelect:
        """Select the newest, by `key` and `id`; None: all."""
        return TEXT.matching(self.session, self.query, within=self.within, newest=most)

    def counted(self) -> TextualSelect:
        """Select those that are counted."""
        if self._are_many:
            return TEXT.among(self.query, MOST_HITS)
        return self.newest(MOST_HITS)

    def joined(self, found: TextualSelect) -> list[ColumnElement[bool]]:
        """Join rows to hits. A text under another key than its row's is one that an older version
        has left.
        """
        # Materialised, because SQLite would else look for each article among the hits.
        hits = found.cte("hits").prefix_with("MATERIALIZED")
        return [col(Published.id) == hits.c.id, hits.c.key == TEXT_KEY]

    def probed(self) -> ColumnElement[bool]:
        """Return the condition that a row's text is a hit, by which each row's text is looked up."""
        return TEXT.has(self.session, self.query, TEXT_KEY, col(Published.id))

    def tier(self) -> ColumnElement[int]:
        """Return 1 for a row in whose headline the words are found, else 0."""
        if self.are_sorted:
            hits = self.only(Within.HEADLINES).newest(None).cte("headline_hits")
            is_found: ColumnElement[bool] = TEXT_KEY.in_(select(hits.c.key))
        else:
            is_found = TEXT.has(self.session, self.query, TEXT_KEY, col(Published.id), Within.HEADLINES)
        return case((is_found, 1), else_=0)

    def window(self, after: pages.Key | None, most: int, *, descending: bool) -> "Window":
        """Return the next hits by time of publication after a key; on PostgreSQL those in the next
        texts, as long as these have some.
        """
        begins = None
        if after is not None:
            at = after[0]
            assert isinstance(at, datetime)
            begins = TEXT.edge(at + _ASTRAY if descending else at, last=descending)
        found, last = self._next(begins, most, descending=descending)
        if last is None:
            return Window(found, None)
        time = TEXT.time_of(last)
        # A text that was left out may have the time of the last one, or an earlier one than that of its key.
        return Window(found, (time, LAST) if descending else (time - _ASTRAY, FIRST))

    def _next(self, begins: int | None, most: int, *, descending: bool) -> tuple[TextualSelect, int | None]:
        """Return the next hits, and the last key that was looked at; None where these are the last."""
        if not self.session.database.is_sqlite:
            found = TEXT.among(self.query, most, within=self.within, begins=begins, descending=descending)
            last = TEXT.key_of(self.session, most, begins=begins, descending=descending)
            is_enough = last is None or most != MOST_HITS
            if is_enough or pages.is_more_than(self.session, select(found.subquery().c.key), MANY - 1):
                return found, last
        found = TEXT.matching(
            self.session, self.query, within=self.within, newest=most, begins=begins, descending=descending
        )
        key = select(found.subquery().c.key).limit(1).offset(most - 1)
        return found, self.session.execute(key).scalar()


@dataclass(frozen=True, slots=True)
class Window:
    """Some hits, and the key behind which there may be others: None where these are the last."""

    found: TextualSelect
    end: pages.Key | None
