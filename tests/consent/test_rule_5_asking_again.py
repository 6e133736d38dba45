"""Rule 5: readers are asked again when there is something new to decide, and when their decision
has expired.
"""

import httpx
import pytest

from tests.consent.deciding import ago, current, decide, decision, granted, notice, publish


def test_rule_5_a_new_purpose_asks_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    body["purposes"].append({"purpose_key": "alerts", "name": "Alerts"})
    assert publish(newsroom, body)["requires_reconsent"] is True
    record = current(client)
    assert record["reconsent_required"] is True
    assert record["reconsent_reasons"] == ["new_purpose:alerts"]


def test_rule_5_a_new_recipient_asks_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, "reject_all", notice_key="weather")
    body["purposes"][1]["services"].append("Cloud Counters")
    publish(newsroom, body)
    assert current(client)["reconsent_reasons"] == ["new_recipient:places:Cloud Counters"]


def test_rule_5_a_cosmetic_change_does_not_ask_again(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    body["texts"]["body"] = "May we remember the places where you look for rain? You can say no."
    assert publish(newsroom, body)["requires_reconsent"] is False
    assert current(client)["reconsent_required"] is False


def test_rule_5_the_newsroom_can_say_otherwise(client: httpx.Client, newsroom: httpx.Client) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    publish(newsroom, body | {"jurisdiction": "EU"}, requires_reconsent=True)
    assert current(client)["reconsent_reasons"] == ["asked_for_by_publisher"]


def test_rule_5_not_asking_again_although_something_is_new_needs_a_reason(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    body = notice()
    publish(newsroom, body)
    decide(client, notice_key="weather")
    body["purposes"].append({"purpose_key": "alerts", "name": "Alerts"})
    made = newsroom.post("/v1/consent-notices", json=body).json()
    path, publication = (
        "/v1/consent-notices/weather/publish",
        {"version": made["version"], "requires_reconsent": False},
    )
    refused = newsroom.post(path, json=publication)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/reason-needed")
    assert refused.json()["errors"][0]["pointer"] == "/reason"
    kept = newsroom.post(path, json=publication | {"reason": "The alerts are for staff."}).json()
    assert (kept["requires_reconsent"], kept["reconsent_override"]) == (False, "The alerts are for staff.")
    assert current(client)["reconsent_required"] is False


def test_rule_5_versions_in_another_language_ask_nobody_again(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    decide(client, notice_key="weather")
    publish(newsroom, notice(language="de", purposes=[{"purpose_key": "wetter", "name": "Wetter"}]))
    assert current(client)["reconsent_required"] is False


def test_rule_5_a_stale_version_is_accepted_and_asks_again(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    publish(newsroom, notice(jurisdiction="EU"))
    record = decide(client, notice_key="weather")
    assert record["status"] == "ConsentGiven"
    assert record["reconsent_reasons"] == ["stale_notice"]
    assert current(client)["reconsent_required"] is True


def test_rule_5_a_version_that_was_never_published_is_refused(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    newsroom.post("/v1/consent-notices", json=notice())
    for body in (decision(notice_version=2), decision(notice_key="weather"), decision(notice_key="nothing")):
        refused = client.post("/v1/consents", json=body)
        assert refused.status_code == 422
        assert refused.json()["type"] == "/problems/never-published"


@pytest.mark.parametrize("action", ["accept_all", "reject_all"])
def test_rule_5_consent_and_refusal_both_expire(
    client: httpx.Client, newsroom: httpx.Client, action: str
) -> None:
    publish(newsroom, notice(validity_days=30))
    assert (
        decide(client, action, notice_key="weather", client_event_time=ago(days=29))["status"]
        != "ConsentExpired"
    )
    expired = decide(client, action, notice_key="default", client_event_time=ago(days=183))
    assert expired["status"] == "ConsentExpired"
    assert expired["reconsent_reasons"] == ["expired"]
    assert granted(expired) == {"necessary"}
