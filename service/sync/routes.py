"""The endpoint of the change feed: one page, a page that waits, or a stream."""

import time
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from service import conditional, pages
from service.ages import keep_until
from service.auth import CallerDep
from service.copies.following import Copies
from service.database import Database
from service.errors import FieldProblem, Unprocessable
from service.published import answers, feed
from service.published.feed import Batch, Followed, Place, Wanted
from service.published.models import Kind
from service.published.reader import Reader
from service.published.waiting import View, Waiting
from service.routing import Route
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.sync import stream
from service.sync.cursors import address, read_cursor, write_cursor
from service.sync.followers import count_follower, is_streamed
from service.sync.following import Follower
from service.sync.models import EXAMPLE, ChangesRead
from service.tables import LanguageRange

router = APIRouter(prefix="/v1/changes", tags=["sync"], route_class=Route)
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
        description="only articles and captions in these languages; `zh` takes `zh-Hans` too; as with `section`",
    ),
]
Since = Annotated[
    str | None,
    Query(max_length=100, description="where to go on: taken from `next`; absent: from the beginning"),
]
Wait = Annotated[float, Query(ge=0, le=30, description="seconds to wait for a change when there is none")]
AsView = Annotated[
    View, Query(description="staff: every change of working content, drafts included; needs content:read")
]
LastEventId = Annotated[
    str | None, Header(description="where a stream that broke off goes on; sent by EventSource itself")
]


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
    request: Request,
    caller: CallerDep,
    since: Since = None,
    kind: Kinds = None,
    section: Sections = None,
    language: Languages = None,
    view: AsView = View.PUBLIC,
    limit: Annotated[int, Query(ge=1, le=200, description="how many changes a page holds at the most")] = 100,
    wait: Wait = 0,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow the store: every public resource in the order of its last change, and what has gone, with the
    reason.

    The first synchronisation and every later one are the same loop: apply `items` in their order, go on at
    `next`. When `caught_up`, ask again with `wait`, or ask with `Accept: text/event-stream` for a stream of
    the same entries.
    """
    if view is View.STAFF:
        caller.need(Scope.CONTENT_READ)
    wanted = Wanted(_kinds(kind), tuple(section or ()), tuple(language or ()))
    follower = Follower(
        service(request, Database),
        service(request, Reader),
        service(request, Waiting),
        service(request, Copies),
        wanted,
        view,
        limit,
        caller.id,
        _secret(request),
    )
    head = await follower.head()
    streamed = is_streamed(request)
    cursor = (last_event_id if streamed else None) or since
    place = feed.beginning(head) if cursor is None else await read_cursor(request, cursor, head, view)
    follower.come(place)
    if streamed:
        return stream.answer(follower, head.store, place)
    batch = await (_waited(follower, place, wait) if wait else follower.take(place))
    base = service(request, Settings).address_base
    following = base + address(request, write_cursor(head.store, batch.place))
    return _answer(request, batch, following, waited=wait > 0)


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


async def _waited(follower: Follower, place: Place, seconds: float) -> Batch:
    """The first batch that has something in it, or the last one when the time is over."""
    ends = time.monotonic() + seconds
    batch = await follower.take(place)
    while batch.caught_up and not batch.entries:
        left = ends - time.monotonic()
        if left <= 0 or not await follower.waiting.beyond(follower.view, batch.place.seq, left):
            break
        batch = await follower.take(batch.place)
    return batch


def _answer(request: Request, batch: Batch, following: str, *, waited: bool) -> Response:
    body = b'{"items":[%b],"next":%b,"caught_up":%b}' % (
        b",".join(entry.body for entry in batch.entries),
        orjson.dumps(following),
        b"true" if batch.caught_up else b"false",
    )
    link = {"Link": f'<{following}>; rel="next"'}
    if waited:
        return Response(body, headers={**link, "Cache-Control": "no-store"}, media_type="application/json")
    if "authorization" in request.headers:
        return conditional.answer_bytes(request, body, headers=link)
    answers.depend(request, *(answers.any_of(kind) for kind in feed.KINDS))
    keep_until(request.scope, batch.until)
    public = answers.public_headers(service(request, Settings))
    return conditional.answer_bytes(
        request, body, headers={**link, **public, "Vary": f"{public['Vary']}, Accept"}
    )
