"""An export holds the whole log, and whoever edits, deletes, inserts or moves a row of it is found out,
offline.
"""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from service.consent.audit.verify import verify
from service.consent.log.merkle import leaf_hash
from service.consent.log.tree import TreeHead
from service.consent.signing import Signer, canonical, encoded
from tests.commands import copydesk
from tests.consent.deciding import ago, decide, decision
from tests.databases import KINDS
from tests.serving import Store, serving

Lines = list[bytes]


@pytest.fixture
def auditor(store: Store) -> httpx.Client:
    return store.client("consent:read", name="auditor")


@pytest.fixture
def decided(store: Store) -> None:
    decide_eight_times(store)


@pytest.fixture(scope="module", params=KINDS)
def exported(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Lines:
    """The lines of an export, which each test tampers with in its own way."""
    with serving(request.param, tmp_path_factory.mktemp("store"), sqlite_template) as store:
        decide_eight_times(store)
        with store.client("consent:read") as auditor:
            return export(auditor).splitlines()


def decide_eight_times(store: Store) -> None:
    for number in range(7):
        with store.client() as reader:
            decide(
                reader,
                ("accept_all", "reject_all")[number % 2],
                ui_surface="banner",
                consent_id=f"page-{number}",
            )
            if number == 3:
                reader.post("/v1/consents/current/withdrawal")


def export(auditor: httpx.Client, **params: str) -> bytes:
    answer = auditor.get("/v1/consent-exports", params=params)
    assert answer.status_code == 200, answer.text
    return answer.content


def faults(tmp_path: Path, content: bytes, **known: Any) -> list[str]:
    path = tmp_path / "export"
    path.write_bytes(content)
    return verify(path, **known).faults


@pytest.mark.slow
@pytest.mark.usefixtures("decided")
def test_an_export_holds_every_event_in_the_order_of_the_log(auditor: httpx.Client, tmp_path: Path) -> None:
    content = export(auditor)
    *rows, last = [orjson.loads(line) for line in content.splitlines()]
    assert [row["leaf_index"] for row in rows] == list(range(8))
    assert [row["action"] for row in rows[:5]] == [
        "accept_all",
        "reject_all",
        "accept_all",
        "reject_all",
        "withdraw",
    ]
    assert "page-" not in content.decode()
    assert last["manifest"]["tree_head"] == auditor.get("/v1/consent-log/tree-head").json()
    assert last["manifest"]["rows"] == 8
    assert faults(tmp_path, content) == []


@pytest.mark.slow
@pytest.mark.usefixtures("decided")
def test_a_csv_export_holds_the_same_and_verifies_too(auditor: httpx.Client, tmp_path: Path) -> None:
    content = export(auditor, format="csv")
    *table, manifest = content.decode().splitlines()
    rows = list(csv.DictReader(table))
    assert [row["leaf_hash"] for row in rows] == [
        orjson.loads(line)["leaf_hash"] for line in export(auditor).splitlines()[:-1]
    ]
    assert manifest.startswith("# {")
    assert faults(tmp_path, content) == []
    assert faults(tmp_path, content.replace(b"reject_all", b"accept_all", 1)) != []
    assert (
        auditor.get("/v1/consent-exports", headers={"Accept": "text/csv"})
        .headers["content-type"]
        .startswith("text/csv")
    )


@pytest.mark.slow
def test_an_empty_export_verifies(auditor: httpx.Client, tmp_path: Path) -> None:
    assert faults(tmp_path, export(auditor)) == []
    assert faults(tmp_path, export(auditor, format="csv")) == []


def edit(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b"granted", b"denied"), *lines[3:]]


def edit_and_hash_again(lines: Lines) -> Lines:
    row = orjson.loads(lines[2]) | {"event_state": "ConsentRefused"}
    row["leaf_hash"] = leaf_hash(
        canonical({name: row[name] for name in row if not name.startswith("leaf_")})
    ).hex()
    return [*lines[:2], orjson.dumps(row), *lines[3:]]


