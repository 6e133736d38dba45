"""A receipt that a reader can keep: what was decided about which words, signed, with the proof that it is in
the log; to read or to print.
"""

import base64
import hashlib
from collections.abc import Collection
from html import escape
from typing import Literal

from pydantic import BaseModel, Field

from service.consent.decisions.record import Receipt
from service.consent.log import tree
from service.consent.log.tree import InclusionProof, TreeHead
from service.consent.models import Action, Choice, PurposeDecision, State
from service.consent.notices.shelf import advertises
from service.consent.signing import Signer, canonical, encoded
from service.database import Session
from service.settings import Settings

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;"
    "color:#111;background:#fff}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem}dt{font-weight:600}dd{margin:0 0 .6rem}"
    "code{overflow-wrap:anywhere;font-size:.85em}"
    "blockquote{margin:0;padding-left:1rem;border-left:3px solid #767676;white-space:pre-line}"
    "@media print{body{margin:0}}"
)
SAID = {
    State.GIVEN: "Agreed",
    State.RENEWED: "Agreed again",
    State.REFUSED: "Refused",
    State.WITHDRAWN: "Withdrawn",
    State.EXPIRED: "Ran out",
    State.INVALIDATED: "Made invalid",
    State.UNKNOWN: "Seen, and not agreed to",
}
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        f" style-src 'sha256-{STYLE_HASH}'"
    )
}


class Logged(BaseModel):
    """The place of an event in the log, and the head of the log that the proof leads to."""

    tree_head: TreeHead
    inclusion_proof: InclusionProof


class SignedReceipt(Receipt):
    """A receipt in the name of `issuer`. `signature` is over the canonical JSON (RFC 8785) of `event`,
    `issuer` and `notice`, where `event` is without `leaf_index` and `leaf_hash`; key and signature are in
    base64.
    """

    issuer: str = Field(description="the service's public address")
    log: Logged | None = Field(
        description="null until the event is sealed, some seconds after it was recorded"
    )
    algorithm: Literal["Ed25519"] = "Ed25519"
    public_key: str
    signature: str


def signed_content(receipt: Receipt, issuer: str) -> bytes:
    """Return the bytes that the signature covers."""
    told = receipt.model_dump(
        mode="json", include={"event": True, "notice": True}, exclude={"event": {"leaf_index", "leaf_hash"}}
    )
    return canonical({**told, "issuer": issuer})


def sign(session: Session, receipt: Receipt, settings: Settings) -> SignedReceipt:
    """Sign a receipt, and prove that its event is in the log if it is by now."""
    signer = Signer(settings.signing_key)
    (event,) = tree.with_leaves(session, [receipt.event])
    placed = Receipt(event=event, notice=receipt.notice)
    return SignedReceipt(
        event=placed.event,
        notice=placed.notice,
        issuer=settings.public_url,
        log=_proof(session, signer, event.leaf_index),
        public_key=encoded(signer.public_key),
        signature=encoded(signer.sign(signed_content(placed, settings.public_url))),
    )


def _proof(session: Session, signer: Signer, leaf_index: int | None) -> Logged | None:
    if leaf_index is None:
        return None
    head = tree.head_now(session, signer)
    leaf = tree.find_leaf(session, leaf_index, None, None)
    return Logged(
        tree_head=tree.as_read(head), inclusion_proof=tree.prove_inclusion(session, leaf, head.tree_size)
    )


def page(receipt: SignedReceipt) -> str:
    """Return the receipt as a page that prints well; it needs nothing from anywhere, and every word of it is
    escaped.
    """
    event, notice = receipt.event, receipt.notice
    names = {purpose.purpose_key: purpose.name for purpose in notice.purposes}
    under_gpc = event.gpc and event.action is Action.ACCEPT_ALL
    withheld = {one.purpose_key for one in notice.purposes if under_gpc and advertises(one)}
    rows = [
        ("Recorded by", receipt.issuer),
        ("Responsible", notice.controller.name if notice.controller else None),
        ("Received", f"{event.event_time:%Y-%m-%d %H:%M:%S} UTC"),
        ("Decision", f"{SAID[event.event_state]} ({event.event_state}, {event.action})"),
        *((names.get(one.purpose_key, one.purpose_key), _decided(one, withheld)) for one in event.purposes),
        ("Holds until", f"{event.valid_until:%Y-%m-%d %H:%M:%S} UTC" if event.valid_until else None),
        ("Notice", f"{notice.notice_key}, version {notice.version}, {notice.language}"),
    ]
    proofs = [
        ("Event", str(event.event_id)),
        ("SHA-256 of the notice", notice.content_hash),
        ("Leaf of the log", f"{event.leaf_index}, {event.leaf_hash}" if event.leaf_hash else None),
        ("Public key (Ed25519)", receipt.public_key),
        ("Signature", receipt.signature),
    ]
    actions = [label for label in notice.texts.actions.model_dump().values() if label]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Consent receipt</title>'
        f"<style>{STYLE}</style></head><body><h1>Consent receipt</h1><dl>{_list(rows)}</dl>"
        f'<h2>What was shown</h2><blockquote lang="{escape(notice.language)}">'
        f"{escape(notice.texts.title or '')}\n{escape(notice.texts.body)}\n"
        f"{escape(' · '.join(actions))}</blockquote>"
        f"<h2>Proof</h2><dl>{_list(proofs, 'code')}</dl></body></html>"
    )


def _decided(one: PurposeDecision, withheld: Collection[str]) -> str:
    is_withheld = one.decision is Choice.DENIED and one.purpose_key in withheld
    return f"{one.decision} (Global Privacy Control)" if is_withheld else one.decision


def _list(rows: list[tuple[str, str | None]], tag: str = "span") -> str:
    return "".join(
        f"<dt>{escape(name)}</dt><dd><{tag}>{escape(value)}</{tag}></dd>"
        for name, value in rows
        if value is not None
    )
