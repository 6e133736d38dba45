"""Add to each article of a search the passage that contains the words."""

import html
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from threading import Lock
from typing import Any

import orjson

from service.articles.inline import plain
from service.published.query import Phrase, Query
from service.published.snippets import snippet

MOST_KEPT = 4_000
"""Snippets in memory, per process: a few megabytes."""


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
        made = snippet(query, _texts(orjson.loads(document)))
        with self._lock:
            self._known[key] = made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


_SNIPPETS = Snippets()


def _texts(article: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of an article that are searched, the most telling first. It is the document as it is
    stored, because a shape of it would take twice as long to read.
    """
    yield article["summary"] or ""
    # One text, because one long text is looked through faster than many short ones. Two ends of a line part
    # the blocks, and two spaces the cells of a row, because deleted words take one with them.
    yield plain("\n\n".join(filter(None, map(_words, article["body"]))))
    captions = [block.get("caption") for block in article["body"]]
    yield from (caption.get("alt_text") or "" for caption in captions if isinstance(caption, dict))
    lead = article["lead_image"] or {}
    caption = lead.get("caption") or {}
    yield caption.get("text") or ""
    yield caption.get("alt_text") or ""
    yield article["headline"]
    yield ", ".join(filter(None, [article["byline"], *(author["name"] for author in article["authors"])]))
    yield ", ".join(filter(None, [article["dateline"], article["section"], *article["tags"]]))


def _words(block: Mapping[str, Any]) -> str:
    """Return the texts of a block as inline HTML, in the order of the page: its type has some of these."""
    if "html" in block:
        words: str = block["html"]
        return words
    caption = block.get("caption") or ""
    if isinstance(caption, dict):
        caption = caption.get("text") or ""
    rows = [*block.get("header", ()), *block.get("rows", ())]
    parts = [html.escape(caption, quote=False), *block.get("items", ()), *map("  ".join, rows)]
    return "\n\n".join(filter(None, [*parts, html.escape(block.get("text") or "", quote=False)]))
