"""Pages of other origins may read, as the settings say."""

import httpx
import pytest

from tests.articles.newsroom import draft, problem
from tests.serving import Store, another

FRONT = {"Origin": "https://front.example"}
EXPOSED = {"etag", "link", "location", "x-request-id", "retry-after", "idempotent-replayed"}


@pytest.mark.slow
def test_any_origin_may_read_and_sees_what_it_needs(client: httpx.Client, editor: httpx.Client) -> None:
    for caller in (client, editor):
        for address in (
            "/v1/articles",
            "/v1/articles",
            "/v1/articles/nothing",
            "/v1/nowhere",
            "/v1/articles?limit=x",
            "/health/live",
            "/openapi.json",
        ):
            answer = caller.get(address, headers=FRONT)
            assert answer.headers["access-control-allow-origin"] == "*", address
            assert {
                name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")
            } >= EXPOSED


def test_a_preflight_allows_every_method_and_header_that_the_api_has(client: httpx.Client) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        wanted = "authorization, content-type, if-match, if-none-match, idempotency-key, x-request-id"
        headers = {**FRONT, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
        answer = client.options("/v1/articles/x", headers=headers)
        assert answer.status_code == 200
        assert method in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"].lower() == wanted
        assert int(answer.headers["access-control-max-age"]) > 0


def test_a_preflight_that_is_refused_says_why(client: httpx.Client) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    answer = client.options("/v1/consents", headers={"Origin": "https://evil.example", **asked})
    refused = problem(answer, 400, "preflight-refused")
    assert "access-control-allow-origin" not in answer.headers
    assert client.get(refused["type"]).status_code == 200


def test_no_credentials_are_invited_by_a_wildcard(client: httpx.Client, editor: httpx.Client) -> None:
    draft(editor)
    assert "access-control-allow-credentials" not in client.get("/v1/articles", headers=FRONT).headers


def test_only_the_origins_that_are_named_may_read(store: Store) -> None:
    with (
        another(store, cors_origins="https://front.example, https://other.example") as second,
        second.client() as client,
    ):
        for _ in range(2):
            allowed = client.get("/v1/articles", headers=FRONT)
            assert allowed.headers["access-control-allow-origin"] == "https://front.example"
            assert "origin" in allowed.headers["vary"].lower()
            refused = client.get("/v1/articles", headers={"Origin": "https://evil.example"})
            assert "access-control-allow-origin" not in refused.headers
            assert "origin" in refused.headers["vary"].lower()
