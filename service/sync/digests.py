"""The endpoint that proves a copy equal: hashes over ranges of numbers, each parted into smaller ranges.

A partner who keeps the number, kind, id, version and ETag of each entry computes the same hashes, and asks
again for the parts that differ: of ten thousand numbers a wrong one is found in four requests.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import null, select
from sqlmodel import col

from service.database import Session, SessionDep
from service.errors import FieldProblem, Unprocessable
from service.http import conditional
from service.http.callers import CallerDep
from service.http.conditional import etag_of
from service.http.routing import Route
from service.published import answers
from service.published.feed import KINDS
from service.published.models import Kind, Published, PublishedSequence, all_but
from service.published.withdrawn import Gone, without
from service.services import service
from service.settings import Settings
from service.tables import Reading

router = APIRouter(prefix="/v1/changes/digest", tags=["sync"], route_class=Route)
MOST = 10_000
"""Numbers that one request may ask for: each row of them is read, which takes the processor's time."""
PARTS = 16
HIGHEST = 2**63 - 1
Number = Annotated[int, Query(ge=1, le=HIGHEST)]
Line = tuple[int, str, UUID, int, str]
"""A number, and the kind, id, version and ETag of what it stands for."""


class RangeRead(Reading):
    """The hash of what stands under the numbers of a range, both ends included."""

    first: int = Field(examples=[1])
    last: int = Field(examples=[6250])
    entries: int = Field(description="resources whose last change has a number of the range", examples=[412])
    digest: str = Field(
        description="SHA-256 in hexadecimal of one line for each of them, in the order of their numbers"
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
    first: Annotated[int, Query(alias="from", ge=1, le=HIGHEST, description="the first number")] = 1,
    last: Annotated[
        int | None,
        Query(alias="to", ge=1, le=HIGHEST, description=f"the last number; absent: {MOST} numbers"),
    ] = None,
) -> Response:
    """Prove a copy equal, or find where it differs: hashes of what is public under a range of numbers.

    A line is the number, kind, id, version and ETag, with spaces between and a line end behind. The ETag is
    that of the resource without its quotes: `{version}-{hash}`, where the hash is BLAKE2b with 9 bytes of the
    entry's `data` as it was sent. What has gone is in no line.
    """
    end = first + MOST - 1 if last is None else last
    if end < first or end - first >= MOST:
        message = f"must be from `from` on, and name {MOST} numbers at the most"
        raise Unprocessable(
            f"to: {message}.", errors=[FieldProblem(place="query", pointer="/to", message=message)]
        )
    seq = session.execute(select(col(PublishedSequence.seq))).scalar_one()
    lines = _lines(session, first, end)
    digest = DigestRead(
        **_range(lines, first, end).model_dump(), seq=seq, parts=list(_parts(lines, first, end))
    )
    answers.depend(request, *(answers.any_of(kind) for kind in KINDS))
    headers = {} if not caller.is_anonymous else answers.public_headers(service(request, Settings))
    return conditional.answer_bytes(request, digest.model_dump_json().encode(), headers=headers)


def _lines(session: Session, first: int, last: int) -> Sequence[Line]:
    gone = Gone(contract=session.contract)
    document = col(Published.document) if gone.hides else null()
    columns: Sequence[Any] = (
        Published.seq,
        Published.kind,
        Published.id,
        Published.version,
        Published.etag,
        document,
    )
    rows = select(*columns).where(
        col(Published.seq) >= first,
        col(Published.seq) <= last,
        col(Published.reason).is_(None),
        col(Published.kind).not_in(all_but(KINDS)),
    )
    found = session.execute(rows.order_by(col(Published.seq))).all()
    lines = []
    for seq, kind, id_, version, etag, document in found:
        if kind is Kind.ARTICLE and document is not None:
            etag = etag_of(without(document, gone), version)  # noqa: PLW2901
        lines.append((seq, str(kind), id_, version, etag.strip('"')))
    return lines


def _parts(lines: Sequence[Line], first: int, last: int) -> Iterator[RangeRead]:
    count = last - first + 1
    if count == 1:
        return
    size = -(-count // PARTS)
    start = 0
    for begin in range(first, last + 1, size):
        end, stop = min(begin + size - 1, last), start
        while stop < len(lines) and lines[stop][0] <= end:
            stop += 1
        yield _range(lines[start:stop], begin, end)
        start = stop


def _range(lines: Sequence[Line], first: int, last: int) -> RangeRead:
    return RangeRead(first=first, last=last, entries=len(lines), digest=digest_of(lines))


def digest_of(lines: Iterable[Line]) -> str:
    """Return the hash of lines in the order of their numbers."""
    written = "".join(["{} {} {} {} {}\n".format(*line) for line in lines])
    return hashlib.sha256(written.encode()).hexdigest()
