"""/metrics: what is counted, in few and known labels."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.articles.newsroom import mark, published


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
    assert count(client, method="GET", route="/v1/articles/{key}", status="200") >= 1
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
