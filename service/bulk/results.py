"""Hold the results of a request until its last item has arrived: packed in memory, because the disk may be
full.
"""

import zlib
from collections.abc import AsyncIterator

from anyio.lowlevel import checkpoint

from service.errors import TooLarge

MOST_BYTES = 64 << 20
"""Packed bytes that the results of one request may take: some three million items."""
PACKED_TOGETHER = 1 << 16
"""Bytes that are packed at a time, and sent at a time."""


class TooManyItems(TooLarge):
    """One request has brought more items than the service keeps results of. Those before `first_unwritten`
    were written; send the rest in another request.
    """

    title = "Too many items in one request"


class Results:
    """Lines of JSON, in the order in which they were added."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._size = 0
        self._last = bytearray()

    @property
    def is_full(self) -> bool:
        """Return whether no more may be added."""
        return self._size > MOST_BYTES

    def add(self, line: bytes) -> None:
        """Add a line, which has no line break in it."""
        self._last += line + b"\n"
        if len(self._last) >= PACKED_TOGETHER:
            self._packed.append(zlib.compress(self._last, level=1))
            self._size += len(self._packed[-1])
            self._last.clear()

    async def lines(self) -> AsyncIterator[bytes]:
        """Write all of them as NDJSON."""
        for packed in self._packed:
            # A client that reads as fast as this unpacks would keep all others waiting.
            await checkpoint()
            yield zlib.decompress(packed)
        yield bytes(self._last)

    async def members(self, before: bytes, after: bytes) -> AsyncIterator[bytes]:
        """Write all of them as members of a JSON array, between its other parts."""
        yield before
        comma = b""
        async for lines in self.lines():
            if lines:
                yield comma + lines[:-1].replace(b"\n", b",")
                comma = b","
        yield after
