"""Read the boxes of an AVIF (ISO 14496-12 and 23008-12) that describe its main picture and its colours."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_MOST_BOXES = 4_000
_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
HEVC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
AV1 = frozenset({b"avif", b"avis"})
Aperture = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Properties:
    """The clean aperture (left, top, right, bottom) and CICP's primaries and transfer, where they are
    declared.
    """

    aperture: Aperture | None = None
    cicp: tuple[int, int] | None = None


def brands(head: bytes) -> frozenset[bytes]:
    """Return the brands that the first box of a file names; none when it is no such file."""
    if head[4:8] != b"ftyp":
        return frozenset()
    named = head[: int.from_bytes(head[:4])]
    return frozenset({named[8:12], *(named[at : at + 4] for at in range(16, len(named), 4))})


def properties(data: bytes, size: tuple[int, int]) -> Properties:
    """Return the properties of the main picture, whose size is given. Boxes that cannot be read
    are as none.
    """
    try:
        found = dict(_main_properties(data))
        aperture = _aperture(found[b"clap"], size) if b"clap" in found else None
        colours = found.get(b"colr", b"")
        cicp = struct.unpack_from(">HH", colours, 4) if colours[:4] == b"nclx" else None
    except (struct.error, ArithmeticError):
        return Properties()
    return Properties(aperture, (cicp[0], cicp[1]) if cicp else None)


def credentials(data: bytes) -> bytes:
    """Return the manifest of content credentials (C2PA); empty when there is none."""
    return next(
        (body for kind, body in _boxes(data) if kind == b"uuid" and body.startswith(_CREDENTIALS)), b""
    )


def _main_properties(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the properties that belong to the main picture. Of colours, ICC profiles are left
    to the decoder.
    """
    meta = dict(_boxes(dict(_boxes(data)).get(b"meta", b"")[4:]))
    main = meta.get(b"pitm", b"")
    number = struct.unpack_from(">H" if main[:1] == b"\0" else ">I", main, 4)[0]
    shared = dict(_boxes(meta.get(b"iprp", b"")))
    known = list(_boxes(shared.get(b"ipco", b"")))
    for index in _associated(shared.get(b"ipma", b""), number):
        kind, body = known[index - 1] if 0 < index <= len(known) else (b"", b"")
        if kind != b"colr" or body[:4] == b"nclx":
            yield kind, body


def _associated(ipma: bytes, number: int) -> Iterator[int]:
    version, flags, count = ipma[0] if ipma else 0, ipma[3] if len(ipma) > 3 else 0, 0
    count, at = struct.unpack_from(">I", ipma, 4)[0], 8
    for _ in range(min(count, _MOST_BOXES)):
        item, several = struct.unpack_from(">HB" if version < 1 else ">IB", ipma, at)
        at += 3 if version < 1 else 5
        for _ in range(several):
            index = struct.unpack_from(">H" if flags & 1 else ">B", ipma, at)[0]
            at += 2 if flags & 1 else 1
            if item == number:
                yield index & (0x7FFF if flags & 1 else 0x7F)


def _aperture(clap: bytes, size: tuple[int, int]) -> Aperture | None:
    numbers = struct.unpack_from(">IIIIiIiI", clap)
    wide, high, right, down = (Fraction(numbers[at], numbers[at + 1]) for at in (0, 2, 4, 6))
    left = right + Fraction(size[0]) / 2 - wide / 2
    top = down + Fraction(size[1]) / 2 - high / 2
    box = (round(left), round(top), round(left) + int(wide), round(top) + int(high))
    is_inside = 0 <= box[0] < box[2] <= size[0] and 0 <= box[1] < box[3] <= size[1]
    return box if is_inside and box != (0, 0, *size) else None


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1 and at + 16 <= len(data):
            length, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        end = len(data) if length == 0 else at + length
        if length and length < head:
            return
        # The pixels are skipped, because they may be large.
        yield kind, b"" if kind == b"mdat" else data[at + head : end]
        at = end
