"""Unpack bodies that come packed with gzip, piece by piece: what they hold may be of any length."""

import codecs
import zlib
from collections.abc import AsyncIterator

from service.errors import BadRequest

GZIP = zlib.MAX_WBITS | 16
_PIECE = 1 << 16


class BrokenStream(BadRequest):
    """The body is not what it is said to be, or ends too early. Of items that are taken one by one, those
    before were taken.
    """

    title = "The body broke off"


async def unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack gzip. Raises BrokenStream."""
    packed = zlib.decompressobj(GZIP)
    try:
        async for chunk in chunks:
            rest = chunk
            while rest:
                yield packed.decompress(rest, _PIECE)
                rest = packed.unconsumed_tail
                if packed.eof and packed.unused_data:
                    # A file may hold several members one after the other (RFC 1952, 2.2).
                    rest, packed = packed.unused_data, zlib.decompressobj(GZIP)
        yield packed.flush()
    except zlib.error:
        raise BrokenStream("The body is not gzip.") from None
    if not packed.eof:
        raise BrokenStream("The gzip ends too early.")


async def without_mark(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Leave out the byte order mark that some programs begin UTF-8 with."""
    begun, held = False, b""
    async for chunk in chunks:
        if begun:
            yield chunk
            continue
        held += chunk
        if len(held) >= len(codecs.BOM_UTF8):
            begun = True
            yield held.removeprefix(codecs.BOM_UTF8)
    if not begun:
        yield held
