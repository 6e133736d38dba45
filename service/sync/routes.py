"""The endpoint of the change feed: one page, a page that waits, or a stream."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from service.ages import keep_until
from service.copies.gathering import Copies
from service.database import Database
from service.errors import FieldProblem, Forbidden, Unprocessable
from service.http import conditional, pages, sparse
from service.http.callers import Caller, CallerDep
from service.http.routing import Route
from service.published import answers, feed, mirrored
from service.published.feed import Batch, Followed, FollowerPlace, Head, Wanted
from service.published.models import Kind
from service.published.reader import DatabaseReader
from service.published.waiting import View, Waiting
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.sync import stream
from service.sync.batches import Follower
from service.sync.cursors import ContractEnded, address, read_cursor, write_cursor
from service.sync.followers import count_follower, is_streamed
from service.sync.models import EXAMPLE, REMOVED, Change, ChangesRead, MirrorChangesRead
from service.tables import DECIMAL, WHOLE, LanguageRange, latest

router = APIRouter(prefix="/v1/changes", tags=["sync"], route_class=Route)
_EVENT = f"retry: 2000\n\nid: qZ2b…\ndata: {orjson.dumps(REMOVED).decode()}\n\n"
MOST = 200
"""Changes on one page."""
_KINDS = ", ".join(Followed)
Kinds = Annotated[
    str | None, Query(description=f"only these, with commas between: {_KINDS}", examples=["article,image"])
]
Sections = Annotated[
    list[str] | None,
    Query(
        max_length=pages.MOST_VALUES,
        description="only articles of these sections; one that leaves them is a removal, `left_scope`",
    ),
]
Languages = Annotated[
    list[LanguageRange] | None,
    Query(
        max_length=pages.MOST_VALUES,
        description=(
            "only articles and captions in these languages; `zh` takes `zh-Hans` too; as with `section`"
        ),
    ),
]
Since = Annotated[
    str | None,
    Query(max_length=100, description="where to go on: taken from `next`; absent: from the beginning"),
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="how many changes a page holds at the most"), WHOLE]
Wait = Annotated[
    float, Query(ge=0, le=30, description="seconds to wait for a change when there is none"), DECIMAL
]
AsView = Annotated[
    Literal["public", "staff"],
    Query(description="staff: every change of working content, drafts included; needs content:read"),
]
LastEventId = Annotated[
    str | None, Header(description="where a stream that broke off goes on; sent by EventSource itself")
]


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """The parameters that pages and streams of the feed share."""

    since: Since = None
    kind: Kinds = None
    section: Sections = None
    language: Languages = None
    view: AsView = "public"
    fields: pages.Fields = None
    last_event_id: LastEventId = None


FeedRequestDep = Annotated[FeedRequest, Depends()]


@router.get(
    "",
    dependencies=[Depends(count_follower)],
    response_model=ChangesRead,
    responses={
        200: {
            "content": {
                "application/json": {"example": EXAMPLE},
            }
        }
    },
)
async def list_changes(
    request: Request, caller: CallerDep, asked: FeedRequestDep, limit: Limit = 100, wait: Wait = 0
) -> Response:
    """Follow the store: every public resource in the order of its last change, and what has gone, with the
    reason.

    The first synchronisation and every later one are the same loop: apply `items` in their order, go on at
    `next`. When `caught_up`, ask again with `wait`, or go on at `/v1/changes/stream`, which `Accept:
    text/event-stream` gives here too.
    """
    streamed = is_streamed(request)
    cursor = (asked.last_event_id if streamed else None) or asked.since
    follower, head, place = await _begin(request, caller, asked, cursor, limit)
    if streamed:
        return stream.answer(follower, head.store, place)
    with _telling_end(follower):
        batch = await (_waited(follower, place, wait) if wait else follower.take(place))
    return _answer(request, batch, write_cursor(head.store, batch.place), waited=wait > 0)


@router.get("/mirror", dependencies=[Depends(count_follower)], response_model=MirrorChangesRead)
async def list_changes_for_mirrors(
    request: Request, caller: CallerDep, since: Since = None, limit: Limit = 100, wait: Wait = 0
) -> Response:
    """Follow the store as `copydesk follow` does: the entries of `/v1/changes`, and those of notices, each
    with all that a mirror keeps of it.
    """
    if caller.contract is not None:
        raise Forbidden("A mirror takes everything, and this token has a contract.")
    follower, head, place = await _follower(request, caller, since, mirrored.EVERYTHING, View.MIRROR, limit)
    batch = await (_waited(follower, place, wait) if wait else follower.take(place))
    told = await mirrored.state(follower.reader)
    return _answer(request, batch, write_cursor(head.store, batch.place), told, waited=wait > 0)


@router.get(
    "/stream",
    dependencies=[Depends(count_follower)],
    response_class=Response,
    responses={200: {"content": {stream.MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EVENT}}}},
)
async def stream_changes(request: Request, caller: CallerDep, asked: FeedRequestDep) -> Response:
    """Follow the store by server-sent events, without an end. The data of each event is an item of
    `/v1/changes`, and its id is where `since` goes on.
    """
    follower, head, place = await _begin(request, caller, asked, asked.last_event_id or asked.since, MOST)
    return stream.answer(follower, head.store, place)


async def _begin(
    request: Request, caller: Caller, asked: FeedRequest, cursor: str | None, limit: int
) -> tuple[Follower, Head, FollowerPlace]:
    """Return a follower, the head of the feed, and the place where the follower begins."""
    view = View(asked.view)
    if view is View.STAFF:
        caller.need(Scope.CONTENT_READ)
    wanted = Wanted(_kinds(asked.kind), tuple(asked.section or ()), tuple(asked.language or ()))
    follower, head, place = await _follower(request, caller, cursor, wanted, view, limit)
    if asked.fields is not None:
        follower = replace(follower, fields=sparse.read(asked.fields, Change))
    return follower, head, place


async def _follower(
    request: Request, caller: Caller, cursor: str | None, wanted: Wanted, view: View, limit: int
) -> tuple[Follower, Head, FollowerPlace]:
    follower = Follower(
        service(request, Database),
        service(request, DatabaseReader),
        service(request, Waiting),
        service(request, Copies),
        wanted,
        view,
        limit,
        caller.id,
        _secret(request),
        caller.contract,
        caller.contract is not None and caller.contract.has_ended(latest()),
    )
    head = await follower.head()
    if cursor is None:
        place = feed.beginning(head)
    else:
        with _telling_end(follower):
            place = await read_cursor(request, cursor, head, view, caller.contract)
    if cursor is not None or not follower.has_ended:
        follower.come(place)
    return follower, head, place


@contextmanager
def _telling_end(follower: Follower) -> Iterator[None]:
    try:
        yield
    except ContractEnded:
        follower.told_end()
        raise


def _kinds(kind: str | None) -> tuple[Kind, ...]:
    if kind is None:
        return feed.KINDS
    names = {name.strip() for name in kind.split(",")}
    unknown = sorted(names - set(Followed))
    if unknown:
        message = f"{unknown[0]!r} is not one of {_KINDS}"
        raise Unprocessable(
            f"kind: {message}.", errors=[FieldProblem(place="query", pointer="/kind", message=message)]
        )
    return tuple(known for known in feed.KINDS if known in names)


def _secret(request: Request) -> str | None:
    return request.headers.get("authorization", "").partition(" ")[2] or None


async def _waited(follower: Follower, place: FollowerPlace, seconds: float) -> Batch:
    """Return the first batch that has something in it, or the last one when the time is over."""
    ends = time.monotonic() + seconds
    batch = await follower.take(place)
    while batch.caught_up and not batch.entries:
        left = ends - time.monotonic()
        if left <= 0 or not await follower.waiting.beyond(follower.view, batch.place.seq, left):
            break
        batch = await follower.take(batch.place)
    return batch


def _answer(request: Request, batch: Batch, cursor: str, told: bytes = b"", *, waited: bool) -> Response:
    """Answer with a page; `told` are members behind the others."""
    following = service(request, Settings).address_base + address(request, cursor)
    body = b'{"items":[%b],"next":%b,"cursor":%b,"caught_up":%b%b}' % (
        b",".join(entry.body for entry in batch.entries),
        orjson.dumps(following),
        orjson.dumps(cursor),
        b"true" if batch.caught_up else b"false",
        told,
    )
    link = {"Link": f'<{following}>; rel="next"'}
    if waited:
        return Response(body, headers={**link, "Cache-Control": "no-store"}, media_type="application/json")
    if "authorization" in request.headers:
        return conditional.answer_bytes(request, body, headers=link)
    kinds = mirrored.EVERYTHING.kinds if told else feed.KINDS
    answers.depend(request, *(answers.any_of(kind) for kind in kinds))
    keep_until(request.scope, batch.until)
    public = answers.public_headers(service(request, Settings))
    return conditional.answer_bytes(
        request, body, headers={**link, **public, "Vary": f"{public['Vary']}, Accept"}
    )
