"""Rule 3: refusing costs what accepting costs, and withdrawing less."""

import httpx

from service.consent.decisions.subjects import COOKIE
from tests.consent.deciding import ago, current, decide, decision, events, granted, notice, publish
from tests.serving import Store


def test_rule_3_rejecting_costs_the_same_one_request_as_accepting(store: Store) -> None:
    for action in ("accept_all", "reject_all"):
        with store.client() as reader:
            assert reader.post("/v1/consents", json=decision(action)).status_code == 201
            assert current(reader)["notice_version"] == 1


def test_rule_3_withdrawing_is_one_request_without_a_reason_and_holds_on_the_next_read(
    client: httpx.Client,
) -> None:
    decide(client)
    answer = client.post("/v1/consents/current/withdrawal")
    assert answer.status_code == 200
    assert answer.json() == current(client)
    assert answer.json()["status"] == "ConsentWithdrawn"
    assert granted(current(client)) == {"necessary"}
    assert [event["event_state"] for event in events(client)] == ["ConsentGiven", "ConsentWithdrawn"]


def test_rule_3_a_withdrawal_outlasts_a_grant_by_a_clock_that_runs_ahead(client: httpx.Client) -> None:
    decide(client, client_event_time=ago(minutes=-4))
    client.post("/v1/consents/current/withdrawal")
    assert current(client)["status"] == "ConsentWithdrawn"


def test_rule_3_a_withdrawal_covers_every_notice_unless_it_names_one(
    client: httpx.Client, newsroom: httpx.Client
) -> None:
    publish(newsroom, notice())
    decide(client)
    decide(client, notice_key="weather")
    client.post("/v1/consents/current/withdrawal", json={"notice_key": "weather"})
    standing = {
        key: client.get(f"/v1/consents/current?notice_key={key}").json()["status"]
        for key in ("default", "weather")
    }
    assert standing == {"default": "ConsentGiven", "weather": "ConsentWithdrawn"}
    client.post("/v1/consents/current/withdrawal")
    assert client.get("/v1/consents/current?notice_key=default").json()["status"] == "ConsentWithdrawn"
    assert len(events(client)) == 4


def test_rule_3_a_withdrawal_is_accepted_where_nothing_is_kept(client: httpx.Client) -> None:
    assert client.post("/v1/consents/current/withdrawal").json()["status"] == "ConsentUnknown"
    client.cookies.set(COOKIE, "made-up", domain="copydesk.example")
    assert client.post("/v1/consents/current/withdrawal").status_code == 200
