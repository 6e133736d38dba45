"""Requests, statements and calls to others are traced where OpenTelemetry is told so, and nobody pays for it
elsewhere.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from service import tracing
from service.outbound.post import post
from service.settings import Settings
from tests.articles.newsroom import published
from tests.commands import environment
from tests.purging.front import called
from tests.serving import EDITOR, Store, running


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """All that is traced in this test."""
    exporter = InMemorySpanExporter()
    tracing.begin(exporter, at_once=True)
    yield exporter
    tracing.end()


@pytest.fixture
def store(settings: Settings, spans: InMemorySpanExporter) -> Iterator[Store]:
    """A store that is traced."""
    with running(settings) as made:
        spans.clear()
        yield made


def of_trace(root: ReadableSpan, spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.context.trace_id == root.context.trace_id]


def requests(spans: InMemorySpanExporter, path: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if dict(span.attributes).get("http.target") == path]


def test_a_request_is_a_trace_with_its_statements(store: Store, spans: InMemorySpanExporter) -> None:
    with store.client(*EDITOR) as editor, store.client() as reader:
        article = published(editor)
        (made,) = requests(spans, "/v1/articles")
        statements = [
            dict(span.attributes)["db.statement"]
            for span in of_trace(made, spans)
            if "db.statement" in span.attributes
        ]
        assert any(statement.startswith("INSERT INTO published ") for statement in statements)
        assert article["headline"] not in str(statements)
        address = f"/v1/articles/{article['id']}"
        for _ in range(2):
            assert reader.get(address).status_code == 200
        missed, hit = requests(spans, address)
        assert "published article" in str([span.attributes for span in of_trace(missed, spans)])
        assert "published article" not in str([span.attributes for span in of_trace(hit, spans)])
        listed = reader.get("/v1/articles", params={"section": "x"})
        assert listed.status_code == 200
        reader.get("/health/ready")
        assert requests(spans, "/health/ready") == []
        served = [
            dict(span.attributes) for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER
        ]
        assert served
        assert not any("peer" in name or "client" in name for told in served for name in told)


def test_a_call_to_others_is_a_span(spans: InMemorySpanExporter, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, database_url=f"sqlite:///{tmp_path / 'x.db'}")
    with called() as receiver:
        assert post(settings, receiver.url, {}, b'{"keys": ["x"]}', is_own=True).status == 200
    (span,) = spans.get_finished_spans()
    assert dict(span.attributes)["http.method"] == "POST"


@pytest.mark.slow
def test_nothing_is_imported_where_nothing_is_told() -> None:
    told = [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    ]
    program = (
        "import os, sys; from service import main, tracing\n"
        "parts = 'opentelemetry.sdk', 'opentelemetry.instrumentation'\n"
        f"for told in {told!r}:\n"
        "    os.environ.update(told); tracing.begin_as_told()\n"
        "    if tracing.is_on() or any(name.startswith(parts) for name in sys.modules): sys.exit(str(told))\n"
        "    for name in told: del os.environ[name]\n"
    )
    known = {name: value for name, value in environment().items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=known, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_what_the_environment_says_begins_it() -> None:
    program = (
        "import sys; from service import tracing; tracing.begin_as_told(); sys.exit(not tracing.is_on())"
    )
    known = environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    assert subprocess.run([sys.executable, "-c", program], env=known, check=False).returncode == 0
