"""The log: every event is sealed into it, its head is signed, and its proofs hold for whoever checks them."""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.consent.log.merkle import check_consistency, check_inclusion, leaf_hash
from service.consent.log.sealing import seal
from service.consent.log.tree import ConsentLeaf
from service.consent.signing import Signer
from tests.articles.newsroom import problem
from tests.commands import copydesk
from tests.consent.deciding import decide, events
from tests.patience import wait_until
from tests.serving import SECRET, Store


def sealed(store: Store) -> int:
    return seal(store.database, Signer(SECRET.encode()))


def head(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/v1/consent-log/tree-head")
    assert response.status_code == 200, response.text
    return response.json()


def unhex(*hashes: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def decide_as_many(store: Store, count: int) -> None:
    for number in range(count):
        with store.client() as reader:
            decide(reader, ("accept_all", "reject_all")[number % 2], ui_surface=f"banner-{number}")
    sealed(store)


def test_an_empty_log_has_a_head(client: httpx.Client) -> None:
    assert head(client)["tree_size"] == 0
    assert head(client)["root_hash"] == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_log_is_public_to_caches_for_as_long_as_its_head_is_new(
    store: Store, client: httpx.Client
) -> None:
    decide_as_many(store, 1)
    for asked in ("tree-head", "inclusion-proof?leaf_index=0", "consistency-proof?first=0"):
        answer = client.get(f"/v1/consent-log/{asked}")
        assert answer.headers["cache-control"].startswith("public, max-age=1, stale-while-revalidate=1")
        assert "Authorization" in answer.headers["vary"]
        known = {"If-None-Match": answer.headers["etag"]}
        assert client.get(f"/v1/consent-log/{asked}", headers=known).status_code == 304
        with store.client("consent:read") as auditor:
            told = auditor.get(f"/v1/consent-log/{asked}")
        assert (told.content, told.headers["cache-control"]) == (answer.content, "private, no-store")


def test_a_tree_head_is_signed_as_rfc_9162_says(store: Store, client: httpx.Client) -> None:
    decide_as_many(store, 3)
    told = head(client)
    assert told["tree_size"] == 3
    assert told["algorithm"] == "Ed25519"
    milliseconds = round(datetime.fromisoformat(told["timestamp"]).timestamp() * 1000)
    signed = milliseconds.to_bytes(8) + (3).to_bytes(8) + b"\x20" + bytes.fromhex(told["root_hash"]) + b"\0\0"
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["public_key"]))
    key.verify(base64.b64decode(told["signature"]), signed)


def test_a_leaf_is_the_hash_of_the_event_as_it_is_told(store: Store, client: httpx.Client) -> None:
    decide(client, consent_id="6c1f")
    sealed(store)
    (event,) = events(client)
    assert event["leaf_index"] == 0
    entry = {
        name: value for name, value in event.items() if name not in ("consent_id", "leaf_index", "leaf_hash")
    }
    assert leaf_hash(orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)).hex() == event["leaf_hash"]


def test_every_event_is_proven_to_be_in_the_log(store: Store, client: httpx.Client) -> None:
    decide_as_many(store, 6)
    decide(client)
    sealed(store)
    (event,), told = events(client), head(client)
    assert told["tree_size"] == 7
    for named in (
        {"leaf_index": event["leaf_index"]},
        {"event_id": event["event_id"]},
        {"leaf_hash": event["leaf_hash"]},
    ):
        proof = client.get("/v1/consent-log/inclusion-proof", params=named).json()
        assert proof["root_hash"] == told["root_hash"]
        leaf, root = unhex(event["leaf_hash"], told["root_hash"])
        check_inclusion(leaf, proof["leaf_index"], proof["tree_size"], unhex(*proof["inclusion_path"]), root)
    earlier = client.get("/v1/consent-log/inclusion-proof?leaf_index=2&tree_size=5").json()
    leaf, root = unhex(earlier["leaf_hash"], earlier["root_hash"])
    check_inclusion(leaf, 2, 5, unhex(*earlier["inclusion_path"]), root)


