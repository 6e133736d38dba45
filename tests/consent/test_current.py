"""GET /v1/consents/current and what is beneath it."""

import httpx

from tests.consent.deciding import current, decide, decision, events, granted, notice, publish
from tests.serving import Store


def test_whoever_has_decided_nothing_is_to_be_asked(client: httpx.Client) -> None:
    answer = client.get("/v1/consents/current")
    record = answer.json()
    assert (record["status"], record["purposes"], record["notice_version"]) == ("ConsentUnknown", [], None)
    assert (record["reconsent_required"], record["reconsent_reasons"]) == (True, ["no_decision"])
    assert answer.headers["cache-control"] == "private, no-store"


def test_there_is_nothing_to_list_or_to_receipt_without_a_cookie(client: httpx.Client) -> None:
    for path in ("events", "receipt"):
        refused = client.get(f"/v1/consents/current/{path}")
        assert refused.status_code == 404
        assert refused.json()["type"] == "/problems/no-record"


def test_the_record_after_a_decision_is_the_one_that_is_read(client: httpx.Client) -> None:
    recorded = decide(client, "save", granted=("analytics",))
    kept, told = recorded.pop("receipt"), client.get("/v1/consents/current/receipt").json()
    assert kept["notice"] == told["notice"]
    assert kept["event"] | {"leaf_index": 0, "leaf_hash": "0"} == told["event"] | {
        "leaf_index": 0,
        "leaf_hash": "0",
    }
    assert recorded == current(client)
    assert recorded["reconsent_required"] is False


def test_a_later_grant_is_a_renewal(client: httpx.Client) -> None:
    assert [
        decide(client, action)["status"]
        for action in ("reject_all", "accept_all", "reject_all", "accept_all")
    ] == [
        "ConsentRefused",
        "ConsentGiven",
        "ConsentRefused",
        "RenewedConsentGiven",
    ]
    assert [event["event_state"] for event in events(client)][-1] == "RenewedConsentGiven"


def test_granting_after_a_withdrawal_counts(client: httpx.Client) -> None:
    decide(client)
    client.post("/v1/consents/current/withdrawal")
    assert decide(client)["status"] == "RenewedConsentGiven"


def test_events_are_paged_oldest_first(client: httpx.Client) -> None:
    recorded = [decide(client, action)["event_id"] for action in ("accept_all", "reject_all", "accept_all")]
    first = client.get("/v1/consents/current/events?limit=2").json()
    rest = client.get(first["next"]).json()
    assert [event["event_id"] for event in first["items"] + rest["items"]] == recorded
    assert rest["next"] is None
    counted = client.get("/v1/consents/current/events?limit=1&count=true&fields=event_id").json()
    assert (counted["total"], counted["items"]) == (3, [{"event_id": recorded[0]}])


def test_each_reader_sees_their_own_events_alone(store: Store) -> None:
    with store.client() as one, store.client() as other:
        decide(one)
        decide(other, "reject_all")
        assert [event["action"] for event in events(one)] == ["accept_all"]
        assert [event["action"] for event in events(other)] == ["reject_all"]


def test_a_record_is_kept_for_each_notice(client: httpx.Client, newsroom: httpx.Client) -> None:
    publish(newsroom, notice())
    decide(client)
    decide(client, "reject_all", notice_key="weather")
    assert current(client)["notice_key"] == "weather"
    assert client.get("/v1/consents/current?notice_key=default").json()["status"] == "ConsentGiven"
    assert (
        client.get("/v1/consents/current/receipt?notice_key=default").json()["event"]["action"]
        == "accept_all"
    )
    assert client.get("/v1/consents/current?notice_key=unheard-of").json()["status"] == "ConsentUnknown"


def test_acknowledging_a_banner_grants_nothing(client: httpx.Client) -> None:
    record = decide(client, "acknowledge", notice_key="browsewrap")
    assert record["status"] == "ConsentUnknown"
    assert granted(record) == set()
    assert record["reconsent_required"] is False
    assert record["receipt"]["notice"]["valid_for_consent"] is False


def test_a_notice_takes_only_the_actions_that_it_offers(client: httpx.Client) -> None:
    contradictory = [{"purpose_key": "analytics", "decision": "denied"}]
    refused = [
        (decision("acknowledge"), "/action"),
        (decision("accept_all", notice_key="browsewrap"), "/action"),
        (decision("save", notice_key="browsewrap"), "/action"),
        (decision("save"), "/purposes"),
        (decision("accept_all", purposes=contradictory), "/purposes/0/decision"),
        (
            decision("reject_all", purposes=[{"purpose_key": "analytics", "decision": "granted"}]),
            "/purposes/0/decision",
        ),
        (decision("save", purposes=contradictory * 2), "/purposes/1/purpose_key"),
    ]
    for body, pointer in refused:
        answer = client.post("/v1/consents", json=body)
        assert answer.status_code == 422, body
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert decide(client, "reject_all", notice_key="browsewrap")["status"] == "ConsentRefused"


def test_malformed_decisions_are_told_what_is_wrong(client: httpx.Client) -> None:
    for members, pointer in (
        ({"action": "withdraw"}, "/action"),
        ({"action": "shrug"}, "/action"),
        ({"mood": "good"}, "/mood"),
        ({"notice_version": 0}, "/notice_version"),
        ({"language": "no such"}, "/language"),
        ({"consent_id": "a b"}, "/consent_id"),
        ({"client_event_time": "yesterday"}, "/client_event_time"),
        ({"ui_surface": "?utm=1"}, "/ui_surface"),
        ({"client_event_time": "0001-01-01T00:00:00+14:00"}, "/client_event_time"),
    ):
        answer = client.post("/v1/consents", json=decision() | members)
        assert answer.status_code == 422, members
        assert answer.json()["errors"][0]["pointer"] == pointer
    assert (
        client.post("/v1/consents", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )


def test_a_token_means_nothing_here(store: Store) -> None:
    with store.client() as reader:
        decide(
            reader,
            headers={"Authorization": "Bearer cd_expired", "Idempotency-Key": "a-key-that-nobody-guesses"},
        )
        assert len(events(reader)) == 1
