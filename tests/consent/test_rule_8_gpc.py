"""Rule 8: Global Privacy Control is a refusal of advertising, sale and sharing."""

from collections.abc import Callable

import httpx
import pytest

from tests.consent.deciding import OPTIONAL, current, decide, decision, granted
from tests.serving import ORIGIN, Store

SIGNAL = {"Sec-GPC": "1", "Origin": ORIGIN}
NAMED = {"necessary": True, **dict.fromkeys(OPTIONAL, True)}
ACCEPTED: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "the API": lambda reader: reader.post("/v1/consents", json=decision(), headers=SIGNAL),
    "the API, by a banner that names all purposes": lambda reader: reader.post(
        "/v1/consents", json=decision(granted=OPTIONAL), headers=SIGNAL
    ),
    "a form": lambda reader: reader.post(
        "/consent",
        data={
            "notice_key": "default",
            "notice_version": "1",
            "action": "accept_all",
            "language": "en",
            "surface": "banner",
        },
        headers=SIGNAL,
    ),
    "Klaro, which names all purposes": lambda reader: reader.post(
        "/v1/privacy-managers/default/submit",
        json={"consent_data": {"type": "accept", "config": "default/1", "consents": NAMED}},
        headers=SIGNAL,
    ),
}
"""The ways in which a press on Accept comes here."""


def test_rule_8_gpc_denies_advertising_unless_it_is_granted_by_name(store: Store) -> None:
    signal = {"Sec-GPC": "1"}
    with store.client() as reader:
        record = decide(reader, headers=signal)
        assert granted(record) == {"necessary", "preferences", "analytics"}
        assert record["receipt"]["event"]["gpc"] is True
        assert granted(decide(reader, "save", granted=("marketing",), headers=signal)) == {
            "necessary",
            "marketing",
        }
        by_name = [{"purpose_key": "marketing", "decision": "granted"}]
        assert granted(decide(reader, purposes=by_name, headers=signal)) == {"necessary", "marketing"}
        assert "marketing" in granted(decide(reader, headers={"Sec-GPC": "0"}))


@pytest.mark.parametrize("way", ACCEPTED)
def test_rule_8_accept_under_gpc_withholds_advertising_and_says_so_whatever_way_it_comes(
    client: httpx.Client, way: str
) -> None:
    assert ACCEPTED[way](client).status_code < 400
    told = {one["purpose_key"]: one for one in current(client)["purposes"]}
    assert granted(current(client)) == {"necessary", "preferences", "analytics"}
    assert {key: one["overridden_by"] for key, one in told.items()} == {
        "necessary": None,
        "preferences": None,
        "analytics": None,
        "marketing": "gpc",
    }


def test_rule_8_the_answer_says_what_was_withheld_and_a_refusal_of_the_readers_own_is_not(
    client: httpx.Client,
) -> None:
    def overridden(action: str, *chosen: str) -> set[str]:
        record = decide(client, action, headers=SIGNAL, **({"granted": chosen} if chosen else {}))
        return {one["purpose_key"] for one in record["purposes"] if one["overridden_by"]}

    assert overridden("accept_all") == {"marketing"}
    assert overridden("save", "analytics") == overridden("save", "marketing") == set()
    assert overridden("reject_all") == set()
    assert overridden("accept_all") == {"marketing"}
    page = client.get("/v1/consents/current/receipt", headers={"Accept": "text/html"}).text
    assert page.count("denied (Global Privacy Control)") == 1
    client.post("/v1/consents/current/withdrawal", headers=SIGNAL)
    assert all(one["overridden_by"] is None for one in current(client)["purposes"])


def test_rule_8_the_support_of_gpc_is_declared(client: httpx.Client) -> None:
    answer = client.get("/.well-known/gpc.json")
    assert answer.json()["gpc"] is True
    assert answer.headers["content-type"] == "application/json"
