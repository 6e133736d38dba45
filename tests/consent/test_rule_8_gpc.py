"""Rule 8: Global Privacy Control is a refusal of advertising, sale and sharing."""

import httpx

from tests.consent.deciding import OPTIONAL, decide, granted
from tests.serving import Store


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
        assert granted(decide(reader, purposes=by_name, headers=signal)) == {"necessary", *OPTIONAL}
        assert "marketing" in granted(decide(reader, headers={"Sec-GPC": "0"}))


def test_rule_8_the_support_of_gpc_is_declared(client: httpx.Client) -> None:
    answer = client.get("/.well-known/gpc.json")
    assert answer.json()["gpc"] is True
    assert answer.headers["content-type"] == "application/json"
