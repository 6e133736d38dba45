"""Put the service together: mount the rooms, shape refusals, start and stop the jobs beside the requests."""

import base64
import gc
import hashlib
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import anyio
import structlog
from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute, iter_route_contexts
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware, remove_compress_type

from service import __version__, health, signposts, tokens, tracing
from service.articles import embargoed, history, name_routes, previews
from service.articles import routes as article_routes
from service.articles.public_lists import plain_list
from service.background import Background, every
from service.bulk import routes as bulk_routes
from service.consent.audit import routes as report_routes
from service.consent.decisions import klaro
from service.consent.decisions import routes as consent_routes
from service.consent.log import routes as log_routes
from service.consent.notices import routes as notice_routes
from service.copies.gathering import Copies
from service.database import Database
from service.edge.cache import WireCache
from service.edge.connections import CONNECTIONS, Connections
from service.edge.cors import Cors
from service.edge.from_replicas import FromReplicas
from service.edge.logs import Measured, RequestLog, configure_logs
from service.edge.packed import PackedBodies
from service.edge.pieces import Pieces
from service.edge.plain import PlainLists, Understand
from service.edge.safety import Safety
from service.ending import Ending, end_with_parent
from service.errors import Problem
from service.faults import DATABASE_FAULTS, fault_of
from service.formats import article_routes as form_routes
from service.formats.feeds import routes as feed_routes
from service.formats.sitemaps import routes as sitemap_routes
from service.http import openapi, problems
from service.http.callers import TokenUses
from service.http.shortcuts import Shortcuts
from service.images import caption_routes, media
from service.images import routes as image_routes
from service.images.darkroom import sandbox
from service.images.intake import Intake
from service.images.lab import require_sandbox, sandbox_state
from service.images.storage import MediaUnavailable
from service.imports import routes as import_routes
from service.mirror.following import Following
from service.mirror.gate import Gate
from service.outbound.origin import Origin
from service.parts import add_jobs, follow_figures, make_services
from service.probing import Health
from service.published.reader import DatabaseReader
from service.published.replicas import Replicas
from service.published.watch import Watch
from service.recall import routes as recall_routes
from service.services import Services
from service.settings import Settings
from service.starting import Start
from service.sync import digests
from service.sync import routes as sync_routes
from service.web import consent_routes as reader_routes
from service.web import follower_routes as follower_pages
from service.web import front as front_pages
from service.web import missing
from service.web import preview as preview_page
from service.web import report_routes as report_pages
from service.web import routes as page_routes
from service.webhooks import delivery_routes
from service.webhooks import routes as webhook_routes

log = structlog.get_logger()
ROUTERS = (
    # The most called come first, because routes are looked up in this order.
    consent_routes.router,
    consent_routes.ways_out,
    article_routes.router,
    name_routes.router,
    form_routes.router,
    history.router,
    previews.router,
    embargoed.router,
    image_routes.router,
    caption_routes.router,
    media.router,
    consent_routes.counters,
    notice_routes.router,
    log_routes.router,
    consent_routes.well_known,
    klaro.router,
    report_routes.router,
    import_routes.router,
    bulk_routes.router,
    feed_routes.router,
    sitemap_routes.router,
    digests.router,
    sync_routes.router,
    webhook_routes.router,
    delivery_routes.router,
    recall_routes.router,
    recall_routes.pictures_router,
    recall_routes.followers_router,
    tokens.router,
    health.router,
    signposts.router,
    signposts.documents,
)
SHORT = (
    article_routes.router,
    name_routes.router,
    image_routes.router,
    caption_routes.router,
    feed_routes.router,
    sitemap_routes.router,
)
"""Routers whose lists have a shortcut for anonymous readers."""
PLAIN: Mapping[str, Understand] = {
    "/v1/articles": plain_list,
    "/v1/images": image_routes.plain_images,
}
"""Lists whose plain pages one prepared statement reads, without a thread."""
PAGES = (
    front_pages.router,
    page_routes.router,
    preview_page.router,
    reader_routes.router,
    reader_routes.ways_out,
    report_pages.router,
    follower_pages.router,
)
TAGS = {
    "articles": "News stories with their text, pictures and life: draft, scheduled, published, withdrawn.",
    "images": "Pictures: their files, their sizes, and what is said of them.",
    "captions": "What pictures show, in each language, everywhere or in one article.",
    "imports": "Pages and ninjs that become articles.",
    "sync": "Keeping a copy: the change feed, bulk import, recalls.",
    "webhooks": "Addresses that are told of changes, and what became of each message.",
    "feeds": "RSS, Atom and JSON Feed.",
    "sitemaps": "What search engines look for.",
    "consent": "Readers' decisions about cookies.",
    "consent notices": "The words of consent banners, version by version.",
    "consent clients": "Privacy managers of others that record decisions here.",
    "consent log": "Proofs that no decision was changed or left out.",
    "consent reports": "Rates, records and exports for an audit.",
    "tokens": "Who may do what.",
    "running": "Whether the service is well.",
}
"""The purposes of the parts of the API, in the order in which the documentation shows them: routes stand in
that in which they are looked for.
"""
ABOUT = """A content store for news. Front ends read published articles with their pictures and captions, and
record readers' consent; integrators write. Every error is a problem (RFC 9457)."""


