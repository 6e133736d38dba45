"""Pages of the origins that are let in record consent as their readers; no other page learns anything."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.consent.deciding import decide, decision
from tests.serving import ORIGIN, Store, running, settings_for

FRONT = "https://front.example"
PATHS = ("/v1/consents", "/v1/consents/current", "/v1/consents/current/withdrawal", "/v1/consent-impressions")


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    with running(
        settings_for(database_url, tmp_path, consent_origins=FRONT, consent_cookie_cross_site=True)
    ) as running_store:
        yield running_store


def preflight(reader: httpx.Client, path: str, origin: str, method: str = "POST") -> httpx.Response:
    asked = {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,idempotency-key",
    }
    return reader.options(path, headers={"Origin": origin, **asked})


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_lets_known_pages_call_as_their_reader(client: httpx.Client, path: str) -> None:
    for origin in (FRONT, ORIGIN):
        for method in ("GET", "POST", "DELETE"):
            allowed = preflight(client, path, origin, method)
            assert allowed.status_code == 200
            assert allowed.headers["access-control-allow-origin"] == origin
            assert allowed.headers["access-control-allow-credentials"] == "true"
            assert method in allowed.headers["access-control-allow-methods"]
            assert {"content-type", "idempotency-key"} <= set(
                allowed.headers["access-control-allow-headers"].lower().split(", ")
            )
            assert "origin" in allowed.headers["vary"].lower()


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_lets_nobody_else_call(client: httpx.Client, path: str) -> None:
    for origin in ("https://elsewhere.example", "null", f"{FRONT}.evil.example", "http://front.example"):
        refused = preflight(client, path, origin)
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers
    assert preflight(client, path, FRONT, "PUT").status_code == 400


def test_a_page_of_another_origin_decides_reads_and_withdraws_with_its_readers_cookie(
    client: httpx.Client,
) -> None:
    page = {"Origin": FRONT, "Sec-Fetch-Site": "cross-site"}
    recorded = client.post("/v1/consents", json=decision(), headers=page)
    assert "SameSite=None" in recorded.headers["set-cookie"]
    standing = client.get("/v1/consents/current", headers=page)
    withdrawn = client.post("/v1/consents/current/withdrawal", headers=page)
    assert (standing.json()["status"], withdrawn.json()["status"]) == ("ConsentGiven", "ConsentWithdrawn")
    for answer in (recorded, standing, withdrawn, client.post("/v1/consents", json={}, headers=page)):
        assert answer.headers["access-control-allow-origin"] == FRONT
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "origin" in answer.headers["vary"].lower()


def test_a_foreign_page_cannot_read_where_a_reader_stands(client: httpx.Client) -> None:
    decide(client)
    seen = client.get("/v1/consents/current", headers={"Origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in seen.headers


def test_notices_are_there_for_every_page(client: httpx.Client) -> None:
    shown = client.get("/v1/consent-notices/default/current", headers={"Origin": "https://elsewhere.example"})
    assert (shown.status_code, shown.headers["access-control-allow-origin"]) == (200, "*")
