"""Rule 2: every purpose that was shown is granted or denied."""

import httpx
import pytest

from tests.consent.deciding import OPTIONAL, current, decide, decision, events, granted


def test_rule_2_a_purpose_left_out_is_denied(client: httpx.Client) -> None:
    record = decide(client, "save", purposes=[{"purpose_key": "analytics", "decision": "granted"}])
    stored = {one["purpose_key"]: one["decision"] for one in events(client)[0]["purposes"]}
    assert stored == {
        "necessary": "granted",
        "preferences": "denied",
        "analytics": "granted",
        "marketing": "denied",
    }
    assert granted(record) == {"necessary", "analytics"}


def test_rule_2_accepting_grants_no_purpose_that_the_banner_left_out(client: httpx.Client) -> None:
    shown = [{"purpose_key": key, "decision": "granted"} for key in ("necessary", "analytics")]
    record = decide(client, "accept_all", purposes=shown)
    assert (record["status"], granted(record)) == ("ConsentGiven", {"necessary", "analytics"})
    assert granted(decide(client, "accept_all", purposes=[])) == {"necessary", *OPTIONAL}


def test_rule_2_klaro_with_services_of_its_own_grants_those_alone(client: httpx.Client) -> None:
    said = {"type": "accept", "config": "default/1", "consents": {"analytics": True}}
    answer = client.post("/v1/privacy-managers/default/submit", json={"consent_data": said})
    assert answer.status_code == 200
    assert granted(current(client)) == {"necessary", "analytics"}


def test_rule_2_an_unknown_purpose_is_refused(client: httpx.Client) -> None:
    unknown = [
        {"purpose_key": "analytics", "decision": "granted"},
        {"purpose_key": "horoscopes", "decision": "granted"},
    ]
    refused = client.post("/v1/consents", json=decision("save", purposes=unknown))
    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/unknown-purpose"
    assert refused.json()["errors"][0]["pointer"] == "/purposes/1/purpose_key"
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("accept_all", "ConsentGiven", {"necessary", *OPTIONAL}),
        ("reject_all", "ConsentRefused", {"necessary"}),
    ],
)
def test_rule_2_accepting_grants_all_and_rejecting_only_what_is_required(
    client: httpx.Client, action: str, status: str, expected: set[str]
) -> None:
    record = decide(client, action)
    assert record["status"] == status
    assert granted(record) == expected
