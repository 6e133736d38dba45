"""/metrics: what is counted, in few and known labels."""

import os
import subprocess
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service import sharing
from tests import postgres
from tests.articles.newsroom import mark, problem, published
from tests.commands import served
from tests.databases import migrate
from tests.patience import PATIENCE, wait_until
from tests.serving import Store, another


def samples(client: httpx.Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def count(client: httpx.Client, **labels: str) -> float:
    return samples(client).get(("copydesk_requests_total", tuple(sorted(labels.items()))), 0)


def test_requests_are_counted_by_route_method_and_status(client: httpx.Client, editor: httpx.Client) -> None:
    before = count(client, method="POST", route="/v1/articles", status="201")
    article = published(editor)
    editor.get(f"/v1/articles/{article['id']}")
    assert count(client, method="POST", route="/v1/articles", status="201") == before + 1
    assert count(client, method="GET", route="/v1/articles/{article_id}", status="200") >= 1
    seconds = [
        name
        for name, labels in samples(client)
        if name == "copydesk_request_seconds_count" and dict(labels)["route"] == "/v1/articles"
    ]
    assert seconds


def test_hits_and_misses_of_the_cache_are_counted(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    before = samples(client)
    for _ in range(5):
        client.get(f"/v1/articles/{article['id']}")
    after = samples(client)
    assert after["copydesk_cache_misses_total", ()] == before["copydesk_cache_misses_total", ()] + 1
    assert after["copydesk_cache_hits_total", ()] == before["copydesk_cache_hits_total", ()] + 4
    assert after["copydesk_cache_entries", ()] >= 1
    assert after["copydesk_cache_bytes", ()] > 0


def test_what_callers_make_up_makes_no_labels(client: httpx.Client) -> None:
    client.get("/metrics")
    for _ in range(30):
        word = mark()
        client.request(word.upper(), f"/v1/{word}")
        client.get(f"/v1/{word}?{word}={word}")
        client.get(f"/v1/articles/{word}?body=html")
    labels = {str(labels) for _, labels in samples(client)}
    assert len(labels) < 400
    assert word not in str(labels)
    assert word.upper() not in str(labels)


def test_queues_and_connections_are_measured(client: httpx.Client, admin: httpx.Client) -> None:
    hook = admin.post("/v1/webhooks", json={"url": "https://partner.example/hook", "enabled": False}).json()
    wait_until(
        lambda: samples(client)["copydesk_database_up", ()] == 1, "the queues were never counted in time"
    )
    known = samples(client)
    for name in (
        "copydesk_webhook_pending",
        "copydesk_webhook_oldest_seconds",
        "copydesk_consent_unsealed",
        "copydesk_rendering_waiting",
        "copydesk_renditions_waiting",
        "copydesk_followers",
        "copydesk_database_connections",
        "copydesk_database_waiting",
    ):
        assert known[name, ()] >= 0
    admin.delete(f"/v1/webhooks/{hook['id']}", headers={"If-Match": "*"})


def test_metrics_need_the_token_that_is_set_and_are_closed_in_production(store: Store) -> None:
    token = "a token for the monitoring"
    production = {"environment": "production", "trusted_proxies": "127.0.0.1"}
    with another(store, metrics_token=token) as guarded, guarded.client() as client:
        problem(client.get("/metrics"), 401)
        problem(client.get("/metrics", headers={"Authorization": f"Bearer {token}x"}), 401)
        assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    with another(store, **production) as closed, closed.client("admin") as administrator:
        problem(administrator.get("/metrics"), 401)


def test_what_a_killed_process_has_shared_is_removed_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_IN_MEMORY", tmp_path)
    for name in (sharing.FOLDER, "COPYDESK_TOGETHER_KEY"):
        monkeypatch.setenv(name, "")
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, used = (tmp_path / f"copydesk-together-{pid}-x" for pid in (ended.pid, os.getpid()))
    left.mkdir()
    used.mkdir()
    with sharing.together(2):
        assert not left.exists()
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [used]


@pytest.mark.slow
def test_every_process_tells_the_figures_of_all(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        settings = {"COPYDESK_WORKERS": "2", "COPYDESK_LOG_LEVEL": "error", "COPYDESK_DATABASE_URL": url}
        with served(tmp_path, "serve", **settings) as (base, _):
            for _ in range(30):
                # Each on a connection of its own, because the kernel deals those out.
                assert httpx.post(f"{base}/v1/articles", timeout=PATIENCE).status_code == 401
            told = set()
            for _ in range(8):
                with httpx.Client(base_url=base, timeout=PATIENCE) as client:
                    told.add(count(client, method="POST", route="/v1/articles", status="401"))
            assert told == {30}
