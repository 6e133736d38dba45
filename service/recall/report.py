"""Find the holders of an article in the copies that were sent.

A holder that was sent only a later removal never had the article. Every message from the withdrawal on tells
the holder of it: followers of public content get a removal, followers of working content the withdrawn
article itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlmodel import col, select

from service.articles.models import Article, ArticleVersion, Status
from service.copies.models import ArticleCopy, CopyHolder
from service.database import Session
from service.recall.holders import dropped_at, is_over, is_told_no_more, tokens_of, webhooks_of
from service.recall.models import (
    OUTSTANDING,
    CopyRead,
    HeldRead,
    Reach,
    RecallRead,
    TokenHeld,
    WebhookHeld,
)


@dataclass(frozen=True, slots=True)
class _Held:
    """The entries about the article that one holder was sent: versions before the withdrawal, removals before
    it, and the withdrawal.
    """

    puts: Sequence[ArticleCopy]
    removals: Sequence[ArticleCopy]
    told: Sequence[ArticleCopy]

    def read(self, holder: CopyHolder, *, withdrawn: bool, stopped: bool) -> HeldRead:
        """Return the holder's copies, and how far the withdrawal has come to it."""
        last = self.puts[-1]
        dropped = dropped_at(holder, max(copy.sent_at for copy in self.puts))
        return HeldRead(
            last_version=last.version,
            received_at=last.received_at,
            versions=[CopyRead.model_validate(copy) for copy in self.puts],
            withdrawal_sent_at=min((copy.sent_at for copy in self.told), default=None),
            withdrawal_received_at=self._received_at(),
            dropped_at=dropped,
            state=self._reach(dropped=dropped is not None, stopped=stopped) if withdrawn else None,
        )

    def _received_at(self) -> datetime | None:
        return min((copy.received_at for copy in self.told if copy.received_at is not None), default=None)

    def _reach(self, *, dropped: bool, stopped: bool) -> Reach:
        if self._received_at() is not None:
            return Reach.RECEIVED
        if dropped or any(
            copy.received_at is not None and copy.version > self.puts[-1].version for copy in self.removals
        ):
            return Reach.REMOVED
        if stopped:
            return Reach.STOPPED
        return Reach.SENT if self.told else Reach.PENDING


def recall(session: Session, article: Article) -> RecallRead:
    """Return the holders of the article, and who of them has received its withdrawal."""
    withdrawal = _withdrawal(session, article)
    held = _held(session, article.id, withdrawal)
    holders = session.exec(
        select(CopyHolder).where(col(CopyHolder.id).in_(held)).order_by(col(CopyHolder.id))
    ).all()
    withdrawn = withdrawal is not None
    tokens = _tokens(session, holders, held, withdrawn=withdrawn)
    webhooks = _webhooks(session, holders, held, withdrawn=withdrawn)
    states = [each.state for each in (*tokens, *webhooks)]
    return RecallRead(
        article_id=article.id,
        status=article.status,
        version=article.version,
        withdrawn_at=withdrawal.at if withdrawal else None,
        withdrawn_version=withdrawal.version if withdrawal else None,
        reason=article.withdrawn_for,
        tokens=tokens,
        webhooks=webhooks,
        reached=states.count(Reach.RECEIVED),
        outstanding=sum(state in OUTSTANDING for state in states),
        anonymous="not recorded",
    )


def _withdrawal(session: Session, article: Article) -> ArticleVersion | None:
    versions = select(ArticleVersion).where(
        ArticleVersion.article_id == article.id, ArticleVersion.status == Status.WITHDRAWN
    )
    return session.exec(versions.order_by(col(ArticleVersion.version)).limit(1)).one_or_none()


def _held(session: Session, article_id: UUID, withdrawal: ArticleVersion | None) -> dict[UUID, _Held]:
    copies = select(ArticleCopy).where(ArticleCopy.article_id == article_id)
    found = session.exec(copies.order_by(col(ArticleCopy.holder_id), col(ArticleCopy.version))).all()
    held = {id_: _sorted(list(sent), withdrawal) for id_, sent in groupby(found, lambda copy: copy.holder_id)}
    return {id_: each for id_, each in held.items() if each.puts}


def _sorted(copies: Sequence[ArticleCopy], withdrawal: ArticleVersion | None) -> _Held:
    before = [copy for copy in copies if withdrawal is None or copy.version < withdrawal.version]
    return _Held(
        puts=[copy for copy in before if not copy.gone],
        removals=[copy for copy in before if copy.gone],
        told=copies[len(before) :],
    )


def _tokens(
    session: Session, holders: Sequence[CopyHolder], held: dict[UUID, _Held], *, withdrawn: bool
) -> list[TokenHeld]:
    return [
        TokenHeld(
            **held[holder.id].read(holder, withdrawn=withdrawn, stopped=is_over(token)).model_dump(),
            token_id=token.id,
            name=token.name,
            follows=holder.address,
        )
        for holder, token in tokens_of(session, holders)
    ]


def _webhooks(
    session: Session, holders: Sequence[CopyHolder], held: dict[UUID, _Held], *, withdrawn: bool
) -> list[WebhookHeld]:
    told = []
    for holder, webhook in webhooks_of(session, holders):
        read = held[holder.id].read(holder, withdrawn=withdrawn, stopped=is_told_no_more(webhook))
        told.append(
            WebhookHeld(
                **read.model_dump(),
                webhook_id=holder.id,
                name=webhook.name if webhook else None,
                url=holder.address,
            )
        )
    return told
