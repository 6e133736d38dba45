"""The service put together: rooms mounted, refusals shaped, what runs beside the requests started and
stopped.
"""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import anyio
import structlog
from anyio import to_thread
from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from starlette_compress import CompressMiddleware, remove_compress_type

from service import __version__, auth, health, idempotency, problems, tokens
from service.articles import clock, history
from service.articles import models as article_models
from service.articles import routes as article_routes
from service.articles.creating import Creating
from service.auth import TokenUses
from service.consent import (
    defaults,
    impressions,
    klaro,
    log_routes,
    notice_routes,
    report_routes,
    retention,
    sealing,
    upkeep,
)
from service.consent import log as consent_log
from service.consent import models as consent_models
from service.consent import routes as consent_routes
from service.copies import models as copy_models
from service.copies.following import Copies
from service.database import Database
from service.edge.cache import WireCache
from service.edge.cors import Cors
from service.edge.logs import Measured, RequestLog, configure_logs
from service.errors import PROBLEM, Problem
from service.formats import newsarticle
from service.formats import routes as import_routes
from service.formats.bulk import places as bulk_places
from service.formats.bulk import routes as bulk_routes
from service.formats.feeds import routes as feed_routes
from service.formats.ninjs import write as ninjs_writer
from service.formats.sitemaps import routes as sitemap_routes
from service.images import ahead, caption_routes, media
from service.images import models as image_models
from service.images import routes as image_routes
from service.images.darkroom import sandbox
from service.images.intake import Intake
from service.images.lab import require_sandbox, sandbox_state
from service.images.prints import Prints
from service.images.storage import MediaUnavailable
from service.published import models as published_models
from service.published import rendering
from service.published.backlog import Backlog
from service.published.reader import PostgresReader, Reader, SqliteReader
from service.published.waiting import Waiting
from service.published.watch import PostgresWatch, SqliteWatch, Watch
from service.recall import routes as recall_routes
from service.schema import require_migrated
from service.settings import Settings
from service.sync import pruning
from service.sync import routes as sync_routes
from service.web import consent_routes as reader_routes
from service.web import report_routes as report_pages
from service.web import routes as page_routes
from service.webhooks import delivery_routes, outbox
from service.webhooks import models as webhook_models
from service.webhooks import routes as webhook_routes
from service.webhooks.worker import Worker

log = structlog.get_logger()
ROOMS_WITH_TABLES = (
    auth,
    idempotency,
    published_models,
    consent_models,
    consent_log,
    impressions,
    retention,
    sealing,
    image_models,
    article_models,
    copy_models,
    webhook_models,
    bulk_places,
)
LISTENERS = (outbox,)
"""What is told of public changes: named, for each registers itself."""
WRITERS = (newsarticle, ninjs_writer)
"""What writes an article in the forms of others: named, for each registers itself."""
ROUTERS = (
    # First what is called most: a route is looked for in this order.
    consent_routes.router,
    consent_routes.ways_out,
    article_routes.router,
    history.router,
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
    sync_routes.router,
    webhook_routes.router,
    delivery_routes.router,
    recall_routes.router,
    tokens.router,
    health.router,
)
PAGES = (page_routes.router, reader_routes.router, reader_routes.ways_out, report_pages.router)
# A compressor for each stream would cost a thousand idle followers gigabytes; pages of the feed are
# compressed.
remove_compress_type("text/event-stream")
TAGS = (
    "articles",
    "images",
    "captions",
    "imports",
    "sync",
    "webhooks",
    "feeds",
    "sitemaps",
    "consent",
    "consent notices",
    "consent clients",
    "consent log",
    "consent reports",
    "tokens",
    "running",
)
"""The order in which the documentation shows them: routes stand in that in which they are looked for."""
ABOUT = """A content store for news. Front ends read published articles with their pictures and captions, and record readers'
consent; integrators write. Every error is a problem (RFC 9457)."""


