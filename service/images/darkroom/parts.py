"""Make a file of parts of another, so that a decoder gets only what it needs."""

import io
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

Range = tuple[int, int]
"""The offset of a part in the other file, and its length."""


def parts_of(file: BinaryIO, ranges: Sequence[Range]) -> BinaryIO:
    """Return a file of these parts of another, which stays open."""
    return io.BufferedReader(_Parts(file, ranges), 1 << 16)


def join(ranges: list[Range], start: int, length: int) -> None:
    """Add a part behind the others."""
    if ranges and sum(ranges[-1]) == start:
        last, before = ranges[-1]
        ranges[-1] = (last, before + length)
    else:
        ranges.append((start, length))


class _Parts(io.RawIOBase):
    def __init__(self, file: BinaryIO, ranges: Sequence[Range]) -> None:
        self._file, self._ranges = file, ranges
        self._starts = [0, *accumulate(length for _, length in ranges)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._starts[-1])[whence])
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        index = bisect_right(self._starts, self._at) - 1
        if index >= len(self._ranges):
            return 0
        start, length = self._ranges[index]
        inside = self._at - self._starts[index]
        self._file.seek(start + inside)
        part = self._file.read(min(len(buffer), length - inside))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)
