"""What readers and auditors were given stands: receipts, tree heads, proofs and exports of every version."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx

from service.consent.log.merkle import check_consistency, check_inclusion
from service.consent.log.tree import tree_head_data
from service.consent.signing import canonical, is_signed
from tests.stores.make.readers import COOKIE, CURRENT
from tests.stores.manifest import Decided
from tests.stores.opening import Past
from tests.stores.saying import lacks

LEAF = ("leaf_index", "leaf_hash")


def test_readers_read_what_they_decided(past: Past) -> None:
    for decided in past.manifest.readers:
        if decided.is_erased:
            assert asked(past, decided).status_code == 404
            continue
        today = {
            event["event_id"]: event for event in asked(past, decided, "/events?limit=200").json()["items"]
        }
        for event in decided.events:
            assert list(lacks(today[event["event_id"]], sealed(event))) == []
        record = asked(past, decided).json()
        until = decided.events[0]["valid_until"]
        if until is not None and datetime.fromisoformat(until) > datetime.now(UTC):
            assert decided.record is not None
            assert list(lacks(record, decided.record)) == []
        assert decided.receipt is not None
        receipt = asked(past, decided, "/receipt").json()
        assert list(lacks(receipt["notice"], decided.receipt["notice"])) == []


def asked(past: Past, decided: Decided, more: str = "") -> httpx.Response:
    """What the store answers a reader about their record."""
    return past.reader.get(f"{CURRENT}{more}", headers={"Cookie": f"{COOKIE}={decided.cookie}"})


def sealed(event: dict[str, Any]) -> dict[str, Any]:
    """An event without its place in the log, where it had none yet."""
    return {name: value for name, value in event.items() if name not in LEAF or value is not None}


def test_receipts_are_signed_and_lead_to_a_head(past: Past) -> None:
    for receipt in [each.receipt for each in past.manifest.readers if each.receipt is not None]:
        if "signature" not in receipt:
            continue
        event = {name: value for name, value in receipt["event"].items() if name not in LEAF}
        told = {"event": event, "issuer": receipt["issuer"], "notice": receipt["notice"]}
        key = base64.b64decode(receipt["public_key"])
        assert is_signed(canonical(told), base64.b64decode(receipt["signature"]), key)
        check_head(receipt["log"]["tree_head"])
        check_leaf(receipt["log"]["inclusion_proof"])


def test_kept_heads_and_proofs_hold_and_the_log_of_today_goes_on_from_them(past: Past) -> None:
    log = past.manifest.log
    newest = past.reader.get("/v1/consent-log/tree-head").json()
    check_head(newest)
    for head in log.heads:
        check_head(head)
        first = head["tree_size"]
        proof = past.reader.get(f"/v1/consent-log/consistency-proof?first={first}").json()
        assert proof["root_hash_1"] == head["root_hash"]
        check_growth(proof)
    for proof in log.consistency:
        check_growth(proof)
    for proof in log.inclusion:
        check_leaf(proof)
        place = f"leaf_hash={proof['leaf_hash']}&tree_size={proof['tree_size']}"
        today = past.reader.get(f"/v1/consent-log/inclusion-proof?{place}").json()
        assert list(lacks(today, proof)) == []


def check_head(head: dict[str, Any]) -> None:
    """Check a head's signature."""
    at = datetime.fromisoformat(head["timestamp"])
    data = tree_head_data(head["tree_size"], bytes.fromhex(head["root_hash"]), at)
    assert is_signed(data, base64.b64decode(head["signature"]), base64.b64decode(head["public_key"]))


def check_leaf(proof: dict[str, Any]) -> None:
    """Check that a proof leads from its leaf to its root."""
    path = [bytes.fromhex(each) for each in proof["inclusion_path"]]
    leaf, root = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["root_hash"])
    check_inclusion(leaf, proof["leaf_index"], proof["tree_size"], path, root)


def check_growth(proof: dict[str, Any]) -> None:
    """Check that a proof leads from the older root to the newer one."""
    path = [bytes.fromhex(each) for each in proof["consistency_path"]]
    old, new = bytes.fromhex(proof["root_hash_1"]), bytes.fromhex(proof["root_hash_2"])
    check_consistency(proof["tree_size_1"], proof["tree_size_2"], old, new, path)


def test_kept_exports_verify_and_so_does_one_of_today(past: Past) -> None:
    folder, heads = past.opened.folder, []
    for number, head in enumerate(past.manifest.log.heads):
        path = folder / f"head-{number}.json"
        path.write_text(json.dumps(head))
        heads += ["--tree-head", str(path)]
    key = past.reader.get("/v1/consent-log/tree-head").json()["public_key"]
    for format_ in ("ndjson", "csv"):
        today = folder / f"consent-today.{format_}"
        today.write_bytes(past.staff.get(f"/v1/consent-exports?format={format_}").content)
        verify(past, str(today), *heads, "--public-key", key)
    kept = [*folder.glob("consent-*.*"), *folder.glob("exports/*/consent.ndjson")]
    assert len(kept) >= (6 if past.manifest.log.heads else 2)
    for path in kept:
        verify(past, str(path), "--public-key", key)


def verify(past: Past, *words: str) -> None:
    """Run `copydesk consent verify`, which must find nothing."""
    done = past.opened.copydesk("consent", "verify", *words)
    assert done.exit_code == 0, done.output