class Api(FastAPI):
    """FastAPI, whose document says of problems what they are: `application/problem+json`."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document, made once."""
        if self.openapi_schema is None:
            for path in super().openapi()["paths"].values():
                if "get" in path:
                    path["get"]["responses"].setdefault(
                        "304", {"description": "Unchanged since the ETag in If-None-Match"}
                    )
            responses = (
                response
                for path in super().openapi()["paths"].values()
                for operation in path.values()
                for response in operation["responses"].values()
            )
            for content in (response.get("content", {}) for response in responses):
                for media_type, media in list(content.items()):
                    if media.get("schema", {}).get("$ref", "").endswith("/Problem"):
                        content[PROBLEM] = content.pop(media_type)
        return super().openapi()


def create_app(settings: Settings) -> ASGIApp:
    """Make the whole service as one ASGI app."""
    api = create_api(settings)
    return _layered(api, settings, api.state.reader, api.state.watch)


def create_api(settings: Settings) -> FastAPI:
    """Make the API, without the layers in front of it."""
    database = Database(settings, serves=True)
    reader, watch = _reader_and_watch(settings, database)
    app = Api(
        title="Copydesk",
        version=__version__,
        description=ABOUT,
        openapi_tags=[{"name": tag} for tag in TAGS],
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        max_body_size=settings.body_max_bytes,
        lifespan=_lifespan,
        routes=[*_routes(settings.web == "on", settings.body_max_bytes, settings.upload_max_bytes)],
    )
    app.state.settings, app.state.database = settings, database
    app.state.reader, app.state.watch, app.state.waiting = reader, watch, Waiting(reader, watch)
    app.state.uses = TokenUses(database)
    app.state.copies, app.state.creating = Copies(database), Creating(database)
    app.state.backlog = Backlog(database)
    app.state.intake = Intake(settings)
    app.state.registry = CollectorRegistry()
    app.state.prints = Prints(app.state.intake, app.state.registry)
    problems.install_problems(app)
    return app


@cache
def _routes(has_pages: bool, body_max_bytes: int, upload_max_bytes: int) -> tuple[BaseRoute, ...]:  # noqa: FBT001  # the key of a cache
    """Return the routes of an app. They hold nothing of one app, so that apps with the same limits share them:
    FastAPI examines the parameters of each endpoint once for each list of routes, which takes 0.1 s.
    """
    root = APIRouter(
        generate_unique_id_function=_operation_id,
        max_body_size=body_max_bytes,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
    )
    for router in (*ROUTERS, *(PAGES if has_pages else ())):
        root.include_router(router)
    # The endpoints refuse by the exact limit, with what it is; this one only stops what is far beyond it.
    root.include_router(image_routes.uploads, max_body_size=16 * upload_max_bytes)
    root.add_api_route("/docs", _documentation, include_in_schema=False)
    root.mount("/swagger", StaticFiles(packages=[("fastapi_swagger", "resources")]))
    return tuple(root.routes)


def _documentation() -> Response:
    """Swagger UI, of whose package the files alone are served. Its own page names the assets by the host that
    it was asked for, and by http behind a proxy that opens TLS.
    """
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Copydesk",
        swagger_js_url="/swagger/swagger-ui-bundle.js",
        swagger_css_url="/swagger/swagger-ui.css",
        swagger_favicon_url="/swagger/favicon-32x32.png",
        swagger_ui_parameters={"filter": True, "persistAuthorization": True, "tryItOutEnabled": True},
    )


def _reader_and_watch(settings: Settings, database: Database) -> tuple[Reader, Watch]:
    if settings.is_sqlite:
        reader = SqliteReader(settings)
        return reader, SqliteWatch(reader, database)
    return PostgresReader(settings, database.deadlines), PostgresWatch(database)


def _layered(app: FastAPI, settings: Settings, reader: Reader, watch: Watch) -> ASGIApp:
    """The layers in front of the router, innermost first. All are pure ASGI; the cache answers before the
    costly ones.
    """
    logged = RequestLog(problems.ShapedRefusals(app), Measured(app.state.registry))
    compressed = CompressMiddleware(logged)
    cache = WireCache(Cors(compressed, settings), compressed, settings, reader, watch)
    app.state.registry.register(_CacheMetrics(cache))
    app.state.registry.register(_RenderingMetrics(app.state.backlog))
    return cache


