"""Find published articles by their words: among all hits where these are few, and else among a bounded
number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.sql.selectable import TextualSelect
from sqlmodel import col, select

from service.database import Session
from service.http import pages
from service.published.models import Published
from service.published.numbering import TEXT
from service.published.query import Query

TEXT_KEY = func.coalesce(col(Published.text_key), col(Published.seq))
RANKED = 2_000
"""Full text is ranked among this many of the newest hits: ranking every hit of a common word costs a second
on a million.
"""
WINDOWS = (100, pages.MOST_READ, 20_000, 200_000)
"""Hits that are looked at for a page: the later ones only where the first are too few, or are all of one
moment.
"""
MOST_PROBED = 1_000
"""Articles in whose texts words are looked for one by one: each costs as much as five entries of an index."""
FIRST, LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
_ASTRAY = timedelta(milliseconds=100)
"""A text is found under a time that is later by no more than this, because keys of its own time were taken.
"""


@dataclass(frozen=True, slots=True)
class Hits:
    """The texts in which words are found."""

    session: Session
    query: Query

    def are_few(self) -> bool:
        """Return whether all of them may be read for a page."""
        found = self.newest(pages.MOST_READ + 1).subquery()
        return not pages.is_more_than(self.session, select(found.c.key), pages.MOST_READ)

    def newest(self, most: int | None) -> TextualSelect:
        """Select the newest, by `key` and `id`; None: all."""
        return TEXT.matching(self.session, self.query, newest=most)

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

    def in_headline(self) -> TextualSelect:
        """Select the newest in whose headlines the words are found."""
        return TEXT.matching(self.session, self.query, headline=True, newest=RANKED)

    def window(self, after: pages.Key | None, most: int, *, descending: bool) -> "Window":
        """Return the next hits by time of publication after a key."""
        begins = None
        if after is not None:
            at = after[0]
            assert isinstance(at, datetime)
            begins = TEXT.edge(at + _ASTRAY if descending else at, last=descending)
        found = TEXT.matching(self.session, self.query, newest=most, begins=begins, descending=descending)
        last = self.session.execute(select(found.subquery().c.key).limit(1).offset(most - 1)).scalar()
        if last is None:
            return Window(found, None)
        time = TEXT.time_of(last)
        # A text that was left out may have the time of the last one, or an earlier one than that of its key.
        return Window(found, (time, LAST) if descending else (time - _ASTRAY, FIRST))


@dataclass(frozen=True, slots=True)
class Window:
    """Some hits, and the key behind which there may be others: None where these are the last."""

    found: TextualSelect
    end: pages.Key | None
