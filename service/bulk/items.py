"""Read the items of NDJSON or of a JSON array one by one, so that the length of the request
does not matter.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

import orjson
from anyio.lowlevel import checkpoint

from service.bulk.cutting import Cutter
from service.errors import BadRequest, ServiceError, TooLarge
from service.http.bodies import need_each_once, parsed, parsed_aside
from service.http.unpacking import BrokenStream, without_mark

MOST_TOGETHER = 250
"""Items of one transaction: other writers wait for it, a few tenths of a second."""
BYTES_TOGETHER = 1 << 20
_PIECE = 1 << 14
"""Bytes of an array that are cut at a time."""
LARGE = 1 << 15
"""Bytes of an item that is parsed beside the event loop."""
MOST_HELD = 8
"""Text that is read of one item in an array to find where the next begins: so many times the largest item.
"""


@dataclass(frozen=True, slots=True)
class ReceivedItem:
    """One item as it came; or why nothing could be made of it."""

    content: object | ServiceError
    size: int


async def lines(chunks: AsyncIterator[bytes], largest: int) -> AsyncIterator[ReceivedItem]:
    """Yield the items of NDJSON: a line that cannot be read is an item too."""
    held = bytearray()
    skipping = False
    async for chunk in without_mark(chunks):
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            held += part
            if skipping or len(held) > largest:
                yield _too_large(largest)
            elif held.strip():
                yield await _item(bytes(held))
            held.clear()
            skipping = False
        held += rest
        if len(held) > largest:
            skipping = True
            held.clear()
    if skipping:
        yield _too_large(largest)
    elif held.strip():
        yield await _item(bytes(held))


async def _item(text: bytes) -> ReceivedItem:
    try:
        content = await parsed_aside(text) if len(text) > LARGE else _parsed_quickly(text)
    except BadRequest as refusal:
        refusal.detail = refusal.detail.replace("The body", "The item", 1)
        return ReceivedItem(refusal, len(text))
    return ReceivedItem(content, len(text))


def _parsed_quickly(text: bytes) -> object:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        return parsed(
            text
        )  # It says what is wrong, and takes halves of surrogate pairs, which shapes refuse.
    need_each_once(text, content)
    return content


def _too_large(largest: int) -> ReceivedItem:
    return ReceivedItem(TooLarge(f"An item has at most {largest} bytes."), 0)


async def members(chunks: AsyncIterator[bytes], largest: int) -> AsyncIterator[ReceivedItem]:
    """Yield the items of a JSON array. Raises BrokenStream where it is no JSON: there is no telling where the
    next item begins.
    """
    cutter = Cutter(largest)
    async for chunk in without_mark(chunks):
        for piece in (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE)):
            for text in cutter.cut(piece):
                yield _too_large(largest) if text is None else await _member(text)
            await checkpoint()
            if cutter.held > MOST_HELD * largest:
                yield _too_large(largest)
                return
    for text in cutter.end():
        yield await _member(text)


async def _member(text: bytes) -> ReceivedItem:
    item = await _item(text)
    # A subclass says what is wrong with a text that is JSON.
    if type(item.content) is BadRequest:
        raise BrokenStream("From here on, the body is not JSON.")
    return item


Batch = list[tuple[int, object | ServiceError]]
"""Items with their numbers in the whole."""


async def batches(items: AsyncIterator[ReceivedItem], *, first: int = 0) -> AsyncGenerator[Batch, None]:
    """Yield items in batches that are written together, from number `first` on. A body that breaks off ends
    with its fault as the last item.
    """
    batch: Batch = []
    index = held = 0
    try:
        async for item in items:
            if index >= first:
                batch.append((index, item.content))
                held += item.size
            index += 1
            if len(batch) == MOST_TOGETHER or held >= BYTES_TOGETHER:
                yield batch
                batch, held = [], 0
    except BrokenStream as fault:
        if index >= first:
            batch.append((index, fault))
    if batch:
        yield batch
