"""The page of an article, the same bytes for everybody, and what all pages load: the style sheet and the
icon.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urljoin

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from service.ages import make_again
from service.articles import asked
from service.articles.addresses import address_of
from service.articles.body import ResolvedImage
from service.articles.cards import ArticleCard
from service.articles.models import ArticleRead
from service.database import Session, SessionDep
from service.formats import newsarticle
from service.published import answers, documents, store
from service.published.filters import Chosen, Filter
from service.published.models import Kind, Reason
from service.published.related import related
from service.services import service
from service.settings import Settings
from service.tables import now
from service.web import page, pictures, shared

router = APIRouter(include_in_schema=False, route_class=page.PageRoute)
MOST_RELATED = 4
NEWS_WITHIN = timedelta(seconds=60)
"""The delay with which the page of an article may show a new section or a new related article. What it shows
already is dropped at once when it changes.
"""


@router.get("/read/{slug}")
def get_article_page(request: Request, slug: str, session: SessionDep) -> Response:
    """One article; 404 when readers may not see it, 410 when it was withdrawn or deleted."""
    settings = service(request, Settings)
    row = store.find(session, Kind.ARTICLE, slug)
    depends: tuple[str, ...]
    depends = (answers.any_of(Kind.ARTICLE),) if row is None else (answers.one_of(Kind.ARTICLE, row.id),)
    if row is None or row.reason is not None:
        status = (
            410
            if row is not None and row.reason in (Reason.WITHDRAWN, Reason.EXPIRED, Reason.DELETED)
            else 404
        )
        said = row.detail if row is not None and row.reason == Reason.WITHDRAWN else None
        frame = shared.around(session, settings, "/")
        body = page.write("gone.html", settings, frame, was_here=status == 410, said=said)
        make_again(request.scope, now() + NEWS_WITHIN)
        return shared.answer(request, body, depends=depends, status=status)
    if row.slug is not None and slug != row.slug:
        answers.depend(request, *depends)
        return RedirectResponse(f"/read/{row.slug}", 308, answers.public_headers(settings))
    article = documents.read(ArticleRead, row.document)
    others = _related(session, article)
    depends += tuple(answers.one_of(Kind.ARTICLE, other.id) for other in others)
    make_again(request.scope, now() + NEWS_WITHIN)
    body, style = article_page(session, settings, article, row.document, others)
    return shared.answer(request, body, style, depends)


def _related(session: Session, article: ArticleRead) -> list[ArticleCard]:
    """Return articles in the same language that go with one."""
    in_language = Filter(language=(article.language,))
    ids = related(session, str(article.id), in_language, MOST_RELATED)
    listed = store.chosen(session, Filter(), Chosen(tuple(ids)), "cards") if ids else None
    return [documents.read(ArticleCard, card) for card in asked.cards(listed)] if listed else []


def article_page(
    session: Session,
    settings: Settings,
    article: ArticleRead,
    document: bytes,
    others: Sequence[ArticleCard] = (),
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
    sent = None if share is None else pictures.for_open_graph(share[0])
    path = f"/read/{article.slug}"
    body = page.write(
        "article.html",
        settings,
        shared.around(session, settings, path, language=language, section=article.section, style=style),
        language=language,
        title=article.headline,
        description=article.summary,
        article=article,
        is_preview=is_preview,
        blocks=placed,
        top=top,
        address=address_of(settings, article),
        json_ld=_json_ld(document, settings),
        sent=sent,
        sent_href=None if sent is None else urljoin(f"{settings.public_url}/", sent.href),
        others=others,
    )
    return body, style


def _json_ld(document: bytes, settings: Settings) -> Markup:
    """Return JSON that is safe inside a script element, because nothing in it ends the element."""
    return Markup(newsarticle.write(document, settings).decode().replace("<", "\\u003c"))  # noqa: S704  # no `<` is left in it


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
