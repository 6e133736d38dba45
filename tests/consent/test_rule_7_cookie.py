"""Rule 7: only a decision sets a cookie, and only the cookie leads to a record."""

import re
from pathlib import Path

import httpx

from service.consent.decisions.subjects import COOKIE
from tests.consent.deciding import ago, current, decide, decision, events, secret_of
from tests.serving import Store, running, settings_for


def test_rule_7_only_a_decision_sets_a_cookie(client: httpx.Client) -> None:
    for path in (
        "/v1/consent-notices",
        "/v1/consent-notices/default/current",
        "/v1/consents/current",
        "/.well-known/gpc.json",
    ):
        assert "set-cookie" not in client.get(path).headers
    assert "set-cookie" not in client.post("/v1/consents/current/withdrawal").headers
    cookie = client.post("/v1/consents", json=decision()).headers["set-cookie"]
    name, _, rest = cookie.partition("=")
    secret, *attributes = rest.split("; ")
    assert name == "__Host-consent_subject"
    assert re.fullmatch("[A-Za-z0-9_-]{22}", secret)
    assert set(attributes) >= {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert "Domain" not in cookie


def test_rule_7_a_deployment_across_sites_partitions_its_cookie(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(database_url, tmp_path, consent_cookie_cross_site=True)
    with running(settings) as store, store.client() as reader:
        cookie = reader.post("/v1/consents", json=decision()).headers["set-cookie"]
    assert {"SameSite=None", "Partitioned", "Secure"} <= set(cookie.split("; "))


def test_rule_7_a_reader_keeps_one_cookie(client: httpx.Client) -> None:
    decide(client)
    secret = secret_of(client)
    decide(client, "reject_all")
    assert secret_of(client) == secret
    assert len(events(client)) == 2


def test_rule_7_a_consent_id_correlates_and_never_authorises(store: Store) -> None:
    body = decision(consent_id="4f2c", client_event_time=ago(minutes=1))
    with store.client() as reader, store.client() as stranger:
        reader.post("/v1/consents", json=body)
        reader.post("/v1/consents/current/withdrawal")
        replayed = stranger.post("/v1/consents", json=body)
        assert "set-cookie" not in replayed.headers
        assert replayed.json()["status"] == "ConsentGiven", "what came after the event is the reader's alone"
        assert current(stranger)["status"] == "ConsentUnknown"
        decide(stranger, "reject_all", consent_id="4f2c")
        assert len(events(stranger)) == 1
        assert current(reader)["status"] == "ConsentWithdrawn"


def test_rule_7_a_made_up_cookie_is_nobodys(client: httpx.Client) -> None:
    client.cookies.set(COOKIE, "AAAAAAAAAAAAAAAAAAAAAA", domain="copydesk.example")
    for path in ("", "/events", "/receipt"):
        assert client.get(f"/v1/consents/current{path}").status_code == 404
    decide(client)
    assert secret_of(client) != "AAAAAAAAAAAAAAAAAAAAAA"
    assert current(client)["status"] == "ConsentGiven"
