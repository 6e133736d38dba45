"""Entries of every version stay as they were hashed, whatever members an event gets: exports, receipts and
proofs of before verify, and a log with several versions does.
"""

import base64
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from service.consent import events as columns
from service.consent.audit.verify import verify
from service.consent.log import entries
from service.consent.log.merkle import check_inclusion, leaf_hash
from service.consent.log.sealing import seal
from service.consent.models import EventRead
from service.consent.signing import Signer, canonical, is_signed
from tests.consent.deciding import decide, events
from tests.serving import SECRET, Store

KEPT = Path(__file__).parent / "kept"
"""What an earlier release exported: `v1` are exports of 0.1, whose entries name no version."""
PLACE = ("leaf_index", "leaf_hash")


class WiderEvent(EventRead):
    """An event of a later release, which has one more member."""

    campaign: str | None = None


def check_place(event: dict[str, Any], proof: dict[str, Any]) -> None:
    """Check, as a reader's own program would, that the log holds an event."""
    entry = {name: event[name] for name in entries.members_of({"v": event.get("v", 1)})}
    leaf = leaf_hash(canonical(entry))
    assert leaf.hex() == event["leaf_hash"] == proof["leaf_hash"]
    path = [bytes.fromhex(node) for node in proof["inclusion_path"]]
    check_inclusion(leaf, proof["leaf_index"], proof["tree_size"], path, bytes.fromhex(proof["root_hash"]))


@pytest.mark.parametrize("version", sorted(entries.MEMBERS))
def test_what_was_exported_and_signed_with_each_version_still_verifies(version: int) -> None:
    for written in ("ndjson", "csv"):
        verdict = verify(KEPT / f"export-v{version}.{written}")
        assert (verdict.faults, verdict.rows, verdict.removed) == ([], 8, 1)
    receipt = orjson.loads((KEPT / f"receipt-v{version}.json").read_bytes())
    signed = {
        "event": {name: value for name, value in receipt["event"].items() if name not in PLACE},
        "issuer": receipt["issuer"],
        "notice": receipt["notice"],
    }
    signature, key = (base64.b64decode(receipt[name]) for name in ("signature", "public_key"))
    assert is_signed(canonical(signed), signature, key)
    check_place(receipt["event"], receipt["log"]["inclusion_proof"])


@pytest.fixture
def three_versions(store: Store, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log into which three releases sealed, the last of which gave events a member."""
    for version in (1, 2, 3):
        if version == 3:
            monkeypatch.setattr(columns, "EventRead", WiderEvent)
            monkeypatch.setitem(entries.MEMBERS, 3, {**entries.MEMBERS[2], "campaign": True})
        monkeypatch.setattr(entries, "CURRENT", version)
        decide(client, consent_id="page-1")
        seal(store.database, Signer(SECRET.encode()))


def exported(store: Store, tmp_path: Path, **params: str) -> Path:
    path = tmp_path / f"export.{params.get('format', 'ndjson')}"
    with store.client("consent:read") as auditor:
        path.write_bytes(auditor.get("/v1/consent-exports", params=params).content)
    return path


@pytest.mark.usefixtures("three_versions")
def test_a_log_of_several_versions_verifies(store: Store, client: httpx.Client, tmp_path: Path) -> None:
    for written in ("ndjson", "csv"):
        verdict = verify(exported(store, tmp_path, format=written))
        assert (verdict.faults, verdict.rows) == ([], 3)
    told = events(client)
    assert [event["v"] for event in told] == [1, 2, 3]
    assert all("campaign" in event for event in told)
    for event in told:
        proof = client.get("/v1/consent-log/inclusion-proof", params={"event_id": event["event_id"]})
        check_place(event, proof.json())


@pytest.mark.usefixtures("three_versions")
@pytest.mark.parametrize("written", ["ndjson", "csv"])
def test_an_entry_of_a_later_release_is_named_and_not_called_edited(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    path = exported(store, tmp_path, format=written)
    monkeypatch.delitem(entries.MEMBERS, 3)
    (fault,) = verify(path).faults
    assert "is of version 3, and this release knows versions up to 2" in fault


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"v":2', b'"v":1'),
        (b'"v":2', b'"v":true'),
        (b'"v":2', b'"v":"2"'),
        (b'"v":2', b'"v":[]'),
        (b',"v":2', b""),
        (b'"v":2', b'"v":2,"campaign":null'),
        (b'"previous_event_id":null,', b""),
        (b"copydesk-consent-export/2", b"copydesk-consent-export/3"),
    ],
)
def test_a_version_that_was_edited_is_found(tmp_path: Path, before: bytes, after: bytes) -> None:
    content = (KEPT / "export-v2.ndjson").read_bytes()
    assert before in content
    (tmp_path / "export").write_bytes(content.replace(before, after, 1))
    assert verify(tmp_path / "export").faults != []
