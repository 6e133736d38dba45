"""The holders of copies: tokens and webhooks."""

from collections.abc import Sequence

from sqlmodel import col, select

from service.copies.models import CopyHolder
from service.database import Session
from service.http.callers import Token
from service.tables import now
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


def is_over(token: Token) -> bool:
    """Return whether a token is revoked or expired."""
    return token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now())
