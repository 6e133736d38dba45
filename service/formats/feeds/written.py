"""Keep what each feed has written of each article, so that a feed is a join of what lies there."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from uuid import UUID

from service.formats.feeds.feed import FeedEntry, entry_of
from service.settings import Settings

MOST_BYTES = 8_388_608
"""Memory for written entries, per process: some thousand articles."""
OVERHEAD = 400
"""Bytes that an entry takes beside what is written."""


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """An article as one feed writes it."""

    id: UUID
    published: datetime
    updated_at: datetime
    written: bytes


class WrittenEntries:
    """The entries that were written last, by feed and document. A document that has changed, or that shows a
    picture less, is another one.
    """

    def __init__(self, settings: Settings, most_bytes: int = MOST_BYTES) -> None:
        self.bytes = 0
        self._settings = settings
        self._most_bytes = most_bytes
        self._known: OrderedDict[tuple[str, bytes], WrittenEntry] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def all(
        self, feed: str, documents: Iterable[bytes], write: Callable[[FeedEntry], bytes]
    ) -> list[WrittenEntry]:
        """Return the entries of published documents, written for a feed."""
        return [self._one(feed, document, write) for document in documents]

    def _one(self, feed: str, document: bytes, write: Callable[[FeedEntry], bytes]) -> WrittenEntry:
        key = (feed, blake2b(document, digest_size=16).digest())
        with self._lock:
            if (known := self._known.get(key)) is not None:
                self._known.move_to_end(key)
                return known
        entry = entry_of(self._settings, document)
        article = entry.article
        made = WrittenEntry(article.id, entry.published, article.updated_at, write(entry))
        with self._lock:
            self._keep(key, made)
        return made

    def _keep(self, key: tuple[str, bytes], made: WrittenEntry) -> None:
        if key in self._known:
            return
        self._known[key] = made
        self.bytes += len(made.written) + OVERHEAD
        while self.bytes > self._most_bytes:
            _, dropped = self._known.popitem(last=False)
            self.bytes -= len(dropped.written) + OVERHEAD
