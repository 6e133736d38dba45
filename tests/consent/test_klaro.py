"""Klaro takes its configuration from here, and what it sends is a decision like any other. In browsers it is
tried elsewhere.
"""

from typing import Any

import httpx
import orjson
import pytest

from tests.consent.deciding import current, decide, events, granted, notice, publish, rows, secret_of
from tests.serving import ORIGIN, Store

MANAGER = "/v1/privacy-managers/default"
SERVICES = ("necessary", "preferences", "analytics", "marketing")


def submit(
    client: httpx.Client, type_: str, *consented: str, config: str | None = "default/1", **headers: str
) -> httpx.Response:
    """What Klaro sends, as text/plain, with what it tells of the page and of itself."""
    said = {
        "consents": {name: name in ("necessary", *consented) for name in SERVICES},
        "type": type_,
        "config": config,
    }
    if type_ == "show":
        said |= {"consents": {}, "changes": {}}
    if type_ == "save":
        said["changes"] = dict.fromkeys(consented, True)
    where = {"pathname": "/private/path", "port": 0, "hostname": "copydesk.example", "protocol": "https"}
    body = {
        "location_data": where,
        "user_data": {"client_version": "0.7.22", "client_name": "klaro:web"},
        "consent_data": said,
    }
    return client.post(
        f"{MANAGER}/submit",
        content=orjson.dumps(body),
        headers={"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN, **headers},
    )


def config(client: httpx.Client, path: str = MANAGER, **params: str) -> dict[str, Any]:
    response = client.get(f"{path}/config.json", params={"name": "default", **params})
    assert response.status_code == 200, response.text
    return response.json()


def test_klaro_gets_the_notice_as_its_configuration(client: httpx.Client) -> None:
    told = config(client)
    shown = client.get("/v1/consent-notices/default/current").json()
    assert told["id"] == "default/1"
    assert [service["name"] for service in told["services"]] == list(SERVICES)
    assert [service["required"] for service in told["services"]] == [True, False, False, False]
    assert [service["default"] for service in told["services"]] == [True, False, False, False]
    words = told["translations"]["en"]
    assert words["consentNotice"]["description"] == shown["texts"]["body"]
    assert (words["ok"], words["decline"]) == (
        shown["texts"]["actions"]["accept_all"],
        shown["texts"]["actions"]["reject_all"],
    )
    assert told["acceptAll"]
    assert not told["hideDeclineAll"]
    assert config(client, testing="true") == told


def test_the_configuration_has_an_etag_and_no_cookie(client: httpx.Client) -> None:
    first = client.get(f"{MANAGER}/config.json?name=default")
    assert "set-cookie" not in first.headers
    again = client.get(
        f"{MANAGER}/config.json?name=default", headers={"If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_manager_that_is_no_notice_is_not_found(client: httpx.Client) -> None:
    assert client.get("/v1/privacy-managers/nowhere/config.json").status_code == 404
    assert (
        client.post(
            "/v1/privacy-managers/nowhere/submit", json={"consent_data": {"type": "accept"}}
        ).status_code
        == 404
    )


@pytest.mark.parametrize(
    ("type_", "consented", "action", "status"),
    [
        ("accept", SERVICES, "accept_all", "ConsentGiven"),
        ("decline", (), "reject_all", "ConsentRefused"),
        ("save", ("analytics",), "save", "ConsentGiven"),
        ("script", ("analytics",), "save", "ConsentGiven"),
    ],
)
def test_what_klaro_sends_is_a_decision(
    client: httpx.Client, type_: str, consented: tuple[str, ...], action: str, status: str
) -> None:
    answer = submit(client, type_, *consented)
    assert (answer.status_code, answer.json()) == (200, {})
    assert secret_of(client)
    (event,) = events(client)
    assert (event["action"], event["event_state"], event["ui_surface"]) == (action, status, "klaro")
    assert granted(current(client)) == {"necessary", *consented}


def test_nothing_of_the_page_is_kept(store: Store, client: httpx.Client) -> None:
    submit(client, "accept", *SERVICES)
    assert "private" not in str(events(client))


def test_a_shown_notice_is_counted_and_sets_no_cookie(store: Store, client: httpx.Client) -> None:
    for _ in range(3):
        answer = submit(client, "show")
        assert (answer.status_code, answer.json()) == (200, {})
        assert "set-cookie" not in answer.headers
    assert rows(store) == 0


def test_a_decision_is_about_the_version_that_klaro_showed(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    shown = config(client)
    body = client.get("/v1/consent-notices/default/current").json()
    again = notice("default", purposes=[*body["purposes"], {"purpose_key": "places", "name": "Places"}])
    publish(newsroom, again)
    submit(client, "decline", config=shown["id"])
    assert current(client)["notice_version"] == 1
    assert current(client)["reconsent_required"]
    submit(client, "decline", config=None)
    assert current(client)["notice_version"] > 1


def test_klaro_asks_again_when_readers_must_be_asked_again_and_only_then(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    assert config(client, "/v1/privacy-managers/weather")["storageName"] == "klaro"
    reworded = notice()
    reworded["texts"]["body"] = "May we remember where you look for rain?"
    publish(newsroom, reworded)
    assert config(client, "/v1/privacy-managers/weather")["storageName"] == "klaro"
    reworded["purposes"][1]["services"].append("Cloud Counters")
    version = publish(newsroom, reworded)["version"]
    assert config(client, "/v1/privacy-managers/weather")["storageName"] == f"klaro-{version}"


def test_klaro_is_answered_in_the_language_that_its_page_names(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    publish(newsroom, notice(language="fr"))
    told = client.get("/v1/privacy-managers/weather/config.json?name=fr-CA").json()
    assert (told["lang"], list(told["translations"]), told["name"]) == ("fr", ["fr"], "fr-CA")


def test_what_klaro_may_not_send_is_refused(client: httpx.Client) -> None:
    assert submit(client, "accept", *SERVICES, Origin="https://elsewhere.example").status_code == 403
    unknown = {"consent_data": {"consents": {"telemetry": True}, "type": "accept", "config": "default/1"}}
    assert client.post(f"{MANAGER}/submit", json=unknown).status_code == 422
    misnamed = {"consent_data": {"consents": {"Not a key": True}, "type": "accept", "config": "default/1"}}
    assert client.post(f"{MANAGER}/submit", json=misnamed).status_code == 422
    assert submit(client, "decline", config="default/99").status_code == 422
    assert (
        client.post(
            f"{MANAGER}/submit", content=b"x" * 9000, headers={"Content-Type": "text/plain"}
        ).status_code
        == 413
    )


def test_google_consent_mode_follows_from_the_purposes(client: httpx.Client) -> None:
    signals = ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization")
    assert current(client)["google_consent"] == dict.fromkeys(signals, "denied")
    told = decide(client, "save", granted=("analytics",))["google_consent"]
    assert {signal: told[signal] for signal in signals} == {
        **dict.fromkeys(signals, "denied"),
        "analytics_storage": "granted",
    }
    assert told["security_storage"] == "granted"
    assert set(decide(client)["google_consent"].values()) == {"granted"}
    client.post("/v1/consents/current/withdrawal")
    assert current(client)["google_consent"]["ad_storage"] == "denied"


def test_a_signal_of_several_purposes_needs_all_of_them(client: httpx.Client, newsroom: httpx.Client) -> None:
    purposes = [
        {"purpose_key": key, "name": key, "google_consent_types": ["ad_storage"]}
        for key in ("local", "distant")
    ]
    publish(newsroom, notice(purposes=purposes))
    body = {"notice_key": "weather", "notice_version": 1, "action": "save"}
    one = client.post(
        "/v1/consents", json=body | {"purposes": [{"purpose_key": "local", "decision": "granted"}]}
    ).json()
    assert one["google_consent"] == dict.fromkeys(
        ("ad_storage", "analytics_storage", "ad_user_data", "ad_personalization"), "denied"
    )
    both = [{"purpose_key": key, "decision": "granted"} for key in ("local", "distant")]
    assert (
        client.post("/v1/consents", json=body | {"purposes": both}).json()["google_consent"]["ad_storage"]
        == "granted"
    )


def test_a_beacon_is_taken_when_it_holds_our_json_and_refused_when_not(client: httpx.Client) -> None:
    beacon = {"Content-Type": "text/plain;charset=UTF-8", "Origin": ORIGIN}
    sent = orjson.dumps({"notice_key": "default", "notice_version": 1, "action": "reject_all"})
    assert client.post("/v1/consents", content=sent, headers=beacon).status_code == 201
    assert client.post("/v1/consents", content=b"not ours", headers=beacon).status_code in (400, 422)
    assert (
        client.post(
            "/v1/consents",
            content=sent,
            headers=beacon | {"Content-Type": "application/x-www-form-urlencoded"},
        ).status_code
        == 415
    )
