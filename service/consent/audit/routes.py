"""The endpoints for auditors of consent, with the scope `consent:read`: rates, records and exports."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field, TypeAdapter
from sqlalchemy import ColumnElement
from sqlmodel import col, select

from service.consent.audit import exports, reports, upkeep
from service.consent.audit.reports import Dimension, Rates
from service.consent.decisions.deciding import ConsentId
from service.consent.decisions.readers import count_records, find_standings
from service.consent.decisions.record import Record, project
from service.consent.decisions.routes import LedgerDep
from service.consent.models import ConsentEvent, ConsentSubject, Key
from service.consent.signing import Signer
from service.database import DatabaseDep, SessionDep
from service.errors import FieldProblem, Unprocessable
from service.http import conditional, pages
from service.http.callers import Caller, Needs
from service.http.negotiation import choose_type
from service.http.routing import Route
from service.scopes import Scope
from service.services import service
from service.settings import Settings
from service.tables import now

router = APIRouter(prefix="/v1", tags=["consent reports"], route_class=Route)
Auditor = Annotated[Caller, Depends(Needs(Scope.CONSENT_READ))]
Since = Annotated[date | None, Query(description="the first day, in UTC; absent: 29 days before the last")]
Until = Annotated[date | None, Query(description="the last day; absent: today")]
LONGEST = timedelta(days=1100)
YEARS = range(2000, 3000)
_PLACE = TypeAdapter(tuple[UUID, str])


class WrongPeriod(Unprocessable):
    """A report is of some days in order, three years at the most."""

    title = "No such period"


class ReaderRecord(Record):
    """The record of one reader on one notice; the reader is a pseudonym."""

    pseudonym: str = Field(description="HMAC-SHA256 of the reader's id, by a salt that erasure destroys")


class Format(StrEnum):
    """The form in which an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


_MEDIA_TYPES = {Format.NDJSON: "application/x-ndjson", Format.CSV: "text/csv; charset=utf-8"}


@router.get("/consent-reports/rates", response_model=Rates)
def get_consent_rates(
    request: Request,
    caller: Auditor,
    session: SessionDep,
    since: Since = None,
    until: Until = None,
    notice_key: Key | None = None,
    by: Annotated[
        str,
        Query(max_length=100, description=f"{', '.join(Dimension)}: with commas between"),
    ] = ("day,notice_version,country"),
) -> Response:
    """Count how often notices were shown, accepted, rejected, chosen from and withdrawn from. Counts from 1
    to 9 are suppressed.
    """
    first, last = period(since, until or now().date())
    return conditional.answer(request, reports.rates(session, first, last, _dimensions(by), notice_key))


def period(since: date | None, last: date) -> tuple[date, date]:
    """Return the first and last day of a report; without a first, 30 days. Raises WrongPeriod."""
    if last.year not in YEARS:
        raise _wrong_period("until", f"must be between {YEARS.start} and {YEARS.stop - 1}")
    first = since or last - timedelta(days=29)
    if not timedelta(0) <= last - first <= LONGEST:
        raise _wrong_period("since", "must not be after until, nor more than three years before it")
    return first, last


def _wrong_period(parameter: str, message: str) -> WrongPeriod:
    wrong = FieldProblem(place="query", pointer=f"/{parameter}", message=message)
    return WrongPeriod(f"{parameter} {message}.", errors=[wrong])


def _dimensions(by: str) -> list[Dimension]:
    named = [name.strip() for name in by.split(",") if name.strip()]
    wrong = next((name for name in named if name not in list(Dimension)), None)
    if wrong is not None:
        message = f"{wrong!r} is none of {', '.join(Dimension)}"
        raise Unprocessable(
            f"by: {message}.", errors=[FieldProblem(place="query", pointer="/by", message=message)]
        )
    return [Dimension(name) for name in dict.fromkeys(named)]


@router.get("/consent-records", response_model=pages.Page[ReaderRecord])
def list_consent_records(
    request: Request,
    caller: Auditor,
    session: SessionDep,
    ledger: LedgerDep,
    asked: pages.ListRequestDep,
    notice_key: Key | None = None,
    consent_id: Annotated[ConsentId | None, Query(description="of readers whose page sent this id")] = None,
) -> Response:
    """List the current record of each reader on each notice that the reader decided about, newest readers
    first. Erased readers have no record.
    """
    after = pages.read_cursor(request, asked.cursor, _PLACE)
    whose = [] if consent_id is None else [_sent(consent_id)]
    chosen = select(ConsentSubject.id, ConsentSubject.pseudonym).where(*whose)
    if after is not None:
        chosen = chosen.where(col(ConsentSubject.id) <= after[0])
    readers = session.exec(chosen.order_by(col(ConsentSubject.id).desc()).limit(asked.limit + 1)).all()
    standings, at = find_standings(session, [pseudonym for _, pseudonym in readers]), now()
    found = [
        ((id_, key), pseudonym, standing)
        for id_, pseudonym in readers
        for key, standing in sorted(standings.get(pseudonym, {}).items())
        if notice_key in (None, key) and (after is None or id_ != after[0] or key > after[1])
    ]
    items = [
        ReaderRecord(pseudonym=pseudonym, **dict(project(session, standing, ledger.shelves, at)))
        .model_dump_json()
        .encode()
        for _, pseudonym, standing in found[: asked.limit]
    ]
    total = count_records(session, notice_key, whose) if asked.count else None
    next_key = _next(found, readers, asked.limit)
    return pages.answer_page(
        request, items, next_key=next_key, total=total, fields=asked.fields, shape=ReaderRecord
    )


def _sent(consent_id: str) -> ColumnElement[bool]:
    return col(ConsentSubject.pseudonym).in_(
        select(ConsentEvent.pseudonym).where(ConsentEvent.consent_id == consent_id)
    )


def _next(
    found: Sequence[tuple[tuple[UUID, str], str, object]], readers: Iterable[tuple[UUID, str]], limit: int
) -> tuple[UUID, str] | None:
    ids = [id_ for id_, _ in readers]
    if len(found) > limit:
        return found[limit - 1][0]
    # All of these readers are on this page, or have no record of this notice: the last one ends with a name
    # after all others.
    return (ids[-1], "~") if len(ids) > limit else None


@router.get(
    "/consent-exports", response_class=Response, openapi_extra={"responses": {"200": exports.DOCUMENTED}}
)
async def export_consents(
    request: Request,
    caller: Auditor,
    database: DatabaseDep,
    format_: Annotated[Format | None, Query(alias="format", include_in_schema=False)] = None,
) -> Response:
    """Export every event in the order of the log, with a signed manifest in the last line; `copydesk consent
    verify` checks it offline.

    NDJSON, or CSV with `format=csv` or by `Accept: text/csv`. What was recorded before this request is in it.
    """
    accepted = choose_type(request.headers.get("accept", ""), ("application/x-ndjson", "text/csv"))
    written = format_ or (Format.CSV if accepted == "text/csv" else Format.NDJSON)
    signer = Signer(service(request, Settings).signing_key)
    await upkeep.seal_waiting(database, signer)
    lines = exports.write(database, signer, as_csv=written is Format.CSV)
    name = f"consent-{now():%Y%m%dT%H%M%SZ}.{written}"
    headers = {**conditional.PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines, headers=headers, media_type=_MEDIA_TYPES[written])
