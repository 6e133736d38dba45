"""X-Request-ID, in and out, and in the log."""

import json
from pathlib import Path

import httpx
import pytest

from tests.articles.newsroom import published
from tests.databases import KINDS
from tests.serving import serving

ADDRESSES = [
    "/v1/articles",
    "/v1/articles",
    "/v1/articles/nothing",
    "/v1/nowhere",
    "/v1/articles?limit=x",
    "/health/live",
    "/metrics",
    "/openapi.json",
]


@pytest.mark.slow
def test_an_id_that_is_sent_comes_back(client: httpx.Client, editor: httpx.Client) -> None:
    for caller in (client, editor):
        for address in ADDRESSES:
            for method in ("GET", "HEAD", "DELETE"):
                answer = caller.request(method, address, headers={"X-Request-ID": "edge-7.a:B_c"})
                assert answer.headers.get_list("x-request-id") == ["edge-7.a:B_c"]


@pytest.mark.slow
@pytest.mark.parametrize("sent", ["", " ", "a b", "x" * 129, "<script>", 'a"b', "\u00e4", "a,b"])
def test_an_id_that_is_not_plain_is_replaced(client: httpx.Client, sent: str) -> None:
    for address in ADDRESSES:
        given = client.get(address, headers={"X-Request-ID": sent.encode("latin-1")}).headers["x-request-id"]
        assert given != sent
        assert len(given) == 32


def test_each_request_gets_its_own(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    ids = [client.get(f"/v1/articles/{article['id']}").headers["x-request-id"] for _ in range(5)]
    assert len(set(ids)) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_has_the_id_that_the_answer_has(
    kind: str, tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(kind, tmp_path, sqlite_template, log_level="info") as store, store.client() as client:
        given = [
            client.get(address).headers["x-request-id"]
            for address in (
                "/v1/articles?count=true",
                "/v1/nowhere",
                "/v1/articles?q=x",
                "/v1/articles?limit=x",
            )
        ]
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logged = [line["request_id"] for line in lines if line["event"] == "request"]
    assert logged == given