def _operation_id(route: APIRoute) -> str:
    return route.name


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Refuse a schema that is not this code's; then keep the clock and the watch running while requests are
    served.
    """
    settings, database = app.state.settings, app.state.database
    configure_logs(settings)
    require_migrated(database)
    async with database.turn():
        await to_thread.run_sync(rendering.begin, database)
    require_sandbox(settings)
    if (walls := sandbox_state(settings)) != "ok":
        log.warning("pictures are decoded without all walls", picture_sandbox=walls)
    try:
        app.state.intake.store.prepare()
    except MediaUnavailable as fault:
        # Articles are served without their pictures: /health/ready says so until the store is there.
        log.warning("media store unavailable", fault=fault.detail)
    await app.state.reader.open()
    published = ahead.newest(database)
    # Before the first request: there is a notice to decide on, and what fell due while nobody ran is
    # published.
    async with database.turn():
        await to_thread.run_sync(defaults.provide, database)
    await clock.release_all_due(database)
    try:
        # A task group of anyio lets a thread that is at work finish before it is cancelled.
        async with anyio.create_task_group() as beside:
            beside.start_soon(database.deadlines.run)
            beside.start_soon(clock.run, database)
            beside.start_soon(upkeep.run, database)
            beside.start_soon(app.state.watch.run)
            beside.start_soon(app.state.waiting.run)
            beside.start_soon(app.state.uses.run)
            beside.start_soon(app.state.copies.run)
            beside.start_soon(app.state.backlog.run)
            beside.start_soon(pruning.run, database)
            if settings.webhook_concurrency:
                beside.start_soon(Worker(database, settings.webhook_concurrency).run)
            if settings.picture_ahead:
                beside.start_soon(ahead.run, database, app.state.prints, published)
            with app.state.waiting.closing_when_told():
                yield
            beside.cancel_scope.cancel()
        await app.state.uses.write()
        await app.state.copies.write_if_possible()
    finally:
        app.state.intake.close()
        await app.state.reader.close()
        database.close()


class _CacheMetrics(Collector):
    """What the wire cache counts."""

    def __init__(self, cache: WireCache) -> None:
        self.cache = cache

    def collect(self) -> Iterator[Metric]:
        """Read the counts when they are asked for."""
        yield CounterMetricFamily("copydesk_cache_hits", "Answers given from memory", value=self.cache.hits)
        yield CounterMetricFamily(
            "copydesk_cache_misses", "Answers that had to be made", value=self.cache.misses
        )
        yield GaugeMetricFamily(
            "copydesk_cache_bytes", "Memory that ready answers take", value=self.cache.bytes
        )
        yield GaugeMetricFamily("copydesk_cache_entries", "Ready answers", value=len(self.cache))


class _RenderingMetrics(Collector):
    """How far this process is with documents that await rendering."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog

    def collect(self) -> Iterator[Metric]:
        """Read the counts when they are asked for."""
        yield GaugeMetricFamily(
            "copydesk_rendering_waiting", "Documents of an older rendering", value=self.backlog.waiting
        )
        rendered = CounterMetricFamily(
            "copydesk_rendered_again", "Documents that were rendered again", labels=["outcome"]
        )
        rendered.add_metric(["same"], self.backlog.same)
        rendered.add_metric(["changed"], self.backlog.changed)
        rendered.add_metric(["failed"], len(self.backlog.failed))
        yield rendered


def app_from_environment() -> ASGIApp:
    """The factory that a server calls."""
    settings = Settings()
    if settings.picture_sandbox != "off":
        # This process's environment holds the secrets that the others of its user must not read.
        sandbox.hide()
    app = create_app(settings)
    spare_what_stays()
    return app


def spare_what_stays() -> None:
    """Tell Python's collector that what is there now is there for good, and to look for cycles less often.

    It would go through 200,000 objects of modules, models and routes again and again: a fifth of what a write
    takes, and pauses of tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
