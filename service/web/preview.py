"""The page of a preview: an article as readers would see it, for everyone who has the address."""

from fastapi import APIRouter, Request, Response

from service.articles import previews
from service.database import SessionDep
from service.services import service
from service.settings import Settings
from service.web import page
from service.web.routes import article_page

router = APIRouter(include_in_schema=False, route_class=page.PageRoute)


@router.get("/preview/{token}")
def get_preview_page(request: Request, token: str, session: SessionDep) -> Response:
    """Show the article of a preview; 404 once it has expired or is revoked."""
    article = previews.show(session, token)
    document = article.model_dump_json().encode()
    settings = service(request, Settings)
    body, style = article_page(session, settings, article, document, is_preview=True)
    return Response(body, 200, {**page.headers(settings, style), **previews.HEADERS}, page.MEDIA_TYPE)
