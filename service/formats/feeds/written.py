"""Keep the bytes that each feed has written of each article, so that a feed only joins them."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from uuid import UUID

from service.formats.feeds.feed import FeedArticle, feed_article_of
from service.settings import Settings

MOST_BYTES = 8_388_608
"""Memory for written articles, per process: some thousands of them."""
OVERHEAD = 400
"""Bytes that a written article takes beside its text."""


@dataclass(frozen=True, slots=True)
class WrittenArticle:
    """An article as one feed writes it: an Atom entry, an item of RSS or JSON Feed, or a row of a sitemap."""

    id: UUID
    published: datetime
    updated_at: datetime
    written: bytes


class WrittenArticles:
    """The written articles that were used last, by feed and by hash of the document. A changed document has
    another hash, so that its article is written anew.
    """

    def __init__(self, settings: Settings, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._settings = settings
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[str, bytes], WrittenArticle] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def all(
        self, feed: str, documents: Iterable[bytes], write: Callable[[FeedArticle], bytes]
    ) -> list[WrittenArticle]:
        """Return each published document as a feed writes it."""
        return [self._one(feed, document, write) for document in documents]

    def _one(self, feed: str, document: bytes, write: Callable[[FeedArticle], bytes]) -> WrittenArticle:
        key = (feed, blake2b(document, digest_size=16).digest())
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        feed_article = feed_article_of(self._settings, document)
        article = feed_article.article
        made = WrittenArticle(article.id, feed_article.published, article.updated_at, write(feed_article))
        with self._lock:
            self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, bytes], made: WrittenArticle) -> None:
        if key in self._known:
            return
        self._known[key] = made
        self.bytes += len(made.written) + OVERHEAD
        while self.bytes > self._most_bytes:
            _, dropped = self._known.popitem(last=False)
            self.bytes -= len(dropped.written) + OVERHEAD
