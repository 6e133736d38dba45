"""Read what a JPEG holds beside its pixels, and find the segments that its decoder needs.

Browsers pass over a broken segment that says nothing of the pixels. The decoder would call the file damaged,
so it gets none of those segments.
"""

import os
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from service.images.darkroom.parts import Range, join

START: Final = b"\xff\xd8\xff"
_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_MORE_XMP: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PROFILE: Final = b"ICC_PROFILE\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_CREDENTIALS: Final = b"JP"
_COMMENT: Final = 0xFE
_SCAN: Final = 0xDA
_APPLICATIONS: Final = range(0xE0, 0xF0)
_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_NEEDED: Final = {0xE0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
"""Application segments that say how colours are stored: how each begins, and its shortest length."""
_READ: Final = frozenset({0xE1, 0xE2, 0xEB, 0xED})
_MOST_SEGMENTS: Final = 10_000


@dataclass(slots=True)
class Jpeg:
    """The places of the segments that the decoder needs, and the contents of those with metadata."""

    pixels: list[Range] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)

    @property
    def exif(self) -> bytes:
        """Return the EXIF; empty when there is none."""
        return b"".join(self._of(_EXIF))

    @property
    def packets(self) -> tuple[bytes, ...]:
        """Return the XMP packets. A long one is in several segments, each with the packet's digest and its
        place.
        """
        extended: dict[bytes, list[bytes]] = {}
        for part in self._of(_MORE_XMP):
            extended.setdefault(part[:32], []).append(part)
        whole = [b"".join(part[40:] for part in sorted(parts, key=_place)) for parts in extended.values()]
        return tuple(packet for packet in [*self._of(_XMP), *whole] if packet)

    @property
    def photoshop(self) -> bytes:
        """Return the resources of Photoshop; empty when there are none."""
        return b"".join(self._of(_PHOTOSHOP))

    @property
    def profile(self) -> bytes | None:
        """Return the ICC profile; None when there is none, or a part of it is missing."""
        parts = {part[0]: part for part in self._of(_PROFILE) if len(part) > 2}
        count = next(iter(parts.values()))[1] if parts else 0
        if not parts or sorted(parts) != list(range(1, count + 1)):
            return None
        return b"".join(part[2:] for _, part in sorted(parts.items()))

    @property
    def credentials(self) -> bytes:
        """Return the boxes (JUMBF) in which content credentials are kept; empty when there are none."""
        return b"".join(part[6:] for part in self._of(_CREDENTIALS))

    def _of(self, mark: bytes) -> list[bytes]:
        return [content[len(mark) :] for content in self.said if content.startswith(mark)]


def read(file: BinaryIO) -> Jpeg:
    """Read the segments of a file up to the pixels. The decoder judges whatever is not a segment."""
    found, at, size = Jpeg([(0, 2)]), 2, file.seek(0, os.SEEK_END)
    for _ in range(_MOST_SEGMENTS):
        file.seek(at)
        head = file.read(4)
        marker, length = head[1:2], int.from_bytes(head[2:])
        if len(head) < 4 or head[0] != 0xFF or marker[0] == _SCAN or length < 2:
            break
        if marker[0] == 0xFF:
            at += 1
        elif marker[0] in _WITHOUT_LENGTH:
            join(found.pixels, at, 2)
            at += 2
        else:
            _take(found, file, marker[0], at, length)
            at += 2 + length
    join(found.pixels, at, max(0, size - at))
    return found


def _take(found: Jpeg, file: BinaryIO, marker: int, at: int, length: int) -> None:
    """Keep the place of a segment, or its content, or neither."""
    if marker in _NEEDED:
        mark, shortest = _NEEDED[marker]
        if length - 2 >= shortest and file.read(len(mark)) == mark:
            join(found.pixels, at, 2 + length)
    elif marker in _READ:
        found.said.append(file.read(length - 2))
    elif marker not in _APPLICATIONS and marker != _COMMENT:
        join(found.pixels, at, 2 + length)


def _place(part: bytes) -> bytes:
    return part[36:40]
