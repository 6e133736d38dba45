"""Find the holders of a picture: by its own entry, or by an article that showed it in the version that was
sent.

Two things must have come to a holder: the removal of the picture, where it was sent the picture itself, and
the last change of each article that it was sent with the picture in it, as that was rendered after the
withdrawal. Which version of an article shows the picture, the article's history tells.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import String, cast
from sqlmodel import col, select, union

from service.articles.models import ArticleVersion
from service.contracts import Contract
from service.copies.models import ArticleCopy, CopyHolder, ImageCopy
from service.database import Session
from service.images.models import Image, ImagePastUse, ImageUse, ImageWithdrawal
from service.published.models import Kind, Published, PublishedFormer, PublishedTerm, WorkingChange
from service.published.terms import SHOWS
from service.recall.holders import contracts_of, dropped_at, is_over, is_told_no_more, tokens_of, webhooks_of
from service.recall.models import (
    OUTSTANDING,
    PictureHeldRead,
    PictureRecallRead,
    Reach,
    TokenHoldsPicture,
    WebhookHoldsPicture,
    WithdrawalNoted,
)

STAFF = "view=staff"


@dataclass(frozen=True, slots=True)
class _Withdrawal:
    """The withdrawal in force: when it was requested, when it took its number, and the version
    of the image.
    """

    at: datetime
    numbered_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class _Change:
    """The last change of an article: its number, and when it was made."""

    seq: int = 0
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The last public and the last working change of an article, and whether the picture has its place in
    what readers see.
    """

    public: _Change
    working: _Change
    has_place: bool

    def as_followed(self, holder: CopyHolder) -> _Change:
        """Return the change that a holder has the article by: that of the feed which it follows."""
        return self.working if STAFF in holder.address else self.public


@dataclass(slots=True)
class _Held:
    """The entries about the picture that one holder was sent: the picture itself, its removals before the
    withdrawal, the withdrawal, and the first copy of each article that showed it.
    """

    puts: list[ImageCopy] = field(default_factory=list)
    removals: list[ImageCopy] = field(default_factory=list)
    told: list[ImageCopy] = field(default_factory=list)
    articles: dict[UUID, ArticleCopy] = field(default_factory=dict)

    @property
    def is_something(self) -> bool:
        """Return whether the holder was sent the picture at all."""
        return bool(self.puts or self.articles)

    @property
    def received_at(self) -> datetime | None:
        """Return when the withdrawal of the picture itself was received."""
        return min((copy.received_at for copy in self.told if copy.received_at is not None), default=None)

    @property
    def has_dropped(self) -> bool:
        """Return whether the picture itself was never sent, or its removal was received before the
        withdrawal.
        """
        return not self.puts or any(
            copy.received_at is not None and copy.seq > self.puts[-1].seq for copy in self.removals
        )


def recall(session: Session, image: Image) -> PictureRecallRead:
    """Return who had the picture, and who has received its withdrawal."""
    withdrawal = _withdrawal(session, image)
    held = _held(session, image.id, withdrawal)
    holders = session.exec(
        select(CopyHolder).where(col(CopyHolder.id).in_(held)).order_by(col(CopyHolder.id))
    ).all()
    _leave_out_cut(session, image, held, contracts_of(session, holders))
    holders = [holder for holder in holders if held[holder.id].is_something]
    standing = _standing(session, image.id, {article for each in held.values() for article in each.articles})
    tokens, webhooks = tokens_of(session, holders), webhooks_of(session, holders)

    def read(holder: CopyHolder, *, stopped: bool) -> PictureHeldRead:
        return _read(held[holder.id], holder, withdrawal, standing, stopped=stopped)

    told_tokens = [
        TokenHoldsPicture(
            **read(holder, stopped=is_over(token)).model_dump(),
            token_id=token.id,
            name=token.name,
            follows=holder.address,
        )
        for holder, token in tokens
    ]
    told_webhooks = [
        WebhookHoldsPicture(
            **read(holder, stopped=is_told_no_more(webhook)).model_dump(),
            webhook_id=holder.id,
            name=webhook.name if webhook else None,
            url=holder.address,
        )
        for holder, webhook in webhooks
    ]
    states = [each.state for each in (*told_tokens, *told_webhooks)]
    return PictureRecallRead(
        image_id=image.id,
        version=image.version,
        withdrawn_at=image.withdrawn_at,
        reason=image.withdrawn_for,
        history=_history(session, image.id),
        tokens=told_tokens,
        webhooks=told_webhooks,
        reached=states.count(Reach.RECEIVED),
        outstanding=sum(state in OUTSTANDING for state in states),
        anonymous="not recorded",
    )


def _history(session: Session, image_id: UUID) -> list[WithdrawalNoted]:
    rows = select(ImageWithdrawal).where(ImageWithdrawal.image_id == image_id)
    return [
        WithdrawalNoted.model_validate(row)
        for row in session.exec(rows.order_by(col(ImageWithdrawal.version))).all()
    ]


