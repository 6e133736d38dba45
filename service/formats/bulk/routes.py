"""`POST /v1/articles/bulk`: any number of articles, read as they arrive; the results are kept on disk until
the last has come.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, aclosing
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic import Field as Member
from starlette.concurrency import run_in_threadpool

from service.auth import Caller, Writer
from service.conditional import PRIVATE
from service.database import Database
from service.errors import Problem, UnsupportedMediaType
from service.formats.bulk.items import Batch, BrokenStream, Item, batches, lines, members, unpacked
from service.formats.bulk.writing import Mode, Result, write_all, write_line
from service.routing import Route

NDJSON = "application/x-ndjson"
UNBOUNDED = 1 << 50
_IN_MEMORY = 1 << 20
_SENT = 1 << 18


class BulkRoute(Route):
    """Sending the same items again changes nothing: no answer needs to be kept for a key."""

    keeps_answers = False


router = APIRouter(prefix="/v1/articles/bulk", tags=["sync"], route_class=BulkRoute)


class BulkResult(BaseModel):
    """What became of one item, in the order in which the items came."""

    index: int = Member(examples=[0])
    status: int = Member(
        description="the HTTP status that it would have had alone: 201 made, 200 up to date, or an error's"
    )
    id: UUID | None
    source: str | None
    external_id: str | None
    version: int | None
    problem: Problem | None = Member(default=None, description="why it was refused; absent when it was not")


class BulkResults(BaseModel):
    """The results of an array; of NDJSON each is a line."""

    items: list[BulkResult]


_LINES = {
    NDJSON: {
        "schema": {"type": "string", "description": "one result on each line"},
        "example": '{"index":0,"status":201}',
    }
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "array", "items": {"type": "object"}},
            "example": [
                {
                    "source": "wire.example",
                    "external_id": "4711",
                    "headline": "Harbour bridge reopens",
                    "status": "published",
                }
            ],
        },
        NDJSON: {
            "schema": {"type": "string", "description": "one item on each line"},
            "example": '{"source":"wire.example","external_id":"4711"}',
        },
    },
}


@router.post(
    "",
    response_model=BulkResults,
    max_body_size=UNBOUNDED,
    openapi_extra={"requestBody": _BODY},
    responses={200: {"content": _LINES}},
)
async def import_articles(
    request: Request,
    caller: Writer,
    mode: Annotated[
        Mode, Query(description="create: refuse what is there; update: refuse what is not")
    ] = Mode.UPSERT,
    dry_run: Annotated[bool, Query(description="say what would happen, and write nothing")] = False,
) -> Response:
    """Make articles or bring them up to date, known by `source` and `external_id`; NDJSON or an array, also
    packed with gzip.

    Batches of items are written as they arrive, and each keeps what it has written. A picture may stand
    inline: `image` in an image block, or `lead_image`, with its `source_url`, credit and captions.
    """
    as_lines = _media_type(request) == NDJSON
    with ExitStack() as kept:
        results: IO[bytes] = kept.enter_context(SpooledTemporaryFile(_IN_MEMORY))
        results.write(b"" if as_lines else b'{"items":[')
        first = True
        async with aclosing(batches(_items(request, as_lines=as_lines))) as arriving:
            async for batch in arriving:
                _refuse_whole(batch)
                for result in await _write(request, caller, batch, mode, dry_run=dry_run):
                    line = write_line(result, request.scope["path"])
                    results.write(line + b"\n" if as_lines else line if first else b"," + line)
                    first = False
        results.write(b"" if as_lines else b"]}")
        kept.pop_all()
    return StreamingResponse(
        _sent(results), headers=PRIVATE, media_type=NDJSON if as_lines else "application/json"
    )


def _media_type(request: Request) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given in ("application/ndjson", "application/jsonl", "application/x-jsonlines"):
        return NDJSON
    if given not in (NDJSON, "application/json"):
        raise UnsupportedMediaType(
            f"Send {NDJSON} or a JSON array.", headers={"Accept": f"{NDJSON}, application/json"}
        )
    return given


def _items(request: Request, *, as_lines: bool) -> AsyncIterator[Item]:
    chunks: AsyncIterator[bytes] = request.stream()
    match request.headers.get("content-encoding", "identity").strip().lower():
        case "identity":
            pass
        case "gzip" | "x-gzip":
            chunks = unpacked(chunks)
        case other:
            raise UnsupportedMediaType(
                f"Items may be packed with gzip, not with {other!r}.", headers={"Accept-Encoding": "gzip"}
            )
    largest: int = request.app.state.settings.body_max_bytes
    return lines(chunks, largest) if as_lines else members(chunks, largest)


def _refuse_whole(batch: Batch) -> None:
    """A body that breaks off within its first item is refused as a whole, for nothing was taken of it. Raises
    BrokenStream.
    """
    index, first = batch[0]
    if index == 0 and isinstance(first, BrokenStream):
        raise first


async def _write(
    request: Request, caller: Caller, batch: Batch, mode: Mode, *, dry_run: bool
) -> Sequence[Result]:
    database: Database = request.app.state.database
    async with database.turn():
        return await run_in_threadpool(write_all, database, caller, batch, mode, dry_run=dry_run)


async def _sent(results: IO[bytes]) -> AsyncIterator[bytes]:
    with results:
        results.seek(0)
        while piece := results.read(_SENT):
            yield piece
