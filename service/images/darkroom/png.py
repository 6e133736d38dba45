"""Read the metadata of a PNG, and find the chunks that its decoder needs.

A bad checksum, size or order of a chunk that says nothing of the pixels is no damage (PNG specification,
13.1). Such chunks, and those of animations, never reach the decoder.
"""

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

from service.images.darkroom.parts import Range, join

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_COLOURS = frozenset({b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"})
_TEXTS = frozenset({b"iTXt", b"zTXt", b"tEXt"})
_READ = _COLOURS | _TEXTS | {b"eXIf", b"caBX", b"tRNS"}
_LARGEST = 1 << 23
_KEY_SIZES = {0: 2, 2: 6}


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

    def profile(self, name: str) -> bytes:
        """Return what ImageMagick writes as a text: a name, a length, and the bytes in hexadecimal."""
        text = self.texts.get(f"Raw profile type {name}", b"")
        try:
            return bytes.fromhex(b"".join(text.split()[2:]).decode("ascii"))
        except ValueError:
            return b""


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
            join(found.pixels, at, length + 12)
        elif is_whole:
            _take(found, kind, content[:-4])
        if kind == b"IEND":
            return found
        at += length + 12


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
    """Return the uncompressed bytes; none when they are broken, or too many."""
    packer = zlib.decompressobj()
    try:
        whole = packer.decompress(packed, _LARGEST)
    except zlib.error:
        return b""
    return b"" if packer.unconsumed_tail else whole
