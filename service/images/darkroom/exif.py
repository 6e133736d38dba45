"""Read EXIF, so that one broken tag spoils no other."""

import struct
from contextlib import suppress
from typing import Final

from PIL import ExifTags, Image

from service.images.darkroom.refusing import DAMAGE

_MARK: Final = b"Exif\0\0"
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_INNER: Final = frozenset({int(ExifTags.IFD.Exif), int(ExifTags.IFD.GPSInfo)})
_MOST_TAGS: Final = 1_000


def read(said: bytes) -> Image.Exif:
    """Return the tags that are whole."""
    exif = Image.Exif()
    with suppress(*DAMAGE):
        exif.load(_MARK + _mended(bytearray(said.removeprefix(_MARK))))
    return exif


def _mended(tiff: bytearray) -> bytes:
    """Return the same without the tags whose values lie outside: Pillow drops all that follow
    one of these.
    """
    order = ">" if tiff[:2] == b"MM" else "<"
    with suppress(struct.error):
        _mend(tiff, order, struct.unpack_from(f"{order}I", tiff, 4)[0], inner=True)
    return bytes(tiff)


def _mend(tiff: bytearray, order: str, at: int, *, inner: bool) -> None:
    count = struct.unpack_from(f"{order}H", tiff, at)[0]
    for entry in range(at + 2, at + 2 + 12 * min(count, _MOST_TAGS), 12):
        tag, kind, several, offset = struct.unpack_from(f"{order}HHII", tiff, entry)
        size = several * _SIZES.get(kind, 0)
        if size > 4 and offset + size > len(tiff):
            # No type has this number, so the tag is passed over.
            struct.pack_into(f"{order}H", tiff, entry + 2, 0)
        elif inner and tag in _INNER:
            with suppress(struct.error):
                _mend(tiff, order, offset, inner=False)
