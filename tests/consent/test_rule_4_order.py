"""Rule 4: the latest decision holds, whatever the order of arrival, and doubt goes to the denial."""

from datetime import datetime

import httpx

from tests.consent.deciding import ago, current, decide, granted
from tests.serving import Store


def test_rule_4_a_late_older_grant_does_not_override_a_newer_refusal(client: httpx.Client) -> None:
    decide(client, "reject_all", client_event_time=ago(minutes=1))
    record = decide(client, client_event_time=ago(minutes=10))
    assert record["status"] == current(client)["status"] == "ConsentRefused"
    assert granted(record) == {"necessary"}
    assert record["receipt"]["event"]["event_state"] == "ConsentGiven"


def test_rule_4_a_late_older_grant_does_not_override_a_withdrawal(client: httpx.Client) -> None:
    decide(client)
    client.post("/v1/consents/current/withdrawal")
    assert decide(client, client_event_time=ago(hours=1))["status"] == "ConsentWithdrawn"


def test_rule_4_equal_times_go_to_denied(store: Store) -> None:
    at = ago(minutes=1)
    for actions in (("accept_all", "reject_all"), ("reject_all", "accept_all")):
        with store.client() as reader:
            for action in actions:
                decide(reader, action, client_event_time=at)
            assert current(reader)["status"] == "ConsentRefused"


def test_rule_4_of_equal_times_a_purpose_needs_every_grant(client: httpx.Client) -> None:
    at = ago(minutes=1)
    decide(client, "save", granted=("analytics", "preferences"), client_event_time=at)
    assert granted(decide(client, "save", granted=("marketing", "preferences"), client_event_time=at)) == {
        "necessary",
        "preferences",
    }
    assert decide(client, "save", granted=("analytics",), client_event_time=at)["status"] == "ConsentRefused"


def test_rule_4_a_clock_that_runs_ahead_is_clamped_and_the_original_kept(client: httpx.Client) -> None:
    ahead = ago(days=-3)
    event = decide(client, client_event_time=ahead)["receipt"]["event"]
    assert datetime.fromisoformat(event["client_event_time"]) == datetime.fromisoformat(ahead)
    assert event["decided_at"] == event["event_time"]
    slightly = ago(minutes=-4)
    assert datetime.fromisoformat(
        decide(client, client_event_time=slightly)["decided_at"]
    ) == datetime.fromisoformat(slightly)


def test_rule_4_two_decisions_by_a_clock_that_runs_ahead_may_arrive_in_the_wrong_order(
    client: httpx.Client,
) -> None:
    decide(client, "reject_all", client_event_time=ago(days=-3, minutes=-5))
    assert decide(client, client_event_time=ago(days=-3))["status"] == "ConsentRefused"


def test_rule_4_a_clock_that_lost_its_date_can_refuse_and_not_override(client: httpx.Client) -> None:
    lost = "1970-01-01T00:10:00Z"
    record = decide(client, client_event_time=lost)
    assert record["status"] == "ConsentGiven"
    assert datetime.fromisoformat(record["valid_until"]) > datetime.now().astimezone()
    assert (
        decide(client, "reject_all", client_event_time="1970-01-01T00:05:00Z")["status"] == "ConsentRefused"
    )
    assert decide(client, client_event_time=lost)["status"] == "ConsentRefused"
