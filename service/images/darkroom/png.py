"""What stands in a PNG around its pixels, and the chunks that its decoder needs.

A bad checksum, size or order of a chunk that says nothing of the pixels is no damage (PNG specification, 13.1). Such
chunks, and those of animations, never reach the decoder.
"""

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_COLOURS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_TEXTS = frozenset({b"iTXt", b"zTXt", b"tEXt"})
_READ = _COLOURS | _TEXTS | {b"eXIf", b"caBX", b"tRNS"}
_LARGEST = 1 << 23
_KEY_SIZES = {0: 2, 2: 6}
Range = tuple[int, int]


@dataclass(slots=True)
class Png:
    """The chunks of a PNG: where those with pixels lie, and the content of those with colours and texts."""

    pixels: list[Range] = field(default_factory=list)
    colours: dict[bytes, bytes] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    exif: bytes = b""
    credentials: bytes = b""
    bits: int = 8
    colour_type: int = 2


class Parts(io.RawIOBase):
    """A file that is made of parts of another."""

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


def read(file: BinaryIO) -> Png:
    """Go through the chunks of a file. One that ends early is left for the decoder to refuse."""
    found, at = Png(pixels=[(0, len(SIGNATURE))]), len(SIGNATURE)
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return found
        length, kind = struct.unpack(">I4s", head)
        content = file.read(length + 4) if kind in _READ and length <= _LARGEST else b""
        if kind == b"IHDR":
            header = file.read(10)
            found.bits, found.colour_type = (header[8], header[9]) if len(header) == 10 else (8, 2)
        is_whole = len(content) == length + 4 and zlib.crc32(kind + content[:-4]) == int.from_bytes(
            content[-4:]
        )
        if kind in _PIXELS or (kind == b"tRNS" and is_whole and _is_key(found, length)):
            _keep(found.pixels, at, length + 12)
        elif is_whole:
            _take(found, kind, content[:-4])
        if kind == b"IEND":
            return found
        at += length + 12


def pixels_of(file: BinaryIO, found: Png) -> BinaryIO:
    """The PNG without whatever is not needed for its pixels."""
    return io.BufferedReader(Parts(file, found.pixels), 1 << 16)


def _keep(ranges: list[Range], start: int, length: int) -> None:
    last_start, last_length = ranges[-1]
    if last_start + last_length == start:
        ranges[-1] = (last_start, last_length + length)
    else:
        ranges.append((start, length))


def _is_key(found: Png, length: int) -> bool:
    return length == _KEY_SIZES.get(found.colour_type, length)


def _take(found: Png, kind: bytes, content: bytes) -> None:
    if kind in _COLOURS:
        found.colours.setdefault(kind, content)
    elif kind == b"eXIf":
        found.exif = found.exif or content
    elif kind == b"caBX":
        found.credentials = content
    elif kind in _TEXTS:
        name, text = _text(kind, content)
        found.texts.setdefault(name, text)


def _text(kind: bytes, content: bytes) -> tuple[str, bytes]:
    name, _, rest = content.partition(b"\0")
    if kind == b"iTXt":
        is_packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    else:
        is_packed, rest = kind == b"zTXt", rest[1:] if kind == b"zTXt" else rest
    return name.decode("latin-1"), unpacked(rest) if is_packed else rest


def unpacked(packed: bytes) -> bytes:
    """What was compressed; empty when it is broken, or too large for what it is."""
    packer = zlib.decompressobj()
    try:
        whole = packer.decompress(packed, _LARGEST)
    except zlib.error:
        return b""
    return b"" if packer.unconsumed_tail else whole


def raw_profile(text: bytes) -> bytes:
    """What ImageMagick writes as a text: a name, a length, and the bytes in hexadecimal."""
    try:
        return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
    except ValueError:
        return b""
