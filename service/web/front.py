"""The pages that list articles: the front page, the page of a section, and what a search has found."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter

from service.articles import found
from service.articles.models import ArticleRead
from service.database import SessionDep
from service.http import pages
from service.published import answers, documents, store
from service.published.filters import Filter
from service.published.models import Kind
from service.published.query import parse
from service.services import service
from service.settings import Settings
from service.tables import Line, Time
from service.web import page, pictures, shared
from service.web.pictures import PagePicture

router = APIRouter(include_in_schema=False, route_class=page.PageRoute)
LONGEST = 13
"""Articles on a page of the front: one large, then rows of two and of three come out even."""
MOST_FOUND = 20
MOST_ASKED = 200
"""Characters of a search."""
_NEWEST = TypeAdapter(tuple[Time, UUID])
_RANKED = TypeAdapter(tuple[int, Time, UUID])


@router.get("/")
def get_front_page(
    request: Request,
    session: SessionDep,
    section: Annotated[Line | None, Query()] = None,
    cursor: pages.Cursor = None,
) -> Response:
    """Show the newest articles, of all sections or of one."""
    settings = service(request, Settings)
    asked = {} if section is None else {"section": section}
    here = _only(request, asked)
    listed = store.page(
        session,
        Kind.ARTICLE,
        Filter(section=() if section is None else (section,)),
        "-published_at",
        pages.read_cursor(here, cursor, _NEWEST),
        LONGEST,
    )
    articles = _read(listed.documents)
    thumbs = [_thumb(article) for article in articles]
    style = pictures.colours(thumbs)
    path = f"/?{urlencode(asked)}" if asked else "/"
    body = page.write(
        "front.html",
        settings,
        shared.around(session, settings, path, section=section, style=style),
        title=section or settings.site_name,
        address=settings.public_url + path,
        stories=list(zip(articles, thumbs, strict=True)),
        older=_next(here, "/", asked, listed),
        is_first=cursor is None,
    )
    status = 200 if articles or section is None else 404
    return shared.answer(request, body, style, (answers.any_of(Kind.ARTICLE),), status=status)


@router.get("/search")
def get_search_page(
    request: Request,
    session: SessionDep,
    q: Annotated[str, Query(max_length=MOST_ASKED)] = "",
    cursor: pages.Cursor = None,
) -> Response:
    """Show what a search finds, the best first; without a query, how to search."""
    settings = service(request, Settings)
    asked = {"q": q} if q.strip() else {}
    here = _only(request, asked)
    after = pages.read_cursor(here, cursor, _RANKED)
    listed = (
        store.page(session, Kind.ARTICLE, Filter(q=q), "relevance", after, MOST_FOUND)
        if asked
        else store.Listed([], [], None, None)
    )
    query, articles = parse(q), _read(listed.documents)
    path = f"/search?{urlencode(asked)}" if asked else "/search"
    body = page.write(
        "search.html",
        settings,
        shared.around(session, settings, path),
        q=q.strip(),
        hits=[
            (article, found.find_snippet(document, query))
            for article, document in zip(articles, listed.documents, strict=True)
        ],
        more=_next(here, "/search", asked, listed),
    )
    return shared.answer(request, body, depends=(answers.any_of(Kind.ARTICLE),))


def _only(request: Request, asked: dict[str, str]) -> Request:
    """Return the request of the same page without what others have added to its address."""
    return Request({**request.scope, "query_string": urlencode(asked).encode()})


def _read(found_documents: Sequence[bytes]) -> list[ArticleRead]:
    return [documents.read(ArticleRead, document) for document in found_documents]


def _thumb(article: ArticleRead) -> PagePicture | None:
    shown = pictures.first_of(article)
    return None if shown is None else pictures.crop(*shown, article.language)


def _next(here: Request, path: str, asked: dict[str, str], listed: store.Listed) -> str | None:
    """Return the address of the next page, if there is one."""
    if not listed.next_key:
        return None
    return f"{path}?{urlencode({**asked, 'cursor': pages.make_cursor(here, listed.next_key)})}"
