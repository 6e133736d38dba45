"""A cursor says how far a follower has come in the feed of one store; in any other it is refused, and when it
is too old.

It holds which store it belongs to, the number of the last change that was told, the number up to which
removals need not be told (`feed.FollowerPlace`), and the epoch in which it was given
(`published/epochs.py`). It is no secret and not signed: a made-up one can only name a place in a feed that
the caller may read anyway.
"""

import base64
import binascii
import hashlib
import struct
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request

from service.contracts import Contract
from service.errors import Gone
from service.http.pages import BadCursor
from service.published import epochs
from service.published.feed import FollowerPlace, Head
from service.published.reader import DatabaseReader
from service.published.waiting import View
from service.services import service
from service.tables import latest, write_time

_FORM = struct.Struct(">8sQQ8s")
_WITHOUT_EPOCH = struct.Struct(">8sQQ")
"""The form of cursors that were given before the store had epochs."""
_HOW = frozenset({"since", "wait"})


class StartAgain(Gone):
    """This cursor leads nowhere any more: it is of another store or another state of it, or removals after it
    are no longer kept. Drop what you have and follow from the beginning, at `start`.
    """

    title = "Start again"


class ContractEnded(StartAgain):
    """The contract of the token has ended: it gives nothing any more. Remove every copy that it gave.
    From the beginning, at `start`, the feed is empty.
    """

    title = "The contract has ended"


def write_cursor(store: UUID, place: FollowerPlace) -> str:
    """Write a place down."""
    packed = _FORM.pack(_mark(store), place.seq, place.base, place.epoch)
    return base64.urlsafe_b64encode(packed).decode()


def place_in(cursor: str) -> FollowerPlace:
    """Return the place that a cursor of any store names. Raises ValueError."""
    _, *place = _FORM.unpack(base64.b64decode(cursor, b"-_", validate=True))
    return FollowerPlace(*place)


async def read_cursor(
    request: Request, cursor: str, head: Head, view: View, contract: Contract | None
) -> FollowerPlace:
    """Read a place in this store's feed. Raises BadCursor, StartAgain and ContractEnded."""
    try:
        packed = base64.b64decode(cursor, b"-_", validate=True)
        form = _WITHOUT_EPOCH if len(packed) == _WITHOUT_EPOCH.size else _FORM
        store, seq, base, *epoch = form.unpack(packed)
    except (binascii.Error, struct.error, ValueError):
        raise BadCursor("This cursor was not made by a feed of changes.") from None
    if store != _mark(head.store):
        if contract is not None and contract.has_ended(latest()):
            raise contract_ended(contract, address(request, None))
        told = "" if contract is None else ", or another contract"
        raise _start_again(f"This cursor belongs to another store{told}.", address(request, None))
    if max(seq, base) > await _end(service(request, DatabaseReader), head, epoch[0] if epoch else None):
        raise _start_again(
            "This cursor is of a state that this store has lost: it was restored from an earlier one.",
            address(request, None),
        )
    place = FollowerPlace(seq, base, head.epoch)
    refuse_forgotten(place, head, view, address(request, None))
    return place


def refuse_forgotten(place: FollowerPlace, head: Head, view: View, start: str) -> None:
    """Raise StartAgain if a removal may have been forgotten that is behind a place."""
    if view is not View.STAFF and place.base < head.pruned:
        raise _start_again("This cursor is older than the removals that are kept.", start)


async def _end(reader: DatabaseReader, head: Head, epoch: bytes | None) -> int:
    """Return the last number that a cursor of an epoch may name; below every number for an unknown epoch."""
    if epoch == head.epoch:
        return head.seq
    if epoch is None:
        return await epochs.first(reader)
    end = await epochs.end_of(reader, epoch)
    return -1 if end is None else end


def _mark(store: UUID) -> bytes:
    return hashlib.blake2b(store.bytes, digest_size=8).digest()


def address(request: Request, cursor: str | None) -> str:
    """Return the address of this feed, with the same filters, from a place on, or from the beginning."""
    left_out = _HOW if cursor is None else frozenset({"since"})
    asked = [pair for pair in request.query_params.multi_items() if pair[0] not in left_out]
    query = urlencode([*asked, ("since", cursor)] if cursor is not None else asked)
    return f"{request.scope['path']}?{query}" if query else request.scope["path"]


def contract_ended(contract: Contract, start: str) -> ContractEnded:
    """Return the refusal of a place in what a contract gave until its end."""
    ended = "null" if contract.until is None else write_time(contract.until)
    return ContractEnded(
        f"The contract has ended at {ended}: remove every copy.",
        headers={"Link": f'<{start}>; rel="start"'},
        start=start,
    )


def _start_again(detail: str, start: str) -> StartAgain:
    return StartAgain(detail, headers={"Link": f'<{start}>; rel="start"'}, start=start)