class Api(FastAPI):
    """FastAPI, whose document is finished before it is served."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.finished(super().openapi())
        return self.openapi_schema


def create_app(settings: Settings) -> ASGIApp:
    """Make the whole service as one ASGI app."""
    api = create_api(settings)
    return _layered(api, api.state.services)


def create_api(settings: Settings) -> FastAPI:
    """Make the API, without the layers in front of it."""
    app = Api(
        title="Copydesk",
        version=__version__,
        description=ABOUT,
        openapi_tags=[{"name": tag, "description": text} for tag, text in TAGS.items()],
        servers=[{"url": "/", "description": "this store"}],
        contact={"name": settings.site_name, "url": settings.public_url},
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        max_body_size=settings.body_max_bytes,
        lifespan=_lifespan,
        routes=[*_routes(settings.web == "on", settings.body_max_bytes, settings.upload_max_bytes)],
    )
    app.state.services = make_services(settings)
    problems.install_problems(app)
    app.add_middleware(Shortcuts, routers=SHORT)
    if settings.web == "on":
        app.add_exception_handler(404, missing.answer_missing)
    return app


@cache
def _routes(has_pages: bool, body_max_bytes: int, upload_max_bytes: int) -> tuple[BaseRoute, ...]:  # noqa: FBT001  # the key of a cache
    """Return the routes of an app. They hold nothing of one app, so that apps with the same limits share
    them: FastAPI examines the parameters of each endpoint once for each list of routes, which takes 0.1 s.
    """
    root = APIRouter(
        generate_unique_id_function=_operation_id,
        max_body_size=body_max_bytes,
        responses={"default": {"model": Problem}},
    )
    for router in (*ROUTERS, *(PAGES if has_pages else (signposts.apex,))):
        root.include_router(router)
    # Each endpoint has an exact limit and names it. This one only stops bodies that are far larger.
    root.include_router(image_routes.uploads, max_body_size=16 * upload_max_bytes)
    root.add_api_route("/docs", _documentation, include_in_schema=False)
    root.mount("/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    return tuple(root.routes)


def _documentation() -> Response:
    """Swagger UI, of whose package the files alone are served. Its own page names the assets by the host that
    it was asked for, and by http behind a proxy that opens TLS.
    """
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Copydesk",
        swagger_js_url="/swagger/swagger-ui-bundle.js",
        swagger_css_url="/swagger/swagger-ui.css",
        swagger_favicon_url="/swagger/favicon-32x32.png",
        swagger_ui_parameters={"filter": True, "persistAuthorization": False, "tryItOutEnabled": True},
    )
    (script,) = re.findall(rb"<script>(.*?)</script>", bytes(page.body), re.DOTALL)
    known = base64.b64encode(hashlib.sha256(script).digest()).decode()
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self' 'sha256-{known}'; style-src 'self' 'unsafe-inline'; img-src"
        " 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return page


def _layered(app: FastAPI, services: Services) -> ASGIApp:
    """Return the layers in front of the router, innermost first. All are pure ASGI; the cache answers before
    the costly ones.
    """
    settings, registry = services.get(Settings), services.get(CollectorRegistry)
    # A compressor for each stream would cost a thousand idle followers gigabytes; pages of the feed are
    # compressed.
    remove_compress_type("text/event-stream")
    unpacked: ASGIApp = PackedBodies(app)
    if settings.mirror_of is not None:
        unpacked = Gate(unpacked, settings.mirror_of)
    logged = RequestLog(problems.ShapedRefusals(unpacked), Measured(registry), Safety(settings))
    compressed = CompressMiddleware(Pieces(logged))
    replicas, database = services.get(Replicas), services.get(Database)
    public = FromReplicas(logged, replicas, services.get(DatabaseReader), database) if replicas else logged
    # Sessions on replicas are chosen by the number that they have reached, and a pooler prepares nothing.
    lists = None if replicas or settings.is_pooled else PlainLists(app, SHORT, PLAIN)
    reader, watch = services.get(DatabaseReader), services.get(Watch)
    cache = WireCache(Cors(compressed, settings), public, settings, reader, watch, lists)
    follow_figures(services, cache)
    if settings.mirror_of is not None:
        services.get(Following).forget = cache.forget
    return tracing.traced(cache)


def _operation_id(route: APIRoute) -> str:
    return route.name


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Connections]]:
    """Refuse a store with another schema. Then run the jobs while requests are served."""
    services: Services = app.state.services
    settings, database, reader = services.get(Settings), services.get(Database), services.get(DatabaseReader)
    configure_logs(settings)
    start = Start(database)
    await start.begin()
    require_sandbox(settings)
    if (walls := sandbox_state(settings)) != "ok":
        log.warning("pictures are decoded without all walls", picture_sandbox=walls)
    try:
        services.get(Intake).store.prepare()
    except MediaUnavailable as fault:
        # Articles are served without their pictures: /health/ready says so until the store is there.
        log.warning("media store unavailable", fault=fault.detail)
    await reader.open()
    add_jobs(services)
    # Before the first request: there is a notice to decide on, and what fell due while nobody ran is
    # published.
    await start.end()
    background = services.get(Background)
    if not start.has_ended:
        background.add("start", every(start.step))
    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(background.run)
            with services.get(Ending).heard():
                yield {CONNECTIONS: services.get(Connections)}
            beside.cancel_scope.cancel()
        await _write_down(services)
    finally:
        services.get(Intake).close()
        await services.get(Health).close()
        await services.get(Watch).close()
        await reader.close()
        if settings.mirror_of is not None:
            await services.get(Origin).close()
        database.close()
        tracing.end()
        if background.has_given_up:
            os._exit(1)


async def _write_down(services: Services) -> None:
    """Write to the database what is only in memory, if the database takes writes."""
    try:
        await services.get(TokenUses).write()
        await services.get(Copies).write()
    except DATABASE_FAULTS as error:
        log.warning("the last second was not written down", fault=fault_of(error).value)


def app_from_environment() -> ASGIApp:
    """Return the factory that a server calls."""
    settings = Settings()
    end_with_parent()
    tracing.begin_as_told()
    if settings.picture_sandbox != "off":
        # This process's environment holds the secrets that the others of its user must not read.
        sandbox.hide()
    api = create_api(settings)
    examine(api)
    app = _layered(api, api.state.services)
    spare_what_stays()
    # Each thread that makes a large answer keeps the event loop waiting for so long, again and again.
    sys.setswitchinterval(0.001)
    return app


def examine(app: FastAPI) -> None:
    """Have FastAPI examine all endpoints now. It would do so when it is first asked for one, and hold up all
    requests of a fresh process for a third of a second.
    """
    for _ in iter_route_contexts(app.routes):
        pass


def spare_what_stays() -> None:
    """Tell Python's collector that what is there now is there for good, and to look for cycles less often.

    It would go through 200,000 objects of modules, models and routes again and again: a fifth of what a write
    takes, and pauses of tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
