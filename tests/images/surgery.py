"""Cuts into files of pictures: chunks of a PNG, boxes of an AVIF, segments and EXIF of a JPEG."""

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image


def saved(picture: Image.Image, kind: str = "PNG", **saving: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **saving)
    return out.getvalue()


def chunk(kind: bytes, content: bytes, *, is_whole: bool = True) -> bytes:
    """A chunk of a PNG, with its checksum or another."""
    checksum = zlib.crc32(kind + content) ^ (not is_whole)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunks(picture: bytes, *chunks: bytes) -> bytes:
    """The PNG with more chunks behind its header."""
    return picture[:33] + b"".join(chunks) + picture[33:]


def png(pixels: Sequence[Sequence[int]], bits: int, colour_type: int, *chunks: bytes) -> bytes:
    """A PNG of rows of samples that are this many bits deep."""
    samples = {0: 1, 2: 3}[colour_type]
    rows = b"".join(b"\0" + _packed(row, bits) for row in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]) // samples, len(pixels), bits, colour_type, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _packed(row: Sequence[int], bits: int) -> bytes:
    whole = "".join(f"{sample:0{bits}b}" for sample in row)
    whole += "0" * (-len(whole) % 8)
    return int(whole, 2).to_bytes(len(whole) // 8)


def exif(*tags: tuple[int, int, bytes], lost: Sequence[int] = ()) -> bytes:
    """EXIF with tags of a number, a type of one byte each or of one short, and a value; those that are lost
    point behind its end.
    """
    body, entries = b"", b""
    start = 8 + 2 + 12 * (len(tags) + len(lost)) + 4
    for tag in lost:
        entries += struct.pack("<HHII", tag, 2, 500, 0xFFFF00)
    for tag, kind, value in tags:
        count = len(value) // 2 if kind == 3 else len(value)
        inline = value.ljust(4, b"\0")[:4] if len(value) <= 4 else struct.pack("<I", start + len(body))
        entries += struct.pack("<HHI", tag, kind, count) + inline
        body += value if len(value) > 4 else b""
    return (
        b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags) + len(lost)) + entries + b"\0\0\0\0" + body
    )


def with_cicp(avif: bytes, primaries: int, transfer: int) -> bytes:
    """The AVIF with other numbers for its colours."""
    at = avif.index(b"nclx") + 4
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]


def with_aperture(avif: bytes, size: tuple[int, int], right: int = 0, down: int = 0) -> bytes:
    """The AVIF with a clean aperture of this size, whose centre lies to the right of and below the middle."""
    clap = struct.pack(">I4sIIIIiIiI", 40, b"clap", size[0], 1, size[1], 1, right, 1, down, 1)
    data = bytearray(avif)
    ipco = data.index(b"ipco") - 4
    end = ipco + int.from_bytes(data[ipco : ipco + 4])
    number = _count(bytes(data[ipco + 8 : end])) + 1
    ipma = data.index(b"ipma") - 4
    # One item; its associations are one byte each. Version, flags and count take eight, the item's number
    # two.
    associations = ipma + 8 + 8 + 2
    data[associations] += 1
    data[associations + 1 : associations + 1] = bytes([0x80 | number])
    data[end:end] = clap
    for name, more in ((b"ipco", 40), (b"ipma", 1), (b"iprp", 41), (b"meta", 41)):
        at = data.index(name) - 4
        data[at : at + 4] = struct.pack(">I", int.from_bytes(data[at : at + 4]) + more)
    mdat = avif.index(b"mdat") + 4
    place = avif.index(struct.pack(">I", mdat), avif.index(b"iloc"))
    data[place : place + 4] = struct.pack(">I", mdat + 41)
    return bytes(data)


def _count(boxes: bytes) -> int:
    at, count = 0, 0
    while at < len(boxes):
        at, count = at + int.from_bytes(boxes[at : at + 4]), count + 1
    return count
