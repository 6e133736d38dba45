"""The pages that all readers share: the front page and the articles, the same bytes for everybody, so that
every cache may keep them.

Whether a reader still has to be asked about cookies is not in them. The banner is in every page, and a style
sheet of the reader's own (`consent_routes`) hides it from whoever has decided.
"""

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode, urljoin
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from pydantic import TypeAdapter

from service import pages
from service.articles.addresses import address_of
from service.articles.body import ResolvedImage
from service.articles.models import ArticleRead
from service.articles.routes import FEEDS
from service.consent.notices.defaults import DEFAULT_KEY
from service.consent.notices.lifecycle import NoticeRead
from service.consent.notices.routes import find_current
from service.database import Session, SessionDep
from service.formats import newsarticle
from service.formats.feeds.feed import path_of
from service.published import answers, documents, store
from service.published.filters import Filter
from service.published.models import Kind, Reason
from service.services import service
from service.settings import Settings
from service.tables import Line, Time
from service.web import page, pictures

router = APIRouter(include_in_schema=False, route_class=page.PageRoute)
LONGEST = 13
"""Articles on a page of the front: one large, then rows of two and of three come out even."""
MOST_SECTIONS = 12
_NEWEST = TypeAdapter(tuple[Time, UUID])


@router.get("/")
def get_front_page(
    request: Request,
    session: SessionDep,
    section: Annotated[Line | None, Query()] = None,
    cursor: pages.Cursor = None,
) -> Response:
    """The newest articles, of all sections or of one."""
    settings = service(request, Settings)
    asked = {} if section is None else {"section": section}
    here = Request({**request.scope, "query_string": urlencode(asked).encode()})
    listed = store.page(
        session,
        Kind.ARTICLE,
        Filter(section=() if section is None else (section,)),
        "-published_at",
        pages.read_cursor(here, cursor, _NEWEST),
        LONGEST,
    )
    articles = [documents.read(ArticleRead, document) for document in listed.documents]
    found = [pictures.first_of(article) for article in articles]
    thumbs = [
        None if one is None else pictures.crop(*one, article.language)
        for one, article in zip(found, articles, strict=True)
    ]
    style = pictures.colours(thumbs)
    older = (
        f"/?{urlencode({**asked, 'cursor': pages.make_cursor(here, listed.next_key)})}"
        if listed.next_key
        else None
    )
    path = f"/?{urlencode(asked)}" if asked else "/"
    body = page.write(
        "front.html",
        settings,
        style=style,
        title=section or settings.site_name,
        section=section,
        path=path,
        address=settings.public_url + path,
        stories=list(zip(articles, thumbs, strict=True)),
        older=older,
        is_first=cursor is None,
        sections=store.sections(session, MOST_SECTIONS),
        banner=find_notice(session, settings, settings.language),
        feeds=_feeds(section),
    )
    return _shared(
        request,
        body,
        style,
        (answers.any_of(Kind.ARTICLE),),
        status=200 if articles or section is None else 404,
    )


@router.get("/read/{slug}")
def get_article_page(request: Request, slug: str, session: SessionDep) -> Response:
    """One article; 404 when readers may not see it, 410 when it was withdrawn or deleted."""
    settings = service(request, Settings)
    row = store.find(session, Kind.ARTICLE, slug)
    depends = (answers.any_of(Kind.ARTICLE),) if row is None else (answers.one_of(Kind.ARTICLE, row.id),)
    if row is None or row.reason is not None:
        status = (
            410
            if row is not None and row.reason in (Reason.WITHDRAWN, Reason.EXPIRED, Reason.DELETED)
            else 404
        )
        said = row.detail if row is not None and row.reason == Reason.WITHDRAWN else None
        banner = find_notice(session, settings, settings.language)
        body = page.write(
            "gone.html",
            settings,
            title="No longer here" if status == 410 else "Not found",
            said=said,
            banner=banner,
            path="/",
        )
        return _shared(request, body, depends=depends, status=status)
    if row.slug is not None and slug != row.slug:
        answers.depend(request, *depends)
        return RedirectResponse(f"/read/{row.slug}", 308, answers.public_headers(settings))
    article = documents.read(ArticleRead, row.document)
    return _shared(request, *article_page(session, settings, article, row.document), depends=depends)


def article_page(
    session: Session,
    settings: Settings,
    article: ArticleRead,
    document: bytes,
    *,
    is_preview: bool = False,
) -> tuple[bytes, str]:
    """Return the page of an article, and the style element that its policy must name."""
    language, lead = article.language, article.lead_image
    placed = [
        (
            block,
            pictures.whole(block.image, block.caption, language)
            if isinstance(block, ResolvedImage)
            else None,
        )
        for block in article.body
    ]
    in_body = {block.image_id for block in article.body if isinstance(block, ResolvedImage)}
    top = None if lead is None or lead.id in in_body else pictures.whole(lead, lead.caption, language)
    style = pictures.colours([top, *(picture for _, picture in placed)])
    share = pictures.first_of(article)
    shared = None if share is None else pictures.for_open_graph(share[0])
    body = page.write(
        "article.html",
        settings,
        style=style,
        title=article.headline,
        description=article.summary,
        article=article,
        is_preview=is_preview,
        blocks=placed,
        top=top,
        path=f"/read/{article.slug}",
        address=address_of(settings, article),
        json_ld=_json_ld(document, settings),
        shared=shared,
        shared_href=None if shared is None else urljoin(f"{settings.public_url}/", shared.href),
        banner=find_notice(session, settings, language),
        feeds=_feeds(article.section),
    )
    return body, style


def _json_ld(document: bytes, settings: Settings) -> Markup:
    """JSON that may stand in a script element: nothing in it ends the element."""
    return Markup(newsarticle.write(document, settings).decode().replace("<", "\\u003c"))  # noqa: S704  # no `<` is left in it


def _feeds(section: str | None) -> list[tuple[str, str]]:
    return [(path_of(name, [section] if section else []), media_type) for name, media_type in FEEDS.items()]


def find_notice(session: Session, settings: Settings, language: str) -> NoticeRead | None:
    """The notice that readers of a language are shown; None where the publisher has retired every one."""
    row = find_current(session, DEFAULT_KEY, language, settings.language)
    return None if row is None else documents.read(NoticeRead, row.document)


def _shared(
    request: Request, body: bytes, style: str = "", depends: tuple[str, ...] = (), *, status: int = 200
) -> Response:
    """Answer everybody with the same page, until an article that it shows or the notice changes."""
    settings = service(request, Settings)
    answer = answers.made(body, page.MEDIA_TYPE, (*depends, answers.any_of(Kind.NOTICE)), settings)
    extra = [(name.lower().encode(), value.encode()) for name, value in page.headers(settings, style).items()]
    return answers.respond(request, replace(answer, status=status, headers=[*answer.headers, *extra]))


@router.get("/favicon.ico")
async def get_icon() -> Response:
    """The icon, where browsers look for it by themselves: for every page, and for what the API answers."""
    return Response(page.ICON, 200, {"Cache-Control": "public, max-age=86400"}, "image/svg+xml")


@router.get("/assets/{name}")
async def get_asset(name: str) -> Response:
    """The style sheet, under the name that says what is in it; older pages, kept in caches, are led to
    today's.
    """
    if name != page.STYLE_NAME:
        return RedirectResponse(f"/assets/{page.STYLE_NAME}", 307)
    return Response(
        page.STYLE, 200, {"Cache-Control": "public, max-age=31536000, immutable"}, "text/css; charset=utf-8"
    )
