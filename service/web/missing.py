"""Tell a reader whose link leads nowhere so in a page. Programs are told by problem details."""

from fastapi import Request, Response

from service.errors import PROBLEM
from service.negotiation import choose_type
from service.problems import refuse_as_framework
from service.services import service
from service.settings import Settings
from service.web import page

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
    body = page.write("gone.html", settings, title="Not found", said=None, path="/")
    return Response(
        body, 404, {**page.headers(settings), "Cache-Control": "no-store", "Vary": "Accept"}, page.MEDIA_TYPE
    )