def _withdrawal(session: Session, image: Image) -> _Withdrawal | None:
    """Return the withdrawal in force. A message sent before its number was written may contain
    the picture.
    """
    if image.withdrawn_at is None:
        return None
    version = session.exec(
        select(ImageWithdrawal.version)
        .where(ImageWithdrawal.image_id == image.id, col(ImageWithdrawal.is_undone).is_(False))
        .order_by(col(ImageWithdrawal.version).desc())
        .limit(1)
    ).first()
    public = session.exec(
        select(Published.changed_at).where(Published.kind == Kind.IMAGE, Published.id == image.id)
    ).one_or_none()
    numbered_at = max(image.withdrawn_at, public or image.withdrawn_at)
    return _Withdrawal(image.withdrawn_at, numbered_at, version or image.version)


def _held(session: Session, image_id: UUID, withdrawal: _Withdrawal | None) -> dict[UUID, _Held]:
    held: dict[UUID, _Held] = defaultdict(_Held)
    for copy in session.exec(
        select(ImageCopy).where(ImageCopy.image_id == image_id).order_by(col(ImageCopy.version))
    ):
        if withdrawal is not None and copy.version >= withdrawal.version:
            held[copy.holder_id].told.append(copy)
        else:
            (held[copy.holder_id].removals if copy.gone else held[copy.holder_id].puts).append(copy)
    for article_copy in _copies_that_show(session, image_id):
        if withdrawal is None or article_copy.sent_at <= withdrawal.numbered_at:
            held[article_copy.holder_id].articles.setdefault(article_copy.article_id, article_copy)
    return {id_: each for id_, each in held.items() if each.is_something}


def _leave_out_cut(
    session: Session, image: Image, held: Mapping[UUID, _Held], contracts: Mapping[UUID, Contract]
) -> None:
    """Leave out the articles of holders whose contract never gave the picture: it was cut out of them."""
    former = select(PublishedFormer.source).where(
        PublishedFormer.kind == Kind.IMAGE, PublishedFormer.id == image.id
    )
    sources = {image.source, *session.exec(former)}
    for id_, contract in contracts.items():
        if not any(map(contract.gives_picture, sources)):
            held[id_].articles.clear()


def _copies_that_show(session: Session, image_id: UUID) -> Sequence[ArticleCopy]:
    """Return the copies of the versions of articles that show the picture, the oldest first."""
    ever = union(
        select(ImageUse.article_id).where(ImageUse.image_id == image_id),
        select(ImagePastUse.article_id).where(ImagePastUse.image_id == image_id),
    ).subquery()
    copies = (
        select(ArticleCopy)
        .join(
            ArticleVersion,
            (col(ArticleVersion.article_id) == col(ArticleCopy.article_id))
            & (col(ArticleVersion.version) == col(ArticleCopy.version)),
        )
        .where(
            col(ArticleCopy.article_id).in_(select(ever.c.article_id)),
            col(ArticleCopy.gone).is_(False),
            cast(col(ArticleVersion.content), String).contains(str(image_id)),
        )
    )
    return session.exec(copies.order_by(col(ArticleCopy.sent_at))).all()


def _standing(session: Session, image_id: UUID, articles: set[UUID]) -> dict[UUID, _Standing]:
    """Return the numbers behind which a holder has each article without the picture."""
    if not articles:
        return {}
    showing = set(
        session.exec(
            select(PublishedTerm.id).where(PublishedTerm.field == SHOWS, PublishedTerm.value == str(image_id))
        )
    )
    public, working = (
        {
            id_: _Change(seq, at)
            for id_, seq, at in session.exec(
                select(table.id, table.seq, table.changed_at).where(
                    table.kind == Kind.ARTICLE, col(table.id).in_(articles)
                )
            )
        }
        for table in (Published, WorkingChange)
    )
    return {
        id_: _Standing(public.get(id_, _Change()), working.get(id_, _Change()), id_ in showing)
        for id_ in articles
    }


def _read(
    held: _Held,
    holder: CopyHolder,
    withdrawal: _Withdrawal | None,
    standing: dict[UUID, _Standing],
    *,
    stopped: bool,
) -> PictureHeldRead:
    sent = [copy.sent_at for copy in held.puts] + [copy.sent_at for copy in held.articles.values()]
    dropped = dropped_at(holder, max(sent))
    ends = {id_: standing[id_].as_followed(holder) for id_ in held.articles} if dropped is None else {}
    outstanding = sum(
        holder.acked_seq < end.seq
        or (standing[id_].has_place and (withdrawal is None or end.at < withdrawal.at))
        for id_, end in ends.items()
    )
    state = None
    if withdrawal is not None and dropped is not None:
        state = Reach.REMOVED if held.received_at is None else Reach.RECEIVED
    elif withdrawal is not None:
        is_told_by_articles = any(end.at >= withdrawal.at for end in ends.values())
        state = _reach(held, outstanding, is_told_by_articles=is_told_by_articles, stopped=stopped)
    return PictureHeldRead(
        last_version=held.puts[-1].version if held.puts else None,
        articles=len(held.articles),
        articles_outstanding=outstanding,
        sent_at=min(sent),
        withdrawal_sent_at=min((copy.sent_at for copy in held.told), default=None),
        withdrawal_received_at=held.received_at,
        dropped_at=dropped,
        state=state,
    )


def _reach(held: _Held, outstanding: int, *, is_told_by_articles: bool, stopped: bool) -> Reach:
    if not outstanding and held.received_at is not None:
        return Reach.RECEIVED
    if not outstanding and held.has_dropped:
        return Reach.RECEIVED if is_told_by_articles else Reach.REMOVED
    if stopped:
        return Reach.STOPPED
    return Reach.SENT if held.told else Reach.PENDING
