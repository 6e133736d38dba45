"""List what was killed last, and the holders that are not known to have received the removal."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from service.articles.models import Article, Status
from service.database import Session
from service.images.models import Image
from service.recall import pictures, report
from service.recall.models import OUTSTANDING, PictureRecallRead, RecallRead

MOST = 10
"""Kills of articles, and of pictures."""


@dataclass(frozen=True, slots=True)
class Kill:
    """An article or picture that was withdrawn, and the names of those who had it: with, and without the
    withdrawal.
    """

    kind: str
    name: str
    at: datetime
    reason: str
    have_heard: list[str]
    outstanding: list[tuple[str, str]]


def newest(session: Session) -> list[Kill]:
    """Return the kills of late, the newest first. An outstanding holder comes with its state."""
    articles = select(Article).where(Article.status == Status.WITHDRAWN)
    images = select(Image).where(col(Image.withdrawn_at).is_not(None))
    kills = [
        _kill("article", article.headline, article.updated_at, report.recall(session, article))
        for article in session.exec(articles.order_by(col(Article.updated_at).desc()).limit(MOST))
    ]
    for image in session.exec(images.order_by(col(Image.withdrawn_at).desc()).limit(MOST)):
        assert image.withdrawn_at is not None
        name = image.credit_line or str(image.id)
        kills.append(_kill("picture", name, image.withdrawn_at, pictures.recall(session, image)))
    return sorted(kills, key=lambda kill: kill.at, reverse=True)


def _kill(kind: str, name: str, at: datetime, told: RecallRead | PictureRecallRead) -> Kill:
    tokens = [(token.name, token.state) for token in told.tokens]
    webhooks = [(webhook.name or webhook.url, webhook.state) for webhook in told.webhooks]
    holders = [*tokens, *webhooks]
    return Kill(
        kind,
        name,
        at,
        told.reason or "",
        [holder for holder, state in holders if state not in OUTSTANDING],
        [(holder, str(state)) for holder, state in holders if state in OUTSTANDING],
    )
