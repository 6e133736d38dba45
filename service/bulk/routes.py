"""`POST /v1/articles/bulk`: any number of articles, read as they arrive; the results are sent when the last
has come.

Most clients read nothing before they have sent everything: a store that answered meanwhile would wait for
them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from service.bulk.items import Batch, ReceivedItem, batches, lines, members
from service.bulk.modes import Mode
from service.bulk.repeated import Repeated
from service.bulk.results import Results, TooManyItems
from service.bulk.writing import Written, write_all, write_line
from service.database import Database
from service.errors import PROBLEM, Problem, ServiceError, UnsupportedMediaType
from service.faults import refusal
from service.http.callers import Caller, StaffWriter
from service.http.conditional import PRIVATE
from service.http.negotiation import media_type
from service.http.routing import Route
from service.http.unpacking import BrokenStream
from service.services import service
from service.settings import Settings

NDJSON = "application/x-ndjson"
UNBOUNDED = 1 << 50
LINGERS = 10.0
"""Seconds for which the rest of a body is read and dropped, so that its sender gets to read the answer."""


class BulkRoute(Route):
    """Sending the same items again changes nothing: no long answer needs to be kept for a key."""

    keeps_long_answers = False


router = APIRouter(prefix="/v1/articles/bulk", tags=["sync"], route_class=BulkRoute)


class BulkResult(BaseModel):
    """The result of one item, in the order in which the items came."""

    index: int = Field(examples=[0])
    status: int = Field(
        description="the HTTP status that it would have had alone: 201 made, 200 up to date, or an error's"
    )
    id: UUID | None
    source: str | None
    external_id: str | None
    version: int | None
    problem: Problem | None = Field(default=None, description="why it was refused; absent when it was not")


class BulkResults(BaseModel):
    """The results of an array; of NDJSON each is a line."""

    items: list[BulkResult]


_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/ArticleCreate"}},
            "example": [
                {
                    "source": "wire.example",
                    "external_id": "4711",
                    "headline": "Harbour bridge reopens",
                    "status": "published",
                }
            ],
        },
    },
}


@router.post(
    "",
    response_model=BulkResults,
    max_body_size=UNBOUNDED,
    openapi_extra={"requestBody": _BODY},
)
async def import_articles(
    request: Request,
    caller: StaffWriter,
    mode: Annotated[
        Mode,
        Query(
            description=(
                "create: refuse what is there; update: refuse what is not; restore: also bring back what the"
                " desk has put into the trash or unpublished, which the others leave alone"
            )
        ),
    ] = Mode.UPSERT,
    dry_run: Annotated[bool, Query(description="say what would happen, and write nothing")] = False,
) -> Response:
    """Make articles or bring them up to date, known by `source` and `external_id`: an array, also packed with
    gzip.

    As `application/x-ndjson`, one item a line is taken, and one result a line answered.

    Batches of items are written as they arrive, and each keeps what it has written. A picture may stand
    inline: `image` in an image block, or `lead_image`, with its `source_url`, credit and captions.

    When the store itself fails, with 503 or 507, the problem has `first_unwritten`, the index from which on
    the items are to be sent again, and the results of those before in `items`.
    """
    as_lines = _media_type(request) == NDJSON
    results = Results()
    chunks = request.stream()
    async with aclosing(batches(_items(request, chunks, as_lines=as_lines))) as arriving:
        async for batch in arriving:
            _refuse_whole(batch)
            written, written_lines = await _write(request, caller, batch, mode, dry_run=dry_run)
            for line in written_lines:
                results.add(line)
            first_unwritten = batch[0][0] + len(written.results)
            ended_by = written.ended_by or (_too_many() if results.is_full else None)
            if ended_by is not None:
                await _drop_rest(chunks)
                return _broken_off(request, ended_by, first_unwritten, results)
    if as_lines:
        return StreamingResponse(results.lines(), headers=PRIVATE, media_type=NDJSON)
    array = results.members(b'{"items":[', b"]}")
    return StreamingResponse(array, headers=PRIVATE, media_type="application/json")


def _too_many() -> TooManyItems:
    return TooManyItems("One request has brought too many items; send the rest in another one.")


async def _drop_rest(chunks: AsyncIterator[bytes]) -> None:
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(LINGERS):
            async for _ in chunks:
                pass


def _broken_off(request: Request, fault: ServiceError, first_unwritten: int, results: Results) -> Response:
    """Answer with the fault of the store's that ended the writing, how far it came, and the results until
    then.
    """
    told = type(fault)(fault.detail, headers=fault.headers, first_unwritten=first_unwritten)
    problem = told.problem(request.scope["path"])
    body = results.members(problem[:-1] + b',"items":[', b"]}")
    return StreamingResponse(body, fault.status, {**PRIVATE, **fault.headers}, PROBLEM)


def _media_type(request: Request) -> str:
    given = media_type(request)
    if given in ("application/ndjson", "application/jsonl", "application/x-jsonlines"):
        return NDJSON
    if given not in (NDJSON, "application/json"):
        raise UnsupportedMediaType(
            f"Send {NDJSON} or a JSON array.", headers={"Accept": f"{NDJSON}, application/json"}
        )
    return given


def _items(request: Request, chunks: AsyncIterator[bytes], *, as_lines: bool) -> AsyncIterator[ReceivedItem]:
    largest = service(request, Settings).body_max_bytes
    return lines(chunks, largest) if as_lines else members(chunks, largest)


def _refuse_whole(batch: Batch) -> None:
    """Raise BrokenStream for a body that breaks off within its first item, because nothing of
    it was written.
    """
    index, first = batch[0]
    if index == 0 and isinstance(first, BrokenStream):
        raise first


async def _write(
    request: Request, caller: Caller, batch: Batch, mode: Mode, *, dry_run: bool
) -> tuple[Written, list[bytes]]:
    """Write a batch, and its results as lines."""
    database = service(request, Database)
    try:
        async with database.turn():
            written = await run_in_threadpool(
                write_all,
                database,
                caller,
                batch,
                mode,
                dry_run=dry_run,
                repeated=service(request, Repeated),
            )
    except PoolTimeout as fault:
        return Written([], refusal(fault)), []
    return written, await run_in_threadpool(_lines, written, request.scope["path"])


def _lines(written: Written, path: str) -> list[bytes]:
    return [write_line(result, path) for result in written.results]
