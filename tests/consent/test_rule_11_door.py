"""Rule 11: public writes are guarded."""

from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import httpx
import orjson
import pytest

from service import sharing
from service.consent.decisions.subjects import COOKIE
from service.settings import Settings
from tests.consent.deciding import decide, decision, retries, rows
from tests.serving import ORIGIN, Store, another, running, settings_for


def test_rule_11_pages_of_foreign_origins_record_nothing(store: Store, client: httpx.Client) -> None:
    foreign = [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in foreign:
        for path in ("/v1/consents", "/v1/consents/current/withdrawal"):
            refused = client.post(path, json={}, headers=headers)
            assert refused.status_code == 403
            assert refused.json()["type"] == "/problems/foreign-origin"
    assert rows(store) == 0
    for headers in ({"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        decide(client, headers=headers)


def test_rule_11_origins_can_be_let_in(database_url: str, tmp_path: Path) -> None:
    front = "https://front.example"
    with (
        running(settings_for(database_url, tmp_path, consent_origins=(front,))) as store,
        store.client() as reader,
    ):
        decide(reader, headers={"Origin": front, "Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize("environment", ["development", "production"])
def test_rule_11_names_of_this_machine_are_one_origin_in_development_only(
    database_url: str, tmp_path: Path, environment: str
) -> None:
    named = {
        "public_url": "https://127.0.0.1:8000",
        "consent_origins": "http://localhost:5173",
        "environment": environment,
    }
    with running(settings_for(database_url, tmp_path, **named)) as store, store.client() as reader:
        for origin in ("https://127.0.0.1:8000", "http://localhost:5173"):
            decide(reader, headers={"Origin": origin})
        for origin in ("https://localhost:8000", "https://[::1]:8000", "http://127.0.0.1:5173"):
            answer = reader.post("/v1/consents", json=decision(), headers={"Origin": origin})
            assert answer.status_code == (201 if environment == "development" else 403), origin
        for origin in (
            "https://localhost:8001",
            "http://localhost:8000",
            "https://localhost.evil.example:8000",
            "https://localhost",
        ):
            assert (
                reader.post("/v1/consents", json=decision(), headers={"Origin": origin}).status_code == 403
            ), origin


def test_rule_11_bodies_are_small(client: httpx.Client) -> None:
    body = orjson.dumps(decision()) + b" " * 8192
    refused = client.post("/v1/consents", content=body, headers={"Content-Type": "application/json"})
    assert refused.status_code == 413
    assert refused.json()["type"] == "/problems/too-large"


def test_rule_11_media_types_are_known_and_beacons_are_taken(client: httpx.Client) -> None:
    body = orjson.dumps(decision())
    for media_type in (
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "image/png",
        "text/html",
    ):
        assert (
            client.post("/v1/consents", content=body, headers={"Content-Type": media_type}).status_code == 415
        )
    assert client.post("/v1/consents", content=body).status_code == 415
    for media_type in ("text/plain;charset=UTF-8", "application/json", "application/vnd.example+json"):
        assert (
            client.post("/v1/consents", content=body, headers={"Content-Type": media_type}).status_code == 201
        )
    assert (
        client.post("/v1/consents", content=b"a=1&b=2", headers={"Content-Type": "text/plain"}).status_code
        == 400
    )
    assert (
        client.post("/v1/consents", content=b'"text"', headers={"Content-Type": "text/plain"}).status_code
        == 422
    )


@pytest.fixture
def busy_settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(
        database_url, tmp_path, consent_rate_limit=5, trusted_proxies=("127.0.0.0/8", "10.0.0.1")
    )


def test_rule_11_a_flood_from_one_network_is_turned_away(busy_settings: Settings) -> None:
    with running(busy_settings) as store, store.client() as reader:
        for _ in range(5):
            decide(reader, headers={"X-Forwarded-For": "198.51.100.1, 10.0.0.1"})
        flooded = reader.post("/v1/consents", json=decision(), headers={"X-Forwarded-For": "198.51.100.1"})
        assert flooded.status_code == 429
        assert flooded.headers["content-type"] == "application/problem+json"
        assert 1 <= int(flooded.headers["retry-after"]) <= 12
        decide(reader, headers={"X-Forwarded-For": "198.51.100.1, 198.51.100.2"})


def test_rule_11_no_flood_keeps_a_reader_from_leaving(busy_settings: Settings) -> None:
    withdrawal, form = (
        "/v1/consents/current/withdrawal",
        {"headers": {"Origin": ORIGIN}, "data": {"back": "/"}},
    )
    with running(busy_settings) as store, store.client() as reader, store.client() as flood:
        for _ in range(5):
            decide(reader)
        assert reader.post("/v1/consents", json=decision()).status_code == 429
        assert reader.post(withdrawal).json()["status"] == "ConsentWithdrawn"
        flood.cookies.set(COOKIE, "made up", domain="copydesk.example")
        answers = [flood.post(withdrawal).status_code for _ in range(6)]
        assert answers == [200] * 4 + [429] * 2
        assert reader.post(withdrawal).status_code == 200
        assert reader.post("/consent/withdrawal", **form).status_code == 303
        assert flood.post("/consent/withdrawal", **form).status_code == 429
        assert flood.delete("/v1/consents/current").status_code == 429
        assert reader.delete("/v1/consents/current").status_code == 204
        assert reader.post(withdrawal).status_code == 429  # nothing is kept, so there is nothing to withdraw


def test_rule_11_a_limit_holds_over_all_processes_and_leaves_no_address(
    busy_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv(sharing.FOLDER, str(shared))
    network = {"X-Forwarded-For": "198.51.100.1"}
    changes = {"consent_rate_limit": 5, "trusted_proxies": busy_settings.trusted_proxies}
    monkeypatch.setenv("COPYDESK_TOGETHER_KEY", "ab" * 32)
    with (
        running(busy_settings) as store,
        another(store, **changes) as second,
        store.client() as here,
        second.client() as there,
    ):
        for reader in (here, there, here, there, here):
            decide(reader, headers=network)
        assert there.post("/v1/consents", json=decision(), headers=network).status_code == 429
    remembered = b"".join(file.read_bytes() for file in shared.iterdir())
    assert remembered.strip(b"\0")
    assert ip_address("198.51.100.1").packed not in remembered


def test_rule_11_a_proxy_that_is_not_named_is_told_of_once(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(database_url, tmp_path, log_level="warning")
    with running(settings) as store, store.client() as reader:
        for _ in range(2):
            decide(reader, headers={"X-Forwarded-For": "198.51.100.1"})
    said = capfd.readouterr().err
    assert said.count("COPYDESK_TRUSTED_PROXIES") == 1
    assert "198.51.100.1" not in said


def test_rule_11_one_customers_networks_are_one(busy_settings: Settings) -> None:
    with running(busy_settings) as store, store.client() as reader:
        for number in range(5):
            decide(reader, headers={"X-Forwarded-For": f"2001:db8:1:a{number}::{number}"})
        assert (
            reader.post(
                "/v1/consents", json=decision(), headers={"X-Forwarded-For": "2001:db8:1:af::1"}
            ).status_code
            == 429
        )
        decide(reader, headers={"X-Forwarded-For": "2001:db8:1:1b0::1"})


@pytest.mark.slow
def test_rule_11_a_crowd_behind_one_address_is_let_in(database_url: str, tmp_path: Path) -> None:
    with running(settings_for(database_url, tmp_path)) as store, store.client() as reader:
        for _ in range(120):
            decide(reader, "reject_all")
            reader.cookies.clear()


def test_rule_11_a_client_that_retries_is_not_a_flood(busy_settings: Settings) -> None:
    with running(busy_settings) as store:
        answers = retries(store, decision(), {"Idempotency-Key": str(uuid4())}, 30)
    assert {answer.status_code for answer in answers} == {201}