@pytest.mark.slow
def test_the_log_is_proven_to_have_been_added_to_only(store: Store, client: httpx.Client) -> None:
    heads = [head(client)]
    for count in (1, 3, 4):
        decide_as_many(store, count)
        heads.append(head(client))
    assert [one["tree_size"] for one in heads] == [0, 1, 4, 8]
    for older in heads:
        for newer in heads[heads.index(older) :]:
            sizes = {"first": older["tree_size"], "second": newer["tree_size"]}
            proof = client.get("/v1/consent-log/consistency-proof", params=sizes).json()
            check_consistency(
                *sizes.values(),
                *unhex(older["root_hash"], newer["root_hash"]),
                unhex(*proof["consistency_path"]),
            )


def test_what_is_not_in_the_log_is_not_proven(store: Store, client: httpx.Client) -> None:
    decide_as_many(store, 2)
    path = "/v1/consent-log/inclusion-proof"
    assert client.get(path).status_code == 400
    assert client.get(f"{path}?leaf_index=2").status_code == 404
    assert client.get(f"{path}?leaf_index=1&tree_size=1").status_code == 404
    assert client.get(f"{path}?leaf_index=0&tree_size=3").status_code == 422
    assert client.get(f"{path}?leaf_hash={'0' * 64}").status_code == 404
    assert client.get(f"{path}?leaf_hash=short").status_code == 422
    for asked, parameter in {
        "first=3": "first",
        "first=2&second=1": "first",
        "first=1&second=9": "second",
    }.items():
        refused = problem(client.get(f"/v1/consent-log/consistency-proof?{asked}"), 422, "no-such-tree")
        assert [(each["in"], each["pointer"]) for each in refused["errors"]] == [("query", f"/{parameter}")]
    refused = problem(client.get(f"{path}?leaf_index=0&tree_size=9"), 422, "no-such-tree")
    assert [each["pointer"] for each in refused["errors"]] == ["/tree_size"]


def test_more_events_than_a_batch_are_sealed_in_the_order_in_which_they_came(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.consent.log.sealing.BATCH", 3)
    with store.client() as reader:
        for _ in range(8):
            decide(reader)
        sealed(store)
        assert [event["leaf_index"] for event in events(reader)] == list(range(8))
        assert sealed(store) == 0


def test_serving_seals_by_itself(store: Store, client: httpx.Client) -> None:
    decide(client)
    wait_until(lambda: head(client)["tree_size"] == 1)
    assert events(client)[0]["leaf_index"] == 0


@pytest.mark.slow
def test_the_command_seals_what_is_waiting(store: Store, client: httpx.Client, tmp_path: Path) -> None:
    decide(client)
    settings = {"COPYDESK_DATABASE_URL": store.settings.database_url, "COPYDESK_SECRET_KEY": SECRET}
    done = copydesk(tmp_path, "consent", "seal", **settings)
    assert (done.returncode, "Sealed" in done.stderr) == (0, True), done.stderr
    assert head(client)["tree_size"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_leaf SET hashes = event_id",
        "UPDATE consent_leaf SET leaf_index = 9",
        "DELETE FROM consent_leaf",
        "UPDATE consent_tree_head SET tree_size = 9",
        "DELETE FROM consent_tree_head",
    ],
)
def test_the_database_refuses_to_change_the_log(store: Store, statement: str) -> None:
    decide_as_many(store, 1)
    if "hashes" in statement and not store.settings.is_sqlite:
        statement = "UPDATE consent_leaf SET hashes = 'x'"
    with pytest.raises(DBAPIError, match="only ever added"), store.database.writing() as session:
        session.execute(text(statement))
    with store.database.reading() as session:
        assert session.get(ConsentLeaf, 0) is not None
