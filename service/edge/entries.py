"""Ready answers, each in every content coding that was asked for, in a store that is bounded in bytes."""

import sys
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from service.edge.codings import LEAST_COMPRESSED
from service.tables import latest

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, bytes]
"""The path and the query of a request, in its normal form."""
OVERHEAD = 600
"""Bytes that an entry costs beside its bodies."""
KEY_OVERHEAD = 150
"""Bytes that each of its keys costs: the key, and its place among those that have it."""
_OF_ONE_REQUEST = (b"etag", b"content-length", b"x-request-id")


class Coded(NamedTuple):
    """An answer in one content coding, ready for the wire; `unchanged` are the headers of its 304."""

    etag: bytes
    headers: Headers
    unchanged: Headers
    body: bytes

    def lasting(self, control: bytes) -> "Coded":
        """Return the same answer with another Cache-Control, where it has one."""
        return self._replace(
            headers=_controlled(self.headers, control), unchanged=_controlled(self.unchanged, control)
        )


def _controlled(headers: Headers, control: bytes) -> Headers:
    return [(name, control if name == b"cache-control" else value) for name, value in headers]


class CacheEntry:
    """One answer, in every content coding that was asked for so far."""

    __slots__ = ("again", "bodies", "body", "etag", "headers", "keys", "size", "status", "until")

    def __init__(self, status: int, headers: Headers, body: bytes, etag: str | None) -> None:
        self.status = status
        self.headers = [pair for pair in headers if pair[0] not in _OF_ONE_REQUEST]
        self.body = body
        self.etag = etag
        self.keys: tuple[str, ...] = ()
        """A change of any of these drops it (`published.keys`)."""
        self.until: float | None = None
        self.again: float | None = None
        self.bodies: dict[str, Coded] = {}
        self.size = OVERHEAD + len(body) + sum(len(name) + len(value) for name, value in self.headers)

    def left(self) -> float | None:
        """Return the seconds for which the answer is good; None where only a change ends it."""
        return None if self.until is None else max(0.0, self.until - latest().timestamp())

    def is_over(self) -> bool:
        """Return whether the answer is to be made anew."""
        return self.left() == 0 or (self.again is not None and self.again <= latest().timestamp())

    def coding(self, wanted: str) -> str:
        """Return the content coding in which an answer goes out: a short one is not worth any."""
        return wanted if len(self.body) >= LEAST_COMPRESSED else ""

    def code(self, wanted: str, body: bytes) -> Coded:
        """Keep the body in one content coding. A strong ETag differs with the coding."""
        coding, unchanged, etag = self.coding(wanted), list(self.headers), b""
        if coding:
            unchanged.append((b"content-encoding", coding.encode()))
            self.size += len(body)
        if self.etag is not None:
            etag = (self.etag if not coding else f'{self.etag[:-1]};{coding}"').encode()
            unchanged.append((b"etag", etag))
        headers = [*unchanged, (b"content-length", b"%d" % len(body))]
        self.bodies[wanted] = Coded(
            etag,
            headers,
            [pair for pair in unchanged if pair[0] not in (b"content-type", b"content-encoding")],
            body,
        )
        return self.bodies[wanted]


class Entries:
    """The store of ready answers. What was used longest ago is dropped first; `bytes` is what all take."""

    def __init__(self, most_bytes: int) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._entries: OrderedDict[Key, CacheEntry] = OrderedDict()
        self._by_key: dict[str, set[Key]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> CacheEntry | None:
        """Return the entry of a key, unless its time is over."""
        entry = self._entries.get(key)
        if entry is None or entry.is_over():
            return None
        self._entries.move_to_end(key)
        return entry

    def keep(self, key: Key, entry: CacheEntry) -> None:
        """Keep an entry, unless it would take more than an eighth of the room."""
        entry.size += sys.getsizeof(key[0]) + len(key[1]) + KEY_OVERHEAD * len(entry.keys)
        if entry.size * 8 > self._most_bytes:
            return
        self._drop(key)
        self._entries[key] = entry
        for name in entry.keys:
            self._by_key.setdefault(name, set()).add(key)
        self._grow(entry.size)

    def code(self, key: Key, entry: CacheEntry, coding: str, body: bytes) -> Coded:
        """Keep the body of an entry in one content coding, and count what that takes if the entry is kept."""
        before = entry.size
        coded = entry.code(coding, body)
        if self._entries.get(key) is entry:
            self._grow(entry.size - before)
        return coded

    def drop(self, names: Iterable[str]) -> None:
        """Drop what has any of these keys."""
        for name in names:
            for key in list(self._by_key.get(name, ())):
                self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._by_key.clear()
        self.bytes = 0

    def _grow(self, size: int) -> None:
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self.bytes -= entry.size
        for name in entry.keys:
            others = self._by_key[name]
            others.discard(key)
            if not others:
                del self._by_key[name]
