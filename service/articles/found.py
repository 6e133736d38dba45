"""Add to each article of a search the passage that contains the words."""

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from threading import Lock

import orjson
from pydantic import BaseModel

from service.articles.inline import plain
from service.published import documents
from service.published.query import Phrase, Query
from service.published.snippets import snippet

MOST_KEPT = 4_000
"""Snippets in memory, per process: a few megabytes."""


class _Words(BaseModel):
    """The caption of a picture."""

    text: str | None = None
    alt_text: str | None = None


class _Picture(BaseModel):
    caption: _Words | None = None


class _Block(BaseModel):
    """A block of any type: the members of all types that have words, of which each has some."""

    html: str | None = None
    items: tuple[str, ...] = ()
    caption: _Words | str | None = None
    header: tuple[tuple[str, ...], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    text: str | None = None

    def words(self) -> Iterator[str]:
        """Return the block's texts, in the order of the page."""
        if isinstance(self.caption, _Words):
            yield self.caption.text or ""
        else:
            yield self.caption or ""
        yield plain(self.html or "")
        yield from map(plain, self.items)
        for row in (*self.header, *self.rows):
            yield " ".join(map(plain, row))
        yield self.text or ""


class _Author(BaseModel):
    name: str


class _Searched(BaseModel):
    """The members of an article that are searched. The whole of it would take ten times as long to read."""

    headline: str
    summary: str | None
    byline: str | None
    authors: list[_Author]
    dateline: str | None
    section: str | None
    tags: list[str]
    body: list[_Block]
    lead_image: _Picture | None


def with_snippet(written: bytes, document: bytes, query: Query) -> bytes:
    """Return what is written out of an article, with the snippet of its whole document for a query."""
    return written[:-1] + b',"snippet":' + orjson.dumps(find_snippet(document, query)) + b"}"


def find_snippet(document: bytes, query: Query) -> str:
    """Return as HTML the words for which a query has found an article's document."""
    return _SNIPPETS.find(document, query)


class Snippets:
    """The snippets that were found last: a publish has all searches made again, and most of what they find
    has not changed.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._known: OrderedDict[tuple[bytes, tuple[Phrase, ...]], str] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, document: bytes, query: Query) -> str:
        """Return the snippet of a document. Another document has another digest."""
        phrases = tuple(phrase for group in query.groups for phrase in group)
        key = (blake2b(document, digest_size=16).digest(), phrases)
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        made = snippet(query, _texts(documents.read(_Searched, document)))
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


_SNIPPETS = Snippets()


def _texts(article: _Searched) -> Iterator[str]:
    """Yield the texts of an article that are searched, the most telling first."""
    yield article.summary or ""
    # One text, because one long text is looked through faster than many short ones.
    yield "\n".join(text for block in article.body for text in block.words() if text)
    for block in article.body:
        if isinstance(block.caption, _Words):
            yield block.caption.alt_text or ""
    if article.lead_image is not None and article.lead_image.caption is not None:
        yield article.lead_image.caption.text or ""
        yield article.lead_image.caption.alt_text or ""
    yield article.headline
    yield ", ".join(filter(None, [article.byline, *(author.name for author in article.authors)]))
    yield ", ".join(filter(None, [article.dateline, article.section, *article.tags]))