def say_before(lines: Lines, place: int, before: bytes, member: bytes) -> Lines:
    """Give a member twice: first with another value, and then as it was. Many programs read the first."""
    assert before in lines[place]
    line = lines[place].replace(before, member + b"," + before, 1)
    return [*lines[:place], line, *lines[place:][1:]]


def number_again(lines: Lines) -> Lines:
    return [
        orjson.dumps(orjson.loads(line) | {"leaf_index": index}) for index, line in enumerate(lines[:-1])
    ] + lines[-1:]


def resign(lines: Lines, head: dict[str, Any]) -> Lines:
    """What somebody without the service's key can do at most: sign the manifest with a key of their own."""
    manifest = orjson.loads(lines[-1])["manifest"]
    manifest |= {"rows": len(lines) - 1, "tree_head": manifest["tree_head"] | head}
    signer = Signer(b"somebody else's secret, as long as it has to be")
    signed = {
        "manifest": manifest,
        "public_key": encoded(signer.public_key),
        "signature": encoded(signer.sign(canonical(manifest))),
    }
    return [*lines[:-1], orjson.dumps(signed)]


TAMPERINGS: dict[str, Callable[[Lines], Lines]] = {
    "an edited row": edit,
    "an edited row with a new hash": edit_and_hash_again,
    "a deleted row": lambda lines: [*lines[:2], *lines[3:]],
    "a deleted row, numbered again": lambda lines: number_again([*lines[:2], *lines[3:]]),
    "a deleted first row": lambda lines: lines[1:],
    "a deleted last row": lambda lines: [*lines[:-2], lines[-1]],
    "a deleted last row, and the number of rows changed": lambda lines: resign(
        [*lines[:-2], lines[-1]], {"tree_size": len(lines) - 2}
    ),
    "a cut end": lambda lines: lines[:-1],
    "an inserted row": lambda lines: [*lines[:3], lines[0], *lines[3:]],
    "an inserted row, numbered again": lambda lines: number_again([*lines[:3], lines[0], *lines[3:]]),
    "two rows that changed places": lambda lines: [lines[1], lines[0], *lines[2:]],
    "two rows that changed places, numbered again": lambda lines: number_again(
        [lines[1], lines[0], *lines[2:]]
    ),
    "a row without its event, as if retention had removed it": lambda lines: [
        orjson.dumps({name: orjson.loads(lines[0])[name] for name in ("leaf_index", "leaf_hash")}),
        *lines[1:],
    ],
    "a member that comes twice": lambda lines: say_before(
        lines, 0, b'"event_state":"ConsentGiven"', b'"event_state":"ConsentRefused"'
    ),
    "a member that comes twice in a decision": lambda lines: say_before(
        lines, 0, b'"decision":"granted"', b'"decision":"denied"'
    ),
    "a manifest that comes twice": lambda lines: say_before(lines, -1, b'"manifest":', b'"manifest":{}'),
    "an edited manifest": lambda lines: [*lines[:-1], lines[-1].replace(b'"removed":0', b'"removed":1')],
    "an edited tree head": lambda lines: [*lines[:-1], lines[-1].replace(b'"tree_size":8', b'"tree_size":9')],
    "nonsense": lambda lines: [b"nonsense", b"[]", b'{"leaf_index": null}', b""],
}


@pytest.mark.slow
def test_an_export_that_nobody_tampered_with_is_whole(exported: Lines, tmp_path: Path) -> None:
    assert len(exported) == 8 + 1
    assert faults(tmp_path, b"\n".join(exported)) == []


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_export_is_found(exported: Lines, tmp_path: Path, name: str) -> None:
    assert faults(tmp_path, b"\n".join(TAMPERINGS[name](exported))) != []


def test_an_export_that_another_program_has_written_anew_is_whole(exported: Lines, tmp_path: Path) -> None:
    indented = [json.dumps(orjson.loads(line)).encode() for line in exported]
    assert indented[0] != exported[0]
    assert faults(tmp_path, b"\n".join(indented)) == []


