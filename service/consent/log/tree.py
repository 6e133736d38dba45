"""The log of events: a Merkle tree (RFC 9162) over them, in which nothing can be changed, left out or put in
between unseen.

An entry (`entries`) is an event in canonical JSON. It names the reader by pseudonym only and leaves
`consent_id` out, so that erasing a reader takes nothing from it: destroying the salt ends the link, and every
proof still holds.
"""

import struct
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import pydantic
from pydantic import BaseModel
from sqlmodel import Field, col, select

from service.consent.log import entries, merkle
from service.consent.log.merkle import Frontier, Span, Subtree, inclusion_spans
from service.consent.models import EventRead
from service.consent.signing import Signer, encoded, log_id
from service.database import Session
from service.errors import NotFound, Unprocessable
from service.tables import Table, Time, now

HASH = 32
"""Bytes."""


class NotInTheLog(NotFound):
    """The log has no such leaf, or is not yet as large. An event is sealed into it some seconds after it was
    recorded.
    """

    title = "Not in the log"


class NoSuchTree(Unprocessable):
    """The log was never of these sizes: they go from 0 to the `tree_size` of its head, the older
    one first.
    """

    title = "The log was never of this size"


class ConsentLeaf(Table, table=True):
    """One leaf. `hashes` are its own and, upwards, those of the full subtrees that it completes; retention
    forgets `event_id`.
    """

    __tablename__ = "consent_leaf"

    leaf_index: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    event_id: UUID | None = Field(default=None, unique=True)
    hashes: bytes = Field(index=True)


class ConsentTreeHead(Table, table=True):
    """The log as it once was, signed."""

    __tablename__ = "consent_tree_head"

    tree_size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root_hash: bytes
    timestamp: Time
    public_key: bytes
    signature: bytes


class TreeHead(BaseModel):
    """The log at one size. `signature` is over TreeHeadDataV2 of RFC 9162, section 4.10, without extensions;
    `timestamp` in milliseconds.

    Hashes are in hex, key and signature in base64. `log_id` is the SHA-256 of the key.
    """

    tree_size: int = pydantic.Field(examples=[1204])
    root_hash: str
    timestamp: Time
    algorithm: Literal["Ed25519"] = "Ed25519"
    log_id: str
    public_key: str
    signature: str


class InclusionProof(BaseModel):
    """InclusionProofDataV2 of RFC 9162, with the hashes that it leads from and to; all in hex."""

    leaf_index: int = pydantic.Field(examples=[17])
    leaf_hash: str
    tree_size: int
    root_hash: str
    inclusion_path: list[str]


def tree_head_data(size: int, root: bytes, timestamp: datetime) -> bytes:
    """Return the bytes that are signed: TreeHeadDataV2 of RFC 9162, section 4.10."""
    milliseconds = round(timestamp.timestamp() * 1000)
    return struct.pack(">QQB", milliseconds, size, len(root)) + root + struct.pack(">H", 0)


def signed_head(
    signer: Signer, size: int, root: bytes, *, after: ConsentTreeHead | None = None
) -> ConsentTreeHead:
    """Sign the log as it is now; never with an earlier time than the head before."""
    at = now()
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    if after is not None:
        at = max(at, after.timestamp)
    signature = signer.sign(tree_head_data(size, root, at))
    return ConsentTreeHead(
        tree_size=size, root_hash=root, timestamp=at, public_key=signer.public_key, signature=signature
    )


def latest_head(session: Session) -> ConsentTreeHead | None:
    """Return the newest head, or None before anything was sealed."""
    return session.exec(
        select(ConsentTreeHead).order_by(col(ConsentTreeHead.tree_size).desc()).limit(1)
    ).one_or_none()


def head_now(session: Session, signer: Signer) -> ConsentTreeHead:
    """Return the newest head; a log that nothing was sealed into has one too."""
    return latest_head(session) or signed_head(signer, 0, merkle.EMPTY_ROOT)


def as_read(head: ConsentTreeHead) -> TreeHead:
    """Return a head for an answer."""
    return TreeHead(
        tree_size=head.tree_size,
        root_hash=head.root_hash.hex(),
        timestamp=head.timestamp,
        log_id=log_id(head.public_key),
        public_key=encoded(head.public_key),
        signature=encoded(head.signature),
    )


def subtrees(session: Session, spans: Iterable[Span]) -> Subtree:
    """Fetch, at once, the full subtrees that some spans are made of."""
    last = {((place + 1) << level) - 1 for span in spans for level, place in span.subtrees()}
    leaves = session.exec(select(ConsentLeaf).where(col(ConsentLeaf.leaf_index).in_(last))).all()
    known = {leaf.leaf_index: leaf.hashes for leaf in leaves}

    def subtree(level: int, place: int) -> bytes:
        return known[((place + 1) << level) - 1][HASH * level : HASH * (level + 1)]

    return subtree


def frontier(session: Session, size: int) -> Frontier:
    """Return the right edge of the log at a size, to which leaves can be added."""
    edge = Span(0, size)
    subtree = subtrees(session, [edge])
    return Frontier(size, [subtree(level, place) for level, place in edge.subtrees()])


def find_leaf(
    session: Session, leaf_index: int | None, leaf_hash: str | None, event_id: UUID | None
) -> ConsentLeaf:
    """Find a leaf by one of its names. Raises NotInTheLog."""
    chosen = select(ConsentLeaf)
    if leaf_index is not None:
        chosen = chosen.where(ConsentLeaf.leaf_index == leaf_index)
    elif event_id is not None:
        chosen = chosen.where(ConsentLeaf.event_id == event_id)
    else:
        assert leaf_hash is not None
        start = bytes.fromhex(leaf_hash)
        chosen = chosen.where(
            col(ConsentLeaf.hashes) >= start, col(ConsentLeaf.hashes) < start + b"\xff" * HASH
        )
    leaf = session.exec(chosen.limit(1)).one_or_none()
    if leaf is None:
        raise NotInTheLog("The log has no such leaf, or not yet.")
    return leaf


def with_leaves(session: Session, events: list[EventRead]) -> list[EventRead]:
    """Return the same events, each with its place in the log where it has one by now."""
    chosen = select(ConsentLeaf).where(col(ConsentLeaf.event_id).in_([event.event_id for event in events]))
    leaves = {leaf.event_id: leaf for leaf in session.exec(chosen)}
    return [
        _placed(event, leaf) if (leaf := leaves.get(event.event_id)) is not None else event
        for event in events
    ]


def _placed(event: EventRead, leaf: ConsentLeaf) -> EventRead:
    leaf_hash = leaf.hashes[:HASH]
    version = entries.version_of(entries.sealed_entry(event, leaf_hash))
    return event.model_copy(
        update={"v": version, "leaf_index": leaf.leaf_index, "leaf_hash": leaf_hash.hex()}
    )


def prove_inclusion(session: Session, leaf: ConsentLeaf, size: int) -> InclusionProof:
    """Prove that the log at a size holds a leaf."""
    spans = inclusion_spans(leaf.leaf_index, size)
    subtree = subtrees(session, [Span(0, size), *spans])
    return InclusionProof(
        leaf_index=leaf.leaf_index,
        leaf_hash=leaf.hashes[:HASH].hex(),
        tree_size=size,
        root_hash=Span(0, size).hash(subtree).hex(),
        inclusion_path=[span.hash(subtree).hex() for span in spans],
    )
