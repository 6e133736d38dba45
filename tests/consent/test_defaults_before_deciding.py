"""What holds before a reader decides: nothing optional, but the defaults of a notice that lets readers opt
out.
"""

import httpx
import pytest

from tests.consent.deciding import current, decide, granted, notice, publish

GPC = {"Sec-GPC": "1"}
PURPOSES = [
    {"purpose_key": "necessary", "name": "Necessary", "required": True},
    {
        "purpose_key": "figures",
        "name": "Figures",
        "pregranted": True,
        "google_consent_types": ["analytics_storage"],
    },
    {"purpose_key": "offers", "name": "Offers", "pregranted": True, "google_consent_types": ["ad_storage"]},
    {"purpose_key": "places", "name": "Places"},
]


def standing(client: httpx.Client, key: str | None, **headers: str) -> tuple[set[str], set[str]]:
    """What is granted, and what is overridden, by `GET /v1/consents/current`."""
    answer = client.get("/v1/consents/current", params={"notice_key": key} if key else {}, headers=headers)
    assert answer.status_code == 200, answer.text
    overridden = {one["purpose_key"] for one in answer.json()["purposes"] if one["overridden_by"] == "gpc"}
    return granted(answer.json()), overridden


@pytest.mark.parametrize("key", ["weather", "default"])
def test_an_opt_out_notice_grants_its_defaults_until_the_reader_decides(
    client: httpx.Client, newsroom: httpx.Client, key: str
) -> None:
    version = publish(newsroom, notice(key, consent_model="opt_out", purposes=PURPOSES))["version"]
    asked = key if key != "default" else None  # without a key, `default` is meant
    record = client.get("/v1/consents/current", params={"notice_key": key}).json()
    assert (record["status"], record["reconsent_required"], record["event_id"]) == (
        "ConsentUnknown",
        True,
        None,
    )
    assert (record["notice_key"], record["notice_version"]) == (key, version)
    assert (record["google_consent"]["analytics_storage"], record["google_consent"]["ad_user_data"]) == (
        "granted",
        "denied",
    )
    assert standing(client, asked) == ({"necessary", "figures", "offers"}, set())
    assert standing(client, asked, **GPC) == ({"necessary", "figures"}, {"offers"})
    assert "Sec-GPC" in client.get("/v1/consents/current").headers["vary"]
    decide(client, "reject_all", notice_key=key, notice_version=version)
    assert standing(client, asked) == ({"necessary"}, set())
    client.post("/v1/consents/current/withdrawal")
    assert standing(client, asked) == ({"necessary"}, set())


@pytest.mark.parametrize(
    "members",
    [
        {"consent_model": "opt_in"},
        {"consent_model": "notice_only", "purposes": PURPOSES},
        {"consent_model": "opt_out", "purposes": PURPOSES, "child_directed": True},
    ],
)
def test_no_other_notice_grants_anything_optional_before_a_decision(
    client: httpx.Client, newsroom: httpx.Client, members: dict[str, object]
) -> None:
    publish(newsroom, notice(**members))
    assert standing(client, "weather")[0] <= {"necessary"}
    assert standing(client, "nowhere") == (set(), set())


@pytest.mark.parametrize(
    ("action", "body"),
    [("accept_all", {}), ("save", {"purposes": [{"purpose_key": "places", "decision": "granted"}]})],
)
def test_a_notice_that_is_directed_at_children_grants_nothing_optional(
    client: httpx.Client, newsroom: httpx.Client, action: str, body: dict[str, object]
) -> None:
    publish(newsroom, notice(child_directed=True))
    record = decide(client, action, notice_key="weather", **body)
    assert {one["purpose_key"]: (one["decision"], one["overridden_by"]) for one in record["purposes"]} == {
        "necessary": ("granted", None),
        "places": ("denied", "child_directed"),
    }
    assert record["status"] == current(client)["status"] == "ConsentRefused"
    assert decide(client, "reject_all", notice_key="weather")["purposes"][1]["overridden_by"] is None