@pytest.mark.slow
@pytest.mark.usefixtures("decided")
def test_a_csv_with_a_column_or_a_member_that_comes_twice_is_found(
    auditor: httpx.Client, tmp_path: Path
) -> None:
    header, *rows, manifest = export(auditor, format="csv").decode().splitlines()
    twice = [f"action,{header}", *(f"reject_all,{row}" for row in rows), manifest]
    moved = [row.split(",", 2) for row in rows]
    names = header.split(",", 2)
    inside = [f"{names[0]},{names[1]},action,{names[2]}"]
    inside += [f"{index},{leaf},reject_all,{rest}" for index, leaf, rest in moved]
    granted = '""decision"":""granted""'
    again = [rows[0].replace(granted, '""decision"":""denied"",' + granted, 1), *rows[1:]]
    assert again[0] != rows[0]
    for lines in (twice, [*inside, manifest], [header, *again, manifest]):
        assert faults(tmp_path, "\n".join(lines).encode()) != []


@pytest.mark.slow
def test_no_cell_of_a_csv_is_a_formula_whatever_readers_send(
    store: Store, auditor: httpx.Client, tmp_path: Path
) -> None:
    for sign in "=+-@":
        with store.client() as reader:
            sent = decision(consent_id=f"{sign}cmd|'/C'!A0", client_event_time=ago(minutes=1))
            headers = {"Idempotency-Key": f"{sign}1+1+a-key-of-a-page", "User-Agent": f"{sign}1+1"}
            assert reader.post("/v1/consents", json=sent, headers=headers).status_code == 201
            refused = reader.post("/v1/consents", json=decision(ui_surface=f"{sign}1+1"))
            assert refused.status_code == 422
    content = export(auditor, format="csv")
    *table, _ = content.decode().splitlines()
    cells = [cell for row in csv.reader(table) for cell in row]
    assert len(table) == 1 + 4
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert faults(tmp_path, content) == []


@pytest.mark.slow
@pytest.mark.usefixtures("decided")
def test_an_export_by_another_key_is_found_by_whoever_knows_the_right_one(
    auditor: httpx.Client, tmp_path: Path
) -> None:
    content = export(auditor)
    key = auditor.get("/v1/consent-log/tree-head").json()["public_key"]
    assert faults(tmp_path, content, public_key=key) == []
    forged = b"\n".join(resign(content.splitlines(), {}))
    assert faults(tmp_path, forged, public_key=key) != []


def test_a_log_that_was_written_anew_is_found_by_whoever_kept_a_head(
    store: Store, auditor: httpx.Client, tmp_path: Path
) -> None:
    with store.client() as reader:
        decide(reader)
        export(auditor)
        kept = TreeHead.model_validate(auditor.get("/v1/consent-log/tree-head").json())
        decide(reader, "reject_all")
    content = export(auditor)
    assert faults(tmp_path, content, kept_heads=[kept]) == []
    assert faults(tmp_path, content, kept_heads=[kept.model_copy(update={"root_hash": "00" * 32})]) != []


@pytest.mark.slow
@pytest.mark.usefixtures("decided")
def test_the_command_says_what_it_checked_and_fails_when_the_export_is_not_whole(
    auditor: httpx.Client, tmp_path: Path
) -> None:
    whole, tampered = tmp_path / "whole.ndjson", tmp_path / "tampered.ndjson"
    whole.write_bytes(export(auditor))
    tampered.write_bytes(b"\n".join(edit(whole.read_bytes().splitlines())))
    good, bad = (copydesk(tmp_path, "consent", "verify", path.name) for path in (whole, tampered))
    assert good.returncode == 0, good.stderr
    assert "checked the signature of the tree head" in good.stdout
    assert "whole: 8 rows" in good.stdout
    assert bad.returncode == 1
    assert "FAULT line 3" in bad.stdout
    assert orjson.loads(copydesk(tmp_path, "consent", "verify", tampered.name, "--json").stdout)["faults"]
    assert copydesk(tmp_path, "consent", "verify", "no such file").returncode == 2


def test_only_who_may_read_consent_exports_it(store: Store, client: httpx.Client) -> None:
    assert client.get("/v1/consent-exports").status_code == 401
    with store.client("content:read") as other:
        assert other.get("/v1/consent-exports").status_code == 403
