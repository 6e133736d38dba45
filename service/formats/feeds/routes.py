"""The endpoints of `/feeds`. What they answer is kept ready until an article changes."""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from service.articles.public_lists import FEEDS
from service.database import SessionDep
from service.formats.feeds import atom, feed, json_feed, rss
from service.formats.feeds.feed import Feed, FeedArticle
from service.formats.feeds.written import WrittenArticle, WrittenArticles
from service.http import pages
from service.http.callers import CallerDep
from service.http.operations import Responses
from service.http.routing import Route
from service.published import answers, keys
from service.published.filters import Filter
from service.published.models import Kind
from service.services import service
from service.settings import Settings

router = APIRouter(prefix="/feeds", tags=["feeds"], route_class=Route)


def read_feed(
    request: Request,
    caller: CallerDep,
    session: SessionDep,
    section: pages.Several = None,
    language: pages.Languages = None,
) -> Feed:
    """Return the feed that the request asks for."""
    return feed.read(session, service(request, Settings), tuple(section or ()), tuple(language or ()))


FeedDep = Annotated[Feed, Depends(read_feed, scope="function")]


class _JsonFeed(JSONResponse):
    media_type = FEEDS["feed.json"]


def _described(name: str, example: str) -> Responses:
    return {200: {"content": {FEEDS[name]: {"schema": {"type": "string"}, "example": example}}}}


@router.get(
    "/rss.xml",
    response_class=Response,
    responses=_described("rss.xml", '<rss version="2.0"><channel>…</channel></rss>'),
)
def get_rss_feed(request: Request, found: FeedDep) -> Response:
    """The newest articles as RSS 2.0, whole, with pictures, captions and credits."""
    return _answer(request, found, "rss.xml", rss.write, rss.write_article)


@router.get(
    "/atom.xml",
    response_class=Response,
    responses=_described("atom.xml", '<feed xmlns="http://www.w3.org/2005/Atom">…</feed>'),
)
def get_atom_feed(request: Request, found: FeedDep) -> Response:
    """The newest articles as Atom, whole, with pictures, captions and credits."""
    return _answer(request, found, "atom.xml", atom.write, atom.write_article)


@router.get("/feed.json", response_class=_JsonFeed, response_model=json_feed.JsonFeed)
def get_json_feed(request: Request, found: FeedDep) -> Response:
    """The newest articles as JSON Feed 1.1, whole, with pictures, captions and credits."""
    return _answer(request, found, "feed.json", json_feed.write, json_feed.write_article)


def _answer(
    request: Request,
    found: Feed,
    name: str,
    write: Callable[[Feed, Sequence[WrittenArticle]], bytes],
    write_article: Callable[[FeedArticle], bytes],
) -> Response:
    articles = service(request, WrittenArticles).all(name, found.documents, write_article)
    media_type = FEEDS[name] if name.endswith("json") else f"{FEEDS[name]}; charset=utf-8"
    answer = answers.made(write(found, articles), media_type, (answers.any_of(Kind.ARTICLE),), found.settings)
    lists = Filter(section=found.sections, language=found.languages).keys()
    keys.name(request, keys.of_page(Kind.ARTICLE, lists, (each.id for each in articles)))
    response = answers.respond(request, answer)
    response.headers["Link"] = ", ".join(_links(found, name))
    return response


def _links(found: Feed, name: str) -> list[str]:
    """Return links to this feed and to its other forms (RFC 8288)."""
    return [
        f'<{found.address(other)}>; rel="{"self" if other == name else "alternate"}"; type="{media_type}"'
        for other, media_type in FEEDS.items()
    ]
