"""One follower: what it asks for, its place, and its next batch, from the public feed or from the staff's."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from service.contracts import Contract
from service.copies.gathering import Copies
from service.database import Database
from service.faults import DATABASE_FAULTS, refusal
from service.http import sparse
from service.http.callers import identify
from service.published import contracted, feed, mirrored
from service.published.feed import Batch, FollowerPlace, Head, Wanted
from service.published.reader import DatabaseReader
from service.published.waiting import View, Waiting
from service.scopes import Scope
from service.sync import staff_feed
from service.sync.cursors import contract_ended, refuse_forgotten
from service.tables import latest


@dataclass(frozen=True, slots=True)
class Follower:
    """A follower and its question. `secret` is the token's: it must still be good whenever a
    change is sent.
    """

    database: Database
    reader: DatabaseReader
    waiting: Waiting
    copies: Copies
    wanted: Wanted
    view: View
    limit: int
    token_id: UUID | None
    secret: str | None
    contract: Contract | None = None
    has_ended: bool = False
    """True if the contract had ended when the follower came, who is then told that there is nothing."""
    fields: sparse.Wanted | None = None
    """The members of entries that it asks for; None for all."""

    async def head(self) -> Head:
        """Read the head of the feed. A contract shows the store under an id of its own. Raises the problem of
        a database fault.
        """
        try:
            head = await feed.head(self.reader)
            return head if self.contract is None else replace(head, store=self.contract.mark(head.store))
        except DATABASE_FAULTS as fault:
            raise refusal(fault) from fault

    @property
    def address(self) -> str:
        """Return the address and the filters of this follower without `limit`, so that each narrowed feed of
        one token counts by itself.
        """
        is_narrow = self.view is not View.MIRROR and self.wanted.kinds != feed.KINDS
        kinds = ",".join(self.wanted.kinds) if is_narrow else None
        narrowed = [("kind", kinds)] if kinds is not None else []
        narrowed += [("section", section) for section in self.wanted.sections]
        narrowed += [("language", language) for language in self.wanted.languages]
        if self.view is View.STAFF:
            narrowed.append(("view", str(self.view)))
        return f"/v1/changes?{urlencode(narrowed)}" if narrowed else "/v1/changes"

    def come(self, place: FollowerPlace) -> None:
        """Note that the holder of a token has everything up to a place. After the end of its contract, note
        that it has begun again with nothing.
        """
        if self.token_id is None:
            return
        if self.has_ended:
            self.copies.came_back(self.token_id, self.address)
        else:
            self.copies.came(self.token_id, self.address, place.seq)

    def told_end(self) -> None:
        """Note that the holder of a token is refused because its contract has ended."""
        if self.token_id is not None:
            self.copies.told_end(self.token_id, self.address)

    async def take(self, place: FollowerPlace, most: int | None = None) -> Batch:
        """Return the next batch after a place, of at most `most` entries. Raises Unauthorized when the token
        is no longer valid.
        """
        batch = await self._take(place, self.limit if most is None else min(most, self.limit))
        if self.token_id is not None and batch.entries:
            self.copies.sent(self.token_id, self.address, batch.entries)
        return batch if self.fields is None else await run_in_threadpool(_narrowed, batch, self.fields)

    @property
    def is_at_end(self) -> bool:
        """Return whether the contract has ended since the follower came."""
        return self.contract is not None and self.contract.has_ended(latest()) and not self.has_ended

    async def _take(self, place: FollowerPlace, limit: int) -> Batch:
        try:
            if self.secret is not None:
                caller, _ = await identify(self.reader, self.secret)
                if self.view is View.STAFF:
                    caller.need(Scope.CONTENT_READ)
            if self.contract is not None:
                if self.is_at_end:
                    raise contract_ended(self.contract, self.address)
                head = await self._head_behind(place)
                return await run_in_threadpool(
                    contracted.batch, self.database, self.contract, self.wanted, place, head, limit
                )
            if self.view is View.STAFF:
                return await run_in_threadpool(staff_feed.batch, self.database, self.wanted, place, limit)
            head = await self._head_behind(place)
            batch = await feed.batch(self.reader, self.wanted, place, head, limit)
            return await mirrored.complete(self.reader, batch) if self.view is View.MIRROR else batch
        except DATABASE_FAULTS as fault:
            raise refusal(fault) from fault

    async def _head_behind(self, place: FollowerPlace) -> Head:
        """Return where the store stands. Raises StartAgain if removals have been forgotten since the place
        was let in: a slow stream may be at it for long.
        """
        head = await feed.head(self.reader)
        refuse_forgotten(place, head, self.view, self.address)
        return head


def _narrowed(batch: Batch, fields: sparse.Wanted) -> Batch:
    entries = [replace(entry, body=sparse.only(entry.body, fields)) for entry in batch.entries]
    return replace(batch, entries=entries)
