"""The holders of copies: tokens and webhooks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from service.contracts import Contract
from service.copies.models import CopyHolder
from service.database import Session
from service.http.callers import Token, still_good
from service.tables import latest
from service.webhooks.models import Webhook


def tokens_of(session: Session, holders: Sequence[CopyHolder]) -> list[tuple[CopyHolder, Token]]:
    """Return the holders that are tokens, each with its token."""
    rows = session.exec(
        select(Token).where(col(Token.id).in_([holder.token_id for holder in holders if holder.token_id]))
    ).all()
    known = {token.id: token for token in rows}
    return [(holder, known[holder.token_id]) for holder in holders if holder.token_id is not None]


def webhooks_of(session: Session, holders: Sequence[CopyHolder]) -> list[tuple[CopyHolder, Webhook | None]]:
    """Return the holders that are webhooks, each with its webhook; None for one that was deleted."""
    receivers = [holder for holder in holders if holder.token_id is None]
    rows = session.exec(select(Webhook).where(col(Webhook.id).in_([holder.id for holder in receivers]))).all()
    known = {webhook.id: webhook for webhook in rows}
    return [(holder, known.get(holder.id)) for holder in receivers]


def contracts_of(session: Session, holders: Sequence[CopyHolder]) -> dict[UUID, Contract]:
    """Return the contracts of holders by their ids: those of tokens, and of the tokens behind webhooks."""
    found = {holder.id: token.contract for holder, token in tokens_of(session, holders)}
    behind = select(Webhook.id, Token).join(Token, col(Token.id) == col(Webhook.token_id))
    rows = session.exec(behind.where(col(Webhook.id).in_([holder.id for holder in holders]))).all()
    found |= {id_: token.contract for id_, token in rows}
    return {id_: contract for id_, contract in found.items() if contract is not None}


def is_told_no_more(webhook: Webhook | None) -> bool:
    """Return whether a webhook gets no more messages: it is deleted or disabled, or its
    contract has ended.
    """
    return webhook is None or not webhook.enabled or webhook.contract_ended_at is not None


def dropped_at(holder: CopyHolder, sent_at: datetime) -> datetime | None:
    """Return when a holder of what was sent at a time had dropped it with its contract, or None."""
    dropped = holder.dropped_at
    return dropped if dropped is not None and sent_at <= dropped else None


def is_over(token: Token) -> bool:
    """Return whether a token is revoked or expired, or its contract has ended: it is sent nothing more."""
    if token.contract is not None and token.contract.has_ended(latest()):
        return True
    return not still_good(token.revoked_at, token.expires_at)
