"""List the followers of the store, with the place of each, and those that have stopped."""

import enum
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from anyio import to_thread
from pydantic import Field
from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import col

from service.copies.models import CopyHolder
from service.database import Database, Session
from service.http.callers import Token
from service.published.feed import KINDS
from service.published.models import Kind, Published, WorkingChange, all_but
from service.recall.holders import is_over, is_told_no_more, tokens_of, webhooks_of
from service.tables import Reading, Time, now
from service.webhooks.models import DeliveryStatus, Notice, Webhook, WebhookDelivery
from service.webhooks.notices import tell

MOST_COUNTED = 10_000
"""Entries that are looked through to say how far behind a follower is."""
MOST_WATCHED = 1_000
LOOKS_EVERY = 15.0
_NEVER = 1970


class FollowerState(enum.StrEnum):
    """The state of a follower."""

    CURRENT = "current"
    BEHIND = "behind"
    STALLED = "stalled"
    STOPPED = "stopped"


STATES = (
    "current: it has everything. behind: something waits for it. stalled: that waits for longer than"
    " `COPYDESK_FOLLOWER_STALLED_SECONDS`. stopped: its token is revoked or expired, its webhook disabled or"
    " deleted, or its contract has ended"
)


class LagRead(Reading):
    """The changes that a follower has not received yet."""

    entries: int = Field(description=f"{MOST_COUNTED} stands for that many or more")
    seconds: float = Field(description="for which the oldest of them waits", examples=[0.4])


class FollowerRead(Reading):
    """A token that follows one address of the feed, or a webhook."""

    id: UUID
    token_id: UUID | None
    webhook_id: UUID | None
    name: str | None = Field(examples=["wire partner"])
    follows: str = Field(
        description="the address of the feed; of a webhook scheme and host alone", examples=["/v1/changes"]
    )
    seq: int = Field(description="the number up to which it is known to have everything", examples=[5120])
    lag: LagRead
    last_seen_at: Time | None = Field(description="of a token to the minute; of a webhook its last 2xx")
    state: FollowerState = Field(description=STATES)


def read(session: Session, holders: Sequence[CopyHolder]) -> list[FollowerRead]:
    """Return the state of these followers, in the order given."""
    stalled_after = session.database.settings.follower_stalled_seconds
    tokens = {holder.id: token for holder, token in tokens_of(session, holders)}
    webhooks = {holder.id: webhook for holder, webhook in webhooks_of(session, holders)}
    found = []
    for holder in holders:
        token, webhook = tokens.get(holder.id), webhooks.get(holder.id)
        lag = _lag(session, holder)
        is_stopped = is_over(token) if token is not None else is_told_no_more(webhook)
        found.append(
            FollowerRead(
                id=holder.id,
                token_id=holder.token_id,
                webhook_id=None if holder.token_id else holder.id,
                name=_name(token, webhook),
                follows=holder.address,
                seq=holder.acked_seq,
                lag=lag,
                last_seen_at=_last_seen(holder, token),
                state=_state(lag, stalled_after, is_stopped=is_stopped),
            )
        )
    return found


def _name(token: Token | None, webhook: Webhook | None) -> str | None:
    return token.name if token is not None else webhook.name if webhook is not None else None


def _last_seen(holder: CopyHolder, token: Token | None) -> datetime | None:
    if holder.acked_at.year == _NEVER:
        return None
    used = token.last_used_at if token is not None else None
    return holder.acked_at if used is None else max(used, holder.acked_at)


def _state(lag: LagRead, stalled_after: float, *, is_stopped: bool) -> FollowerState:
    if is_stopped:
        return FollowerState.STOPPED
    if not lag.entries:
        return FollowerState.CURRENT
    return FollowerState.STALLED if lag.seconds > stalled_after else FollowerState.BEHIND


def _lag(session: Session, holder: CopyHolder) -> LagRead:
    waiting = (_pending(holder) if holder.token_id is None else _unread(holder)).subquery()
    count, oldest = session.execute(select(func.count(), func.min(waiting.c.at))).one()
    return LagRead(entries=count, seconds=max(0.0, (now() - oldest).total_seconds()) if count else 0.0)


def _pending(holder: CopyHolder) -> Select[tuple[datetime]]:
    return (
        select(col(WebhookDelivery.created_at).label("at"))
        .where(
            col(WebhookDelivery.webhook_id) == holder.id,
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
        )
        .limit(MOST_COUNTED)
    )


def _unread(holder: CopyHolder) -> Select[tuple[datetime]]:
    """Choose the entries behind a follower's place, of what it follows, among the next ten
    thousand of all.
    """
    asked = parse_qs(urlsplit(holder.address).query)
    kinds = [Kind(kind) for each in asked.get("kind", ()) for kind in each.split(",")] or list(KINDS)
    table = WorkingChange if "view" in asked else Published
    place = [col(table.seq) > holder.acked_seq, col(table.kind).not_in(all_but(kinds))]
    columns: list[ColumnElement[object]] = [col(table.changed_at).label("at")]
    narrowed = [] if "view" in asked else [name for name in ("section", "language") if name in asked]
    columns += [getattr(Published, name) for name in narrowed]
    next_ones = select(*columns).where(*place).order_by(col(table.seq)).limit(MOST_COUNTED).subquery()
    return select(next_ones.c.at).where(*(next_ones.c[name] == asked[name][0] for name in narrowed))


class FollowersWatched:
    """Counts of followers for `/metrics`, taken now and then, and the warning of those that have come to a
    stop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.behind = self.stalled = self.lag_seconds = 0.0
        self._stalled: dict[UUID, FollowerRead] = {}
        self._told: set[UUID] = set()

    async def step(self) -> float:
        """Count followers, send notices of those that are newly stalled, and return the seconds to wait."""
        if await to_thread.run_sync(self._count):
            async with self._database.turn():
                await to_thread.run_sync(self._tell)
        return LOOKS_EVERY

    def _count(self) -> bool:
        """Count followers. Return True when one is newly stalled, or has moved on since its notice."""
        with self._database.reading() as session:
            holders = session.execute(
                select(CopyHolder).order_by(col(CopyHolder.acked_at).desc()).limit(MOST_WATCHED)
            ).scalars()
            known = list(holders)
            found = [each for each in read(session, known) if each.state is not FollowerState.STOPPED]
        self._stalled = {each.id: each for each in found if each.state is FollowerState.STALLED}
        self._told = {holder.id for holder in known if holder.stalled_at is not None}
        self.behind = sum(each.state is not FollowerState.CURRENT for each in found)
        self.stalled = len(self._stalled)
        self.lag_seconds = max((each.lag.seconds for each in found), default=0.0)
        return self._stalled.keys() != self._told

    def _tell(self) -> None:
        """Send one notice for each follower that is newly stalled. The row lock lets one process send it."""
        with self._database.writing() as session:
            changed = self._stalled.keys() ^ self._told
            rows = select(CopyHolder).where(col(CopyHolder.id).in_(changed)).order_by(col(CopyHolder.id))
            for holder in session.execute(rows.with_for_update()).scalars():
                follower = self._stalled.get(holder.id)
                if follower is None:
                    holder.stalled_at = None
                elif holder.stalled_at is None:
                    holder.stalled_at = now()
                    tell(session, Notice.FOLLOWER_STALLED, follower.model_dump(mode="json"))
