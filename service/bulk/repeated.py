"""Know items that came before and changed nothing, so that they are answered without being validated again.

A partner's feed brings the same items again and again. This process remembers those that it found to equal
their articles: their digests, and the versions of the articles. An item is answered from memory while its
article is what it was then, which the database is asked for. A restart forgets everything, and with it what
other rules or settings would have made of an item.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from uuid import UUID

import orjson
import sqlalchemy as core
from sqlalchemy import bindparam
from sqlmodel import col

from service.articles.models import Article, Status
from service.bulk.modes import Mode
from service.bulk.reading import Work
from service.database import Session
from service.http.callers import Caller
from service.images.claims import Pair

MOST = 20_000
"""Items that are remembered, in some 10 MB."""
_DIGEST_BYTES = 16
_TIMED = ("embargoed_until", "usable_until")
_PICTURED = ("lead_image", "lead_image_id")
_NOW = core.select(col(Article.id), col(Article.version), col(Article.updated_at)).where(
    col(Article.id).in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Equal:
    """An article that an item was found to equal."""

    pair: Pair
    id: UUID
    version: int
    updated_at: datetime


class Repeated:
    """The items that one process remembers, by their digests."""

    def __init__(self) -> None:
        self._equal: OrderedDict[bytes, Equal] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._equal)

    def find(self, session: Session, digests: Mapping[int, bytes]) -> dict[int, Equal]:
        """Return the articles that items still equal, by the numbers of the items."""
        with self._lock:
            known = {index: equal for index, one in digests.items() if (equal := self._equal.get(one))}
        if not known:
            return {}
        rows = session.connection().execute(_NOW, {"ids": list({equal.id for equal in known.values()})})
        today = {(id_, version, updated_at) for id_, version, updated_at in rows}
        return {
            index: equal
            for index, equal in known.items()
            if (equal.id, equal.version, equal.updated_at) in today
        }

    def remember(self, equal: Mapping[bytes, Equal]) -> None:
        """Remember items that equal committed articles."""
        with self._lock:
            for digest, one in equal.items():
                self._equal[digest] = one
                self._equal.move_to_end(digest)
            while len(self._equal) > MOST:
                self._equal.popitem(last=False)


def digests_of(
    caller: Caller, mode: Mode, items: Sequence[tuple[int, object]]
) -> Iterator[tuple[int, bytes]]:
    """Yield the digests of the items that time and pictures cannot turn into others, with their numbers.

    What a caller may do, and the mode, are in the digest. With mode=create no item equals anything.
    """
    if mode is Mode.CREATE:
        return
    asked = orjson.dumps([mode.value, caller.source, sorted(caller.scopes)])
    for index, content in items:
        if isinstance(content, dict) and _is_lasting(content):
            try:
                said = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
            except TypeError:  # A number or nesting that orjson does not write.
                continue
            yield index, blake2b(asked + said, digest_size=_DIGEST_BYTES).digest()


def equal_of(work: Work, article: Article) -> dict[int, Equal]:
    """Return what is remembered of an item that equals its article, by the number of the item; nothing where
    the article waits for a time.
    """
    if work.pair is None or article.status not in (Status.DRAFT, Status.PUBLISHED):
        return {}
    return {work.index: Equal(work.pair, article.id, article.version, article.updated_at)}


def _is_lasting(content: Mapping[str, object]) -> bool:
    body = content.get("body")
    return not any(content.get(name) is not None for name in (*_TIMED, *_PICTURED)) and not any(
        isinstance(block, dict) and block.get("type") == "image"
        for block in (body if isinstance(body, list) else ())
    )
