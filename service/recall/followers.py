"""List the followers of the store, with the place of each, and those that have stopped."""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Any
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
from service.published.models import Kind, Published, PublishedSequence, WorkingChange, all_but
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
                state=_state(lag.seconds if lag.entries else None, stalled_after, is_stopped=is_stopped),
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


def _state(lag: float | None, stalled_after: float, *, is_stopped: bool) -> FollowerState:
    """Return the state of a follower for whom something waits for so many seconds; None when nothing does."""
    if is_stopped:
        return FollowerState.STOPPED
    if lag is None:
        return FollowerState.CURRENT
    return FollowerState.STALLED if lag > stalled_after else FollowerState.BEHIND


def lags(session: Session, holders: Sequence[CopyHolder]) -> dict[UUID, float | None]:
    """Return the seconds for which something waits for each of these followers that has not stopped; None
    when nothing does. Nothing is counted, because one entry tells.
    """
    # The number is gone while a dump is being restored over the store.
    last = session.execute(select(col(PublishedSequence.seq))).scalar() or 0
    stopped = {holder.id for holder, token in tokens_of(session, holders) if is_over(token)}
    stopped |= {holder.id for holder, webhook in webhooks_of(session, holders) if is_told_no_more(webhook)}
    return {holder.id: _first_lag(session, holder, last) for holder in holders if holder.id not in stopped}


def _lag(session: Session, holder: CopyHolder) -> LagRead:
    waiting = _waiting(holder).limit(MOST_COUNTED).subquery()
    count, oldest = session.execute(select(func.count(), func.min(waiting.c.at))).one()
    return LagRead(entries=count, seconds=_seconds_since(oldest) if count else 0.0)


def _first_lag(session: Session, holder: CopyHolder, last: int) -> float | None:
    """Return the seconds for which the first entry waits for a follower, when the last number is `last`; None
    when nothing waits.
    """
    if holder.token_id is not None and holder.acked_seq >= last:
        return None
    first = session.execute(_waiting(holder).limit(1)).scalar()
    return None if first is None else _seconds_since(first)


def _seconds_since(at: datetime) -> float:
    return max(0.0, (now() - at).total_seconds())


def _waiting(holder: CopyHolder) -> Select[tuple[datetime]]:
    return _pending(holder) if holder.token_id is None else _unread(holder)


def _pending(holder: CopyHolder) -> Select[tuple[datetime]]:
    return (
        select(col(WebhookDelivery.created_at).label("at"))
        .where(
            col(WebhookDelivery.webhook_id) == holder.id,
            col(WebhookDelivery.status) == DeliveryStatus.PENDING,
        )
        .order_by(col(WebhookDelivery.seq), col(WebhookDelivery.id))
    )


def _unread(holder: CopyHolder) -> Select[tuple[datetime]]:
    """Choose the entries behind a follower's place, of what it follows, the oldest first; those of a kind,
    section or language among the next ten thousand of all.
    """
    asked = parse_qs(urlsplit(holder.address).query)
    kinds = [Kind(kind) for each in asked.get("kind", ()) for kind in each.split(",")] or list(KINDS)
    table = WorkingChange if "view" in asked else Published
    names = [] if "view" in asked else [name for name in ("section", "language") if name in asked]
    at: ColumnElement[Any] = col(table.changed_at).label("at")
    columns = [at, col(table.kind), *(getattr(Published, name) for name in names)]
    next_ones = select(*columns).where(col(table.seq) > holder.acked_seq).order_by(col(table.seq))
    if not names and not all_but(kinds):
        return next_ones.with_only_columns(at)
    among = next_ones.limit(MOST_COUNTED).subquery()
    wanted = (among.c[name] == asked[name][0] for name in names)
    return select(among.c.at).where(among.c.kind.not_in(all_but(kinds)), *wanted)


class FollowersWatched:
    """Counts of followers for `/metrics`, taken now and then, and the warning of those that have come to a
    stop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.behind = self.stalled = self.lag_seconds = 0.0
        self._stalled: set[UUID] = set()
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
            found = lags(session, known)
        stalled_after = self._database.settings.follower_stalled_seconds
        waits = {id_: lag for id_, lag in found.items() if lag is not None}
        self._stalled = {id_ for id_, lag in waits.items() if lag > stalled_after}
        self._told = {holder.id for holder in known if holder.stalled_at is not None}
        self.behind = len(waits)
        self.stalled = len(self._stalled)
        self.lag_seconds = max(waits.values(), default=0.0)
        return self._stalled != self._told

    def _tell(self) -> None:
        """Send one notice for each follower that is newly stalled. The row lock lets one process send it."""
        with self._database.writing() as session:
            changed = self._stalled ^ self._told
            rows = select(CopyHolder).where(col(CopyHolder.id).in_(changed)).order_by(col(CopyHolder.id))
            for holder in session.execute(rows.with_for_update()).scalars():
                if holder.id not in self._stalled:
                    holder.stalled_at = None
                elif holder.stalled_at is None:
                    (follower,) = read(session, [holder])
                    # It may have gone on meanwhile.
                    if follower.state is FollowerState.STALLED:
                        holder.stalled_at = now()
                        tell(session, Notice.FOLLOWER_STALLED, follower.model_dump(mode="json"))
