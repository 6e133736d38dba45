"""Answer with a page when a reader's link leads nowhere. Programs get problem details."""

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from service.contracts import Contract
from service.database import Database, contract_of
from service.errors import PROBLEM
from service.faults import DATABASE_FAULTS
from service.http.negotiation import choose_type
from service.http.problems import refuse_as_framework
from service.services import service
from service.settings import Settings
from service.web import page, shared

FOR_PROGRAMS = ("/v1/", "/media/", "/health/")


async def answer_missing(request: Request, error: Exception) -> Response:
    """Answer where no route is."""
    accept = request.headers.get("accept", "")
    if (
        request.scope["path"].startswith(FOR_PROGRAMS)
        or choose_type(accept, (PROBLEM, "text/html")) == PROBLEM
    ):
        return await refuse_as_framework(request, error)
    settings = service(request, Settings)
    around = await run_in_threadpool(_around, service(request, Database), contract_of(request))
    body = page.write("gone.html", settings, around, was_here=False, said=None)
    return Response(
        body, 404, {**page.headers(settings), "Cache-Control": "no-store", "Vary": "Accept"}, page.MEDIA_TYPE
    )


def _around(database: Database, contract: Contract | None) -> page.Around:
    """Return the sections, or nothing while the database cannot tell them."""
    try:
        with database.reading() as session:
            session.contract = contract
            return shared.around(session, database.settings, "/", asks=False)
    except DATABASE_FAULTS:
        return page.BARE
