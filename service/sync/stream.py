"""Server-sent events (WHATWG HTML, 9.2): the entries of the feed as they are committed, each with the cursor
behind it as its id.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from starlette.responses import StreamingResponse

from service.errors import ServiceError
from service.published.feed import Batch, FollowerPlace
from service.sync.batches import Follower
from service.sync.cursors import write_cursor

SIGN_OF_LIFE_EVERY = 25.0
"""Seconds: shorter than what proxies take for dead, and long enough that a thousand idle streams cost next to
nothing.
"""
MEDIA_TYPE = "text/event-stream"
ADDRESS = "/v1/changes/stream"
"""The address of the stream alone; `/v1/changes` gives it to clients that accept it."""
BATCH_BYTES = 16_384
"""Bytes that a stream reads ahead of its client, while entries are of one size: all that a client costs which
takes nothing.
"""


def answer(follower: Follower, store: UUID, place: FollowerPlace) -> StreamingResponse:
    """Stream from a place on, until the client goes or the service ends."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(follower, store, place), headers=headers, media_type=MEDIA_TYPE)


async def _events(follower: Follower, store: UUID, place: FollowerPlace) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    most = 1
    while True:
        try:
            batch = await follower.take(place, most)
        except ServiceError:
            return  # The token was revoked, or the database is away: asked again, the answer says so.
        place, caught_up, events = batch.place, batch.caught_up, _written(batch, store, place)
        most = _fitting(len(batch.entries), len(events))
        del batch  # The client may take its time, and the same bytes are in the events.
        yield events
        del events
        while caught_up and not await follower.waiting.beyond(follower.view, place.seq, SIGN_OF_LIFE_EVERY):
            if follower.waiting.closed:
                return
            yield b": still here\n\n"
            if follower.is_at_end:
                return


def _fitting(entries: int, size: int) -> int:
    """Return how many entries the next batch may have, if they are as large as these; at most
    twice as many.
    """
    return max(1, min(2 * entries, entries * BATCH_BYTES // size))


def _written(batch: Batch, store: UUID, before: FollowerPlace) -> bytes:
    lines = [
        b"id: %b\ndata: %b\n\n"
        % (write_cursor(store, replace(batch.place, seq=entry.seq, base=before.base)).encode(), entry.body)
        for entry in batch.entries
    ]
    # An event without data is not dispatched, but its id is kept: whoever comes back goes on from here.
    note = b": caught up\n" if batch.caught_up else b""
    lines.append(b"%bid: %b\n\n" % (note, write_cursor(store, batch.place).encode()))
    return b"".join(lines)
