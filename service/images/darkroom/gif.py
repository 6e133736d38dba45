"""Read the XMP packet that stands in a GIF before its first picture."""

from typing import BinaryIO, Final

_EXTENSION: Final = b"\x21"
_APPLICATION: Final = b"\xff"
_XMP: Final = b"XMP DataXMP"
_TRAILER: Final = b"\1\xff\xfe\xfd\xfc"
"""The end of a packet. A reader that takes the packet for blocks with lengths is led to its end by these
bytes.
"""
_LARGEST: Final = 1 << 23
_MOST_BLOCKS: Final = 10_000


def packet(file: BinaryIO) -> bytes:
    """Return the XMP packet; empty when there is none."""
    file.seek(0)
    head = file.read(13)
    at = 13 + (3 << (head[10] & 7) + 1 if len(head) == 13 and head[10] & 0x80 else 0)
    for _ in range(_MOST_BLOCKS):
        file.seek(at)
        block = file.read(3 + len(_XMP))
        if block[:1] != _EXTENSION:
            return b""
        if block[1:2] == _APPLICATION and block[3:] == _XMP:
            return file.read(_LARGEST).partition(_TRAILER)[0]
        at = _end_of_blocks(file, at + 2)
    return b""


def _end_of_blocks(file: BinaryIO, at: int) -> int:
    """Return where a sequence of blocks ends. Each block begins with its length; the last is empty."""
    for _ in range(_MOST_BLOCKS):
        file.seek(at)
        length = file.read(1)
        at += 1
        if length in (b"", b"\0"):
            break
        at += length[0]
    return at
