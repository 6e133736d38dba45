"""The endpoint that proves a copy equal: hashes over ranges of numbers, each parted into smaller ranges.

A partner who keeps the number, kind, id, version and ETag of each entry computes the same hashes, and asks
again for the parts that differ: of a million numbers a wrong one is found in six requests.
"""

from collections.abc import Iterator
from typing import Annotated, NoReturn

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from service.database import Session, SessionDep
from service.engines import hold_still
from service.errors import FieldProblem, Unprocessable
from service.http import conditional
from service.http.callers import CallerDep
from service.http.routing import Route
from service.published import answers
from service.published.feed import KINDS
from service.published.models import PublishedSequence
from service.services import service
from service.settings import Settings
from service.sync.hashes import SPAN, Hashed, hash_pieces, hash_range, read_lines
from service.sync.spans import MOST_READ, Spans
from service.tables import WHOLE, Reading

router = APIRouter(prefix="/v1/changes/digest", tags=["sync"], route_class=Route)
MOST = 10_000_000
"""Numbers that one request may ask for: the kept hash of each thousand of them is read."""
FEW = 2_500
"""Numbers that are parted evenly, from their rows. More are parted between spans, from kept hashes."""
PARTS = 16
HIGHEST = 2**63 - 1
Number = Annotated[int, Query(ge=1, le=HIGHEST), WHOLE]


class RangeRead(Reading):
    """The hash of what stands under the numbers of a range, both ends included."""

    first: int = Field(examples=[1])
    last: int = Field(examples=[6250])
    entries: int = Field(description="resources whose last change has a number of the range", examples=[412])
    digest: str = Field(
        description=(
            "SHA-256 in hexadecimal of one line for each of them, in the order of their numbers; of more than"
            " 1000 numbers, of the digests of their pieces"
        )
    )


class DigestRead(RangeRead):
    """The hash of a range, and of each of its parts."""

    seq: int = Field(
        description="the last number of the store: a copy must have come so far", examples=[5120]
    )
    parts: list[RangeRead] = Field(
        description="at most 16, which together are the range; none for one number"
    )


EXAMPLE = {
    "first": 1,
    "last": 2,
    "entries": 1,
    "digest": "8c1f3a0e5d5b2f0a4f7f3fb1b5a3e0d14b9b6a9d0b0c7f9f1c1b8d2f6e4a5b7c",
    "seq": 2,
    "parts": [
        {
            "first": 1,
            "last": 1,
            "entries": 0,
            "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        {
            "first": 2,
            "last": 2,
            "entries": 1,
            "digest": "8c1f3a0e5d5b2f0a4f7f3fb1b5a3e0d14b9b6a9d0b0c7f9f1c1b8d2f6e4a5b7c",
        },
    ],
}


@router.get(
    "", response_model=DigestRead, responses={200: {"content": {"application/json": {"example": EXAMPLE}}}}
)
def get_changes_digest(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    first: Annotated[int, Query(alias="from", ge=1, le=HIGHEST, description="the first number"), WHOLE] = 1,
    last: Annotated[
        int | None,
        Query(alias="to", ge=1, le=HIGHEST, description=f"the last number; absent: {MOST_READ} numbers"),
        WHOLE,
    ] = None,
    gone: Annotated[
        bool, Query(description="with what has gone, each with its reason; not with a contract")
    ] = False,
) -> Response:
    """Prove a copy equal, or find where it differs: hashes of what is public under a range of numbers.

    A line is the number, kind, id, version and ETag, with spaces between and a line end behind. The ETag is
    that of the resource without its quotes: `{version}-{hash}`, where the hash is BLAKE2b with 9 bytes of the
    entry's `data` as it was sent. What has gone is in no line. A range of more than 1,000 numbers is cut into
    pieces behind each multiple of 1,000, and hashed by one line for each: the digest of the piece. With
    `gone=true` what has gone has a line too, with the reason in the place of the ETag, and then `detail`.
    """
    if gone and session.contract is not None:
        _refuse("gone", "is not for tokens with a contract")
    most = MOST if session.contract is None else MOST_READ
    end = first + MOST_READ - 1 if last is None else last
    if end < first or end - first >= most:
        _refuse("to", f"must be from `from` on, and name {most} numbers at the most")
    hold_still(session)
    seq = session.execute(select(col(PublishedSequence.seq))).scalar_one()
    parts = list(_parts(session, service(request, Spans), first, end, seq, gone=gone))
    whole = parts.pop()
    digest = DigestRead(**whole.model_dump(), seq=seq, parts=parts)
    answers.depend(request, *(answers.any_of(kind) for kind in KINDS))
    headers = {} if not caller.is_anonymous else answers.public_headers(service(request, Settings))
    return conditional.answer_bytes(request, digest.model_dump_json().encode(), headers=headers)


def _refuse(name: str, message: str) -> NoReturn:
    raise Unprocessable(
        f"{name}: {message}.", errors=[FieldProblem(place="query", pointer=f"/{name}", message=message)]
    )


def _parts(
    session: Session, spans: Spans, first: int, last: int, seq: int, *, gone: bool
) -> Iterator[RangeRead]:
    """Yield the parts of a range, and then the range itself."""
    count = last - first + 1
    if count <= FEW:
        lines = read_lines(session, first, last, gone=gone)
        size = -(-count // PARTS)
        for begin in range(first, last + 1, size) if count > 1 else ():
            end = min(begin + size - 1, last)
            yield _read(begin, end, hash_range(lines, begin, end))
        yield _read(first, last, hash_range(lines, first, last))
        return
    pieces = spans.hashes(session, first, last, seq, gone=gone)
    # The ends may cut one part into two.
    size = SPAN * -(-count // (SPAN * (PARTS - 1)))
    begin, waiting = first, list[Hashed]()
    for _, end, hashed in pieces:
        waiting.append(hashed)
        if end % size == 0 or end == last:
            yield _read(begin, end, hash_pieces(waiting))
            begin, waiting = end + 1, []
    yield _read(first, last, hash_pieces(hashed for *_, hashed in pieces))


def _read(first: int, last: int, hashed: Hashed) -> RangeRead:
    return RangeRead(first=first, last=last, entries=hashed.entries, digest=hashed.digest)
