"""Trace requests, statements and calls to others with OpenTelemetry, where it is installed and told where to.

Without the extra `otel`, or without an `OTEL_…` variable that says where traces go, no instrument is imported
and nothing is wrapped.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
import structlog
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

NOT_TRACED = "health,metrics"
"""Addresses that are for machines, as the instrumentation matches them."""
_CLIENT = "copydesk.client"
_TOLD_BY = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)
log = structlog.get_logger()


class _Tracing:
    """The tracing of one process. `provider` is None while nothing is traced."""

    provider: "TracerProvider | None" = None


_this = _Tracing()


def is_wanted() -> bool:
    """Return whether the environment says where traces go."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(map(os.environ.get, _TOLD_BY))


def begin_as_told() -> None:
    """Begin to trace, if the environment says where to and the extra is installed."""
    if not is_wanted():
        return
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        log.warning("nothing is traced: install copydesk[otel]")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    begin(OTLPSpanExporter())


def begin(exporter: "SpanExporter", *, at_once: bool = False) -> None:
    """Trace all apps, engines and calls that are made from now on."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "copydesk"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(SimpleSpanProcessor(exporter) if at_once else BatchSpanProcessor(exporter))
    _this.provider = provider


def end() -> None:
    """Send what is left, and trace nothing any more."""
    if _this.provider is None:
        return
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    if SQLAlchemyInstrumentor().is_instrumented_by_opentelemetry:
        SQLAlchemyInstrumentor().uninstrument()
    provider, _this.provider = _this.provider, None
    provider.shutdown()


def is_on() -> bool:
    """Return whether anything is traced."""
    return _this.provider is not None


def follow(engines: Sequence[Engine]) -> None:
    """Trace the statements of engines. Values are never among what is told."""
    if _this.provider is None:
        return
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor

    SQLAlchemyInstrumentor().instrument(
        engines=list(engines),
        tracer_provider=_this.provider,
        # The instrumentation claims to support SQLAlchemy up to 2.0. A test shows that it works with 2.1.
        skip_dep_check=True,
    )


def called(transport: httpx.BaseTransport) -> httpx.BaseTransport:
    """Return a transport whose calls to others are traced."""
    if _this.provider is None:
        return transport
    from opentelemetry.instrumentation.httpx import SyncOpenTelemetryTransport

    return SyncOpenTelemetryTransport(transport, tracer_provider=_this.provider)


def reading(statement: str) -> AbstractContextManager["Span"]:
    """Trace one question to the database that goes past the engines. Only while something is traced."""
    from opentelemetry.trace import SpanKind

    assert _this.provider is not None
    tracer = _this.provider.get_tracer("copydesk")
    return tracer.start_as_current_span(
        "SELECT", kind=SpanKind.CLIENT, attributes={"db.statement": statement}
    )


def traced(app: ASGIApp) -> ASGIApp:
    """Return an app whose requests are traced. Nothing is told of the address that a reader comes from."""
    if _this.provider is None:
        return app
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    async def with_address(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": scope[_CLIENT]} if _CLIENT in scope else scope, receive, send)

    middleware = OpenTelemetryMiddleware(
        with_address,
        excluded_urls=NOT_TRACED,
        tracer_provider=_this.provider,
        exclude_spans=["receive", "send"],
    )

    async def without_address(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "client": None, _CLIENT: scope.get("client")}
        await middleware(scope, receive, send)

    return without_address
