"""The staff's page of rates: a chart of each notice over time, and the figures beneath it, for holders of
`consent:read`.

A browser's page has no way to send a token with a link, so the token is pasted into a form, used for one
answer, and kept nowhere: no cookie, no address, no script that could read it.
"""

from datetime import date
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from service.consent.audit import reports
from service.consent.audit.reports import Dimension
from service.consent.audit.routes import period
from service.database import Database, DatabaseDep
from service.http.callers import CallerDep, get_caller
from service.scopes import Scope
from service.tables import now
from service.web import chart, page, shared

router = APIRouter(prefix="/consent/report", include_in_schema=False, route_class=page.PageRoute)


def _empty_is_absent(value: object) -> object:
    return value or None


Day = Annotated[date | None, BeforeValidator(_empty_is_absent)]


@router.get("")
def get_report_page(
    request: Request, caller: CallerDep, database: DatabaseDep, since: Day = None, until: Day = None
) -> Response:
    """The report, for whoever sends a token in the header; the form that asks for it, for whoever
    does not.
    """
    if caller.is_anonymous:
        with database.reading() as session:
            around = shared.around(session, database.settings, "/", asks=False)
        return page.private(
            request, "report.html", around, report=None, charts=[], groups=[], since=since, until=until
        )
    caller.need(Scope.CONSENT_READ)
    return _report(request, database, since, until)


@router.post("")
async def show_report(
    request: Request,
    database: DatabaseDep,
    token: Annotated[str, Form(max_length=200)],
    since: Annotated[Day, Form()] = None,
    until: Annotated[Day, Form()] = None,
) -> Response:
    """The report, for the token in the form."""
    caller = await get_caller(
        request, HTTPAuthorizationCredentials(scheme="Bearer", credentials=token.strip())
    )
    caller.need(Scope.CONSENT_READ)
    return await run_in_threadpool(_report, request, database, since, until)


def _report(request: Request, database: Database, since: date | None, until: date | None) -> Response:
    first, last = period(since, until or now().date())
    with database.reading() as session:
        report = reports.rates(session, first, last, [Dimension.DAY], None)
        around = shared.around(session, database.settings, "/", asks=False)
    groups = [(key, list(cells)) for key, cells in groupby(report.items, key=lambda cell: cell.notice_key)]
    charts = [chart.draw(key, cells, first, last) for key, cells in groups]
    return page.private(
        request,
        "report.html",
        around,
        report=report,
        charts=charts,
        groups=groups,
        since=first,
        until=last,
    )
