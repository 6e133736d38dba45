"""Write the whole log to one file for auditors: one event per line, and last the signed manifest with the
tree head.

A row is an entry of the log with its leaf's index and hash; entries of several versions stand side by side.
Of an event that retention has removed there is the leaf alone: without its hash nobody could work out the
root.
"""

import csv
import io
from collections.abc import Iterator, Sequence

import orjson
import sqlalchemy
from pydantic import BaseModel, JsonValue
from sqlmodel import col

from service.consent.events import COLUMNS, read_event
from service.consent.log import entries, tree
from service.consent.log.tree import HASH, ConsentLeaf, ConsentTreeHead, TreeHead
from service.consent.models import ConsentEvent
from service.consent.signing import Signer, canonical, encoded
from service.database import Database
from service.tables import Time, now

AT_ONCE = 1000
FORMAT, FORMAT_1 = "copydesk-consent-export/2", "copydesk-consent-export/1"
"""The format of exports, and that of 0.1: with entries of version 1 only, and no column for `v`."""
LEAF = ("leaf_index", "leaf_hash")
NOT_TEXT = frozenset({"leaf_index", "v", "notice_version", "purposes", "gpc"})
"""The columns of a CSV that hold JSON."""
MANIFEST_MARK = "# "
"""The beginning of a CSV's last line, before the manifest in JSON."""
DOCUMENTED = {
    "description": "The export",
    "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
}
Row = dict[str, JsonValue]


class Manifest(BaseModel):
    """The contents of an export: `rows` leaves from the first to the last of `tree_head`, of which `removed`
    have lost their event.
    """

    format: str = FORMAT
    issuer: str
    exported_at: Time
    rows: int
    removed: int
    tree_head: TreeHead


class SignedManifest(BaseModel):
    """A manifest and the signature over its canonical JSON (RFC 8785), by the key that signs the log's heads;
    both in base64.
    """

    manifest: Manifest
    public_key: str
    signature: str


def write(database: Database, signer: Signer, *, as_csv: bool) -> Iterator[bytes]:
    """Write an export, some rows at a time."""
    with database.reading() as session:
        head = tree.head_now(session, signer)
    removed, columns = 0, column_names()
    if as_csv:
        yield _csv([columns])
    for first in range(0, head.tree_size, AT_ONCE):
        rows = _rows(database, first, min(first + AT_ONCE, head.tree_size))
        removed += sum("event_id" not in row for row in rows)
        yield (
            _csv([_cells(row, columns) for row in rows])
            if as_csv
            else b"".join(orjson.dumps(row) + b"\n" for row in rows)
        )
    manifest = _signed(signer, database.settings.public_url, head, removed).model_dump_json()
    yield f"{MANIFEST_MARK if as_csv else ''}{manifest}\n".encode()


def column_names() -> list[str]:
    """Return the columns of a CSV: the leaf's, and every member that an entry of any version has."""
    newest_first = (entries.MEMBERS[version] for version in sorted(entries.MEMBERS, reverse=True))
    return list(dict.fromkeys([*LEAF, *(name for members in newest_first for name in members)]))


def _rows(database: Database, first: int, end: int) -> list[Row]:
    chosen = (
        sqlalchemy.select(col(ConsentLeaf.leaf_index), col(ConsentLeaf.hashes), *COLUMNS)
        .select_from(ConsentLeaf)
        .outerjoin(ConsentEvent, col(ConsentEvent.event_id) == col(ConsentLeaf.event_id))
        .where(col(ConsentLeaf.leaf_index) >= first, col(ConsentLeaf.leaf_index) < end)
    )
    with database.reading() as session:
        return [_row(*row) for row in session.execute(chosen.order_by(col(ConsentLeaf.leaf_index)))]


def _row(leaf_index: int, hashes: bytes, *event: object) -> Row:
    leaf_hash = hashes[:HASH]
    leaf: Row = {"leaf_index": leaf_index, "leaf_hash": leaf_hash.hex()}
    return leaf if event[0] is None else {**leaf, **entries.sealed_entry(read_event(event), leaf_hash)}


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    return [_cell(row.get(name)) for name in columns]


def _cell(value: JsonValue) -> str:
    """Return a value as CSV has it: nothing for null, which no text in a row can be, and JSON for what is no
    text.
    """
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _signed(signer: Signer, issuer: str, head: ConsentTreeHead, removed: int) -> SignedManifest:
    manifest = Manifest(
        issuer=issuer, exported_at=now(), rows=head.tree_size, removed=removed, tree_head=tree.as_read(head)
    )
    signature = signer.sign(canonical(manifest.model_dump(mode="json")))
    return SignedManifest(
        manifest=manifest, public_key=encoded(signer.public_key), signature=encoded(signature)
    )
