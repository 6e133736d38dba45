"""The endpoints of `/sitemaps`. What they answer is kept ready until an article changes, or the news is two
days old.
"""

from datetime import timedelta
from functools import partial
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from service.ages import keep_until
from service.database import Session, SessionDep
from service.formats.feeds.written import WrittenArticle, WrittenArticles
from service.formats.sitemaps.parts import Part, all_parts, read_part
from service.formats.sitemaps.starts import Starts
from service.formats.sitemaps.write import write_index, write_news, write_news_article, write_places
from service.http.callers import CallerDep
from service.http.operations import Responses
from service.http.routing import Route
from service.published import answers, keys, store
from service.published.filters import Filter
from service.published.models import Kind
from service.services import service
from service.settings import Settings
from service.tables import Time, now, write_time

router = APIRouter(prefix="/sitemaps", tags=["sitemaps"], route_class=Route)
MOST_NEWS, NEWS_FOR = 1_000, timedelta(days=2)
"""The bounds of a news sitemap (Google, "Create a news sitemap")."""
_XML: Responses = {
    200: {"content": {"application/xml": {"schema": {"type": "string"}, "example": "<urlset>…</urlset>"}}}
}


@router.get("/news.xml", response_class=Response, responses=_XML)
def get_news_sitemap(request: Request, caller: CallerDep, session: SessionDep) -> Response:
    """The articles of the last two days, 1,000 at the most, as news crawlers want them."""
    articles = _news(request, session)
    if articles:
        keep_until(request.scope, articles[-1].published + NEWS_FOR)
    return _answer(request, write_news(articles))


def _news(request: Request, session: Session, most: int = MOST_NEWS) -> list[WrittenArticle]:
    wanted = Filter(published_after=now() - NEWS_FOR)
    listed = store.page(session, Kind.ARTICLE, wanted, "-published_at", None, most)
    write = partial(write_news_article, service(request, Settings))
    return service(request, WrittenArticles).all("news.xml", listed.documents, write)


@router.get("/index.xml", response_class=Response, responses=_XML)
def get_sitemap_index(request: Request, caller: CallerDep, session: SessionDep) -> Response:
    """The index of all sitemaps: that of the news, and those of all articles, section by section."""
    base = f"{service(request, Settings).public_url}/sitemaps"
    files = [f"{base}/articles.xml{_query(part)}" for part in all_parts(session, service(request, Starts))]
    newest = _news(request, session, 1)
    if newest:
        # An empty sitemap is a fault to those who read them: the news are listed for as long as there are
        # any.
        files.insert(0, f"{base}/news.xml")
        keep_until(request.scope, newest[0].published + NEWS_FOR)
    response = _answer(request, write_index(files))
    keys.name(request, [keys.LISTED])
    return response


@router.get("/articles.xml", response_class=Response, responses=_XML)
def get_article_sitemap(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    section: Annotated[str | None, Query(description="absent: of the articles that are in none")] = None,
    published: Annotated[
        Time | None, Query(description="the file begins with the article that was published then,")
    ] = None,
    id_: Annotated[UUID | None, Query(alias="id", description="and that has this id")] = None,
) -> Response:
    """Up to 50,000 articles of one section. The index has the addresses."""
    part = Part(section, None if published is None or id_ is None else (published, id_))
    return _answer(request, write_places(service(request, Settings), read_part(session, part)))


def _query(part: Part) -> str:
    asked = {} if part.section is None else {"section": part.section}
    if part.start is not None:
        asked |= {"published": write_time(part.start[0]), "id": str(part.start[1])}
    return f"?{urlencode(asked)}" if asked else ""


def _answer(request: Request, body: bytes) -> Response:
    answer = answers.made(
        body, "application/xml", (answers.any_of(Kind.ARTICLE),), service(request, Settings)
    )
    return answers.respond(request, answer)
