"""Check an export offline: that no row was edited, deleted, inserted or moved, and which key signed it.

Whoever can sign could write another log from its beginning. Against that there are the tree heads that others
have kept: the export of a log that goes on from one of them has that root at that size.
"""

import base64
import binascii
import csv
import json
import struct
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from pydantic import JsonValue

from service.consent.audit.exports import FORMAT, FORMAT_1, LEAF, MANIFEST_MARK, NOT_TEXT, Row, SignedManifest
from service.consent.log import entries
from service.consent.log.merkle import Frontier
from service.consent.log.tree import TreeHead, tree_head_data
from service.consent.signing import canonical, is_signed

_MOST_FAULTS = 20


@dataclass(slots=True)
class Verdict:
    """The counts and faults of a verification; without faults the export is whole."""

    rows: int = 0
    removed: int = 0
    checked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    more_faults: int = 0
    newer_versions: list[int] = field(default_factory=list)
    public_key: str | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.faults

    def need(self, what: str, *, holds: bool, fault: str) -> None:
        """Note a check of the whole file, and whether it held."""
        self.checked.append(what)
        if not holds:
            self.faults.append(fault)

    def fault(self, found: str) -> None:
        """Note an error in a row. The first ones are printed, the others are only counted."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(found)
        else:
            self.more_faults += 1


def verify(path: Path, *, public_key: str | None = None, kept_heads: Iterable[TreeHead] = ()) -> Verdict:
    """Check an export. With `public_key`, in base64, it must be by this key; with `kept_heads`, its log must
    go on from each of them.
    """
    verdict, tree, heads = Verdict(), Frontier(), {head.tree_size: head.root_hash for head in kept_heads}
    roots = {0: tree.root.hex()}
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        lines = _Lines(file)
        for number, row in _read(lines, verdict):
            _check_row(verdict, tree, number, row)
            if tree.size in heads:
                roots[tree.size] = tree.root.hex()
    _check_manifest(verdict, tree, lines.last, public_key)
    for size, root in heads.items():
        verdict.need(
            f"the kept tree head of {size} leaves",
            holds=roots.get(size) == root,
            fault=f"the log is another than at {size} leaves",
        )
    return verdict


class _Lines:
    """The lines of a file but the last, which is kept for later."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._lines):
            if number:
                yield self.last
            self.last = line


def _read(lines: _Lines, verdict: Verdict) -> Iterator[tuple[int, Row]]:
    """Yield the rows, each with the number of its line."""
    columns: list[str] | None = None
    for number, line in enumerate(lines, 1):
        if number == 1 and not line.startswith("{"):
            columns = next(csv.reader([line]))
            if columns[: len(LEAF)] != list(LEAF) or len(set(columns)) != len(columns):
                verdict.fault("line 1: these are not the columns of an export")
                deque(lines, maxlen=0)
            continue
        try:
            row = _parsed(line) if columns is None else _from_cells(columns, next(csv.reader([line])))
        except (ValueError, RecursionError, csv.Error, StopIteration):
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            verdict.fault(f"line {number}: it cannot be read")


def _parsed(text: str) -> JsonValue:
    """Return the value of a JSON text. Raises ValueError for a member that comes twice: of the two, programs
    differ in which they read.
    """
    value: JsonValue = orjson.loads(text)
    # As exports write them, and then nothing comes twice: the other parser takes many times as long.
    if orjson.dumps(value) != text.strip().encode():
        json.loads(text, object_pairs_hook=_each_once)
    return value


def _each_once(pairs: list[tuple[str, JsonValue]]) -> Row:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _from_cells(columns: list[str], cells: list[str]) -> Row:
    """Return the row of some cells. An empty one is null in a member of the row's version, and no member
    otherwise.
    """
    texts = {name: text for name, text in zip(columns, cells, strict=True) if text}
    row: Row = {name: _parsed(text) if name in NOT_TEXT else text for name, text in texts.items()}
    members = entries.members_of(row) if row.keys() - set(LEAF) else frozenset()
    return {**dict.fromkeys(members), **row}


def _check_row(verdict: Verdict, tree: Frontier, number: int, row: Row) -> None:
    index, told = row.get("leaf_index"), row.get("leaf_hash")
    if index != tree.size:
        verdict.fault(
            f"line {number}: leaf {index} stands where leaf {tree.size} belongs: rows were deleted, inserted"
            " or moved"
        )
    entry = {name: value for name, value in row.items() if name not in LEAF}
    leaf = _unhexed(told)
    verdict.removed += not entry
    verdict.rows += 1
    if (version := entries.version_of(entry)) is not None and version > max(entries.MEMBERS):
        _note_newer(verdict, number, version)
    elif entry:
        leaf = entries.hash_of(entry)
        if leaf.hex() != told or entry.keys() != entries.members_of(entry):
            verdict.fault(
                f"line {number}: event {row.get('event_id')} was edited: it does not have the hash of its"
                " leaf"
            )
    tree.append(leaf)


def _note_newer(verdict: Verdict, number: int, version: int) -> None:
    """Note, once for each version, that a row can only be checked by a later release."""
    if version not in verdict.newer_versions:
        verdict.newer_versions.append(version)
        verdict.fault(
            f"line {number}: its entry is of version {version}, and this release knows versions up to "
            f"{max(entries.MEMBERS)}: verify the export with the release that made it, or a later one"
        )


def _unhexed(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _check_manifest(verdict: Verdict, tree: Frontier, line: str, public_key: str | None) -> None:
    text = line.removeprefix(MANIFEST_MARK)
    try:
        _parsed(text)
        signed = SignedManifest.model_validate_json(text)
    except (ValueError, RecursionError):
        verdict.need(
            "the manifest",
            holds=False,
            fault="the last line is not a manifest: the end of the export is missing",
        )
        return
    manifest, head = signed.manifest, signed.manifest.tree_head
    verdict.public_key = signed.public_key
    # As it was signed: a later release may have put members into it that the shape here does not have.
    key, told = _bytes(signed.public_key), canonical(orjson.loads(text)["manifest"])
    data = _head_data(head)
    for what, holds, fault in (
        (
            f"the format, {manifest.format}",
            manifest.format in (FORMAT, FORMAT_1),
            (
                f"its format is {manifest.format}, which this release does not know: verify it with the one"
                " that made it"
            ),
        ),
        (
            "the signature of the manifest",
            is_signed(told, _bytes(signed.signature), key),
            "the manifest was edited or is signed by somebody else",
        ),
        (
            "the signature of the tree head",
            is_signed(data, _bytes(head.signature), _bytes(head.public_key)),
            "the tree head was edited",
        ),
        (
            f"that all {verdict.rows} rows are there",
            verdict.rows == manifest.rows == head.tree_size,
            f"there are {verdict.rows} rows, of {head.tree_size}",
        ),
        (
            "how many were removed by retention",
            verdict.removed == manifest.removed,
            f"{verdict.removed} events are missing, {manifest.removed} were removed",
        ),
        (
            "each leaf and their order, by the root over all",
            tree.root.hex() == head.root_hash,
            "the rows do not lead to the root in the tree head",
        ),
        (
            "the key that was given",
            public_key in (None, signed.public_key),
            "it is signed by another key than the one that was given",
        ),
    ):
        verdict.need(what, holds=holds, fault=fault)


def _head_data(head: TreeHead) -> bytes:
    try:
        return tree_head_data(head.tree_size, _unhexed(head.root_hash), head.timestamp)
    except (struct.error, OverflowError):
        return b""  # no size, root or time that a head can have


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
