"""Read the items of NDJSON or of a JSON array one by one, so that the length of the request
does not matter.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import ijson
import orjson
from anyio.lowlevel import checkpoint

from service.errors import BadRequest, ServiceError, TooLarge
from service.http.bodies import Repeated, RepeatedMember, need_each_once, parsed_aside, refuse_repeated
from service.http.unpacking import BrokenStream, without_mark

MOST_TOGETHER = 250
"""Items of one transaction: other writers wait for it, a few tenths of a second."""
BYTES_TOGETHER = 1 << 20
_PIECE = 1 << 14
"""Bytes of an array that are parsed at a time, in a millisecond or two."""
LARGE = 1 << 15
"""Bytes of a line that is parsed beside the event loop."""
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


async def _item(line: bytes) -> ReceivedItem:
    if len(line) > LARGE:
        try:
            return ReceivedItem(await parsed_aside(line), len(line))
        except BadRequest as refusal:
            return ReceivedItem(refusal, len(line))
    try:
        content = orjson.loads(line)
        need_each_once(line, content)
    except orjson.JSONDecodeError as fault:
        content = BadRequest(f"The line is not JSON: {fault.msg}.")
    except BadRequest as refusal:
        content = refusal
    return ReceivedItem(content, len(line))


def _too_large(largest: int) -> ReceivedItem:
    return ReceivedItem(TooLarge(f"An item has at most {largest} bytes."), 0)


async def members(chunks: AsyncIterator[bytes], largest: int) -> AsyncIterator[ReceivedItem]:
    """Yield the items of a JSON array. Raises BrokenStream where it is no JSON: there is no telling where the
    next item begins.
    """
    found, repeated = ijson.sendable_list(), Repeated()
    parser = ijson.items_coro(found, "item", use_float=True, map_type=partial(_Members, repeated))
    begun, since = False, 0
    async for chunk in without_mark(chunks):
        for piece in (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE)):
            if not begun and piece.strip():
                begun = True
                if not piece.lstrip().startswith(b"["):
                    raise BadRequest("The body is not a JSON array.")
            broken, held = _send(parser, piece), since + len(piece)
            since = 0 if found else held
            for content in found:
                yield (
                    ReceivedItem(_once_each(content, repeated), len(piece) // len(found))
                    if held <= largest + _PIECE
                    else _too_large(largest)
                )
                held = 0
            del found[:]
            await checkpoint()
            if broken:
                raise BrokenStream("From here on, the body is not JSON.")
            if since > MOST_HELD * largest:
                yield _too_large(largest)
                return
    if not begun:
        raise BadRequest("The body is not a JSON array.")
    try:
        parser.close()
    except ijson.JSONError:
        raise BrokenStream("The array does not end.") from None


class _Members(dict[str, Any]):
    """An object as it is parsed, which notes a member that it is given twice."""

    __slots__ = ("_repeated",)

    def __init__(self, repeated: Repeated) -> None:
        self._repeated = repeated

    def __setitem__(self, name: str, value: object) -> None:
        if name in self:
            self._repeated.append((self, name))
        super().__setitem__(name, value)


def _once_each(content: Any, repeated: Repeated) -> object:
    """Return an item of an array, or its refusal."""
    try:
        refuse_repeated(content, repeated)
    except RepeatedMember as refusal:
        return refusal
    return content


def _send(parser: Any, piece: bytes) -> bool:
    """Parse a piece. Return whether it showed that the body is not JSON."""
    try:
        parser.send(piece)
    except ijson.JSONError:
        return True
    return False


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
