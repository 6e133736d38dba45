"""Answer at the addresses that people and programs try first, and lead them on."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from service import __version__
from service.http.negotiation import choose_type
from service.http.routing import Route
from service.published.answers import made, public_headers, respond
from service.services import service
from service.settings import Settings

router = APIRouter(include_in_schema=False)
documents = APIRouter(include_in_schema=False, route_class=Route)
apex = APIRouter(include_in_schema=False)
"""The address of the whole store, where it shows no pages."""
ADDRESSES = {
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "articles": "/v1/articles",
    "images": "/v1/images",
    "captions": "/v1/captions",
    "changes": "/v1/changes",
    "consent_notices": "/v1/consent-notices",
    "rss": "/feeds/rss.xml",
    "sitemap": "/sitemaps/index.xml",
    "health": "/health/ready",
}
YAML = "application/yaml"
"""RFC 9512."""


@apex.get("/")
@router.get("/v1")
@router.get("/v1/")
def get_index(request: Request, accept: Annotated[str, Header()] = "") -> Response:
    """Lead a browser to the documentation, and list the addresses for a program."""
    headers = {**public_headers(service(request, Settings)), "Vary": "Accept"}
    if choose_type(accept, ("application/json", "text/html")) == "text/html":
        return RedirectResponse("/docs", 303, headers)
    body = orjson.dumps({"name": "Copydesk", "version": __version__, **ADDRESSES})
    return Response(body, 200, headers, "application/json")


@router.get("/robots.txt")
def get_robots(request: Request) -> Response:
    """Tell crawlers which addresses they may follow (RFC 9309), and where the sitemaps are."""
    settings = service(request, Settings)
    # Without pages, and without an address of the publication's own, articles are to be read in the API.
    has_pages = settings.web == "on" or settings.article_url
    lines = [
        "User-agent: *",
        *(["Disallow: /v1/"] if has_pages else []),
        "Disallow: /consent",
        "Disallow: /search",
        "",
        f"Sitemap: {settings.public_url}/sitemaps/index.xml",
        f"Sitemap: {settings.public_url}/sitemaps/news.xml",
    ]
    return PlainTextResponse("\n".join(lines) + "\n", headers=public_headers(settings))


@router.get("/sitemap.xml")
def get_sitemap(request: Request) -> Response:
    """Lead to the sitemaps."""
    return RedirectResponse("/sitemaps/index.xml", 308, public_headers(service(request, Settings)))


@documents.get("/openapi.json")
def get_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return _document(request, orjson.dumps(request.app.openapi()), "application/json")


@documents.get("/openapi.yaml")
def get_openapi_as_yaml(request: Request) -> Response:
    """Return the OpenAPI document. JSON is YAML too (YAML 1.2, section 1.3)."""
    return _document(request, orjson.dumps(request.app.openapi(), option=orjson.OPT_INDENT_2), YAML)


def _document(request: Request, body: bytes, media_type: str) -> Response:
    """Answer with a document that changes with the code alone, so that it is written out and
    compressed once.
    """
    return respond(request, made(body, media_type, ("openapi",), service(request, Settings)))
