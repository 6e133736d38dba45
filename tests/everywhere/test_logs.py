"""Logs are structured and hold nothing personal: no address, no user agent, no query, no token, no text."""

import json
from pathlib import Path

import pytest

from tests.articles.newsroom import draft, mark, published
from tests.databases import KINDS
from tests.serving import EDITOR, serving
from tests.websites import answer, website


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_for_each_request_and_nothing_personal(
    kind: str, tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, agent, visitor = mark(), f"Agent/{mark()}", "203.0.113.77"
    headers = {
        "User-Agent": agent,
        "X-Forwarded-For": visitor,
        "Cookie": f"subject={secret}",
        "Referer": f"https://x.example/{secret}",
    }
    with (
        serving(kind, tmp_path, sqlite_template, log_level="debug") as store,
        store.client() as client,
        store.client(*EDITOR) as editor,
    ):
        token = editor.headers["authorization"].removeprefix("Bearer ")
        for caller in (client, editor):
            caller.headers.update(headers)
            for address in (
                f"/v1/articles?q={secret}",
                f"/v1/articles/{secret}",
                f"/v1/articles?nonsense={secret}",
                f"/v1/{secret}",
                f"/v1/articles?cursor={secret}",
            ):
                caller.get(address)
        article = draft(editor, headline=f"Unpublished {secret}", source="wire", external_id=secret)
        editor.post("/v1/articles", json={"headline": secret, "source": "wire", "external_id": secret})
        editor.post("/v1/articles", json={"headline": 1, secret: secret})
        editor.patch(f"/v1/articles/{article['id']}", json={"headline": secret}, headers={"If-Match": '"9"'})
        published(editor)
        client.post("/v1/articles", json={}, headers={"Authorization": f"Bearer {secret}"})
        log = capsys.readouterr().err
    for personal in (secret, agent, visitor, token, "testclient", "127.0.0.1"):
        assert personal not in log
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= 12
    for line in requests:
        assert set(line) == {"event", "method", "route", "status", "ms", "request_id", "level", "timestamp"}
    assert {line["route"] for line in requests} >= {
        "/v1/articles",
        "/v1/articles/{article_id}",
        "none",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_in_the_log_and_not_in_the_answer(
    kind: str, tmp_path: Path, sqlite_template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(kind, tmp_path, sqlite_template) as store, store.client(*EDITOR) as editor:
        article = published(editor)
        with store.database.engine.begin() as connection:
            connection.exec_driver_sql('UPDATE article SET body = \'[{"type": "lost"}]\'')
        answer = editor.get(f"/v1/articles/{article['id']}")
        log = capsys.readouterr().err
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal-error")
    assert "lost" not in answer.text
    fault = next(line for line in map(json.loads, log.splitlines()) if line["event"] == "unexpected fault")
    assert fault["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" in fault["exception"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_import_leaves_no_address_in_any_log_nor_what_the_extractor_thinks(
    kind: str, tmp_path: Path, sqlite_template: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = mark()
    with website() as other, serving(kind, tmp_path, sqlite_template, outbound_allow_loopback=True) as store:
        other.pages[f"/page?key={secret}"] = answer(
            b"<html><body><nav>menu</nav></body></html>", "Content-Type: text/html"
        )
        caplog.set_level("INFO")
        with store.client(*EDITOR) as editor:
            assert (
                editor.post("/v1/imports", json={"url": f"{other.url}/page?key={secret}"}).status_code == 422
            )
    assert len(other.requests) == 1
    assert secret not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("trafilatura", "httpx"))]
