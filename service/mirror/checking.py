"""Compare a mirror with its origin's digest, and mend the rows that differ.

Every document is read and hashed here, so that a row is found which a disk has spoilt. A range that differs
is parted until it is small, and then fetched: of a million numbers a wrong one takes six requests. What finds
a row is compared with its own document.
"""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from uuid import UUID

import anyio
import structlog
from anyio import to_thread
from pydantic import ValidationError
from sqlalchemy import select
from sqlmodel import col

from service.background import Beat
from service.database import Database, Session
from service.http.conditional import etag_of
from service.mirror import place as places
from service.mirror.derived import Finding, Suspects
from service.mirror.following import Following
from service.mirror.own import OwnHashes
from service.mirror.pages import MOST, OriginRefuses, Page, StartAgain, read_page, refusal
from service.mirror.pictures import remove_files
from service.mirror.place import MirrorPlace
from service.outbound.connections import FetchFailed
from service.outbound.origin import Origin, Told
from service.published import mirroring
from service.published.feed import KINDS, FollowerPlace
from service.published.mirrored import StoreStand
from service.published.mirroring import Arrived
from service.published.models import Kind, Published, PublishedSequence, Reason, all_but
from service.published.names import have_counted_again
from service.published.render import lock_counter
from service.purging.places import drop_everything
from service.sync.cursors import place_in, write_cursor
from service.sync.digests import DigestRead
from service.sync.spans import MOST_READ
from service.tables import now

SMALL = 25
"""Numbers of a range that is fetched, and not parted any more."""
MOST_ASKED = 10_000_000
"""Numbers of the first request, as many as an origin of this version takes."""
ASKS, PAUSE = 30, 1.0
"""Requests to an origin that has to hash a range first, and the seconds between them."""
NOT_HASHED = b"not-hashed-yet"
MOST_IN_VAIN = 5
LOOKS_EVERY = 1.0
Range = tuple[int, int]
log = structlog.get_logger()


@dataclass(slots=True)
class Checked:
    """The result of a comparison: rows, requests, and rows that were wrong and are mended."""

    rows: int = 0
    requests: int = 0
    mended: int = 0


class Stand(NamedTuple):
    """The store whose rows a mirror has, and the number up to which it has them."""

    store: UUID
    seq: int


class Checking:
    """Compares one mirror with its origin."""

    def __init__(self, database: Database, following: Following) -> None:
        self._database = database
        self._following = following
        self._every = database.settings.mirror_check_seconds

    async def run(self, beat: Beat) -> None:
        """Compare again and again, from the time of the last comparison on. Nothing is compared while the
        origin is down.
        """
        due = time.monotonic()
        while True:
            beat(self._every)
            standing = self._following.standing
            last = standing.checked_at
            is_due = last is None or (now() - last).total_seconds() > self._every
            if is_due and standing.is_filled and standing.fault is None and time.monotonic() >= due:
                due = time.monotonic() + min(60.0, self._every)
                await self._check_if_heard()
            await anyio.sleep(min(LOOKS_EVERY, self._every))

    async def _check_if_heard(self) -> None:
        try:
            checked = await self.check()
        except FetchFailed as fault:
            log.warning("the mirror was not compared", fault=fault.detail)
            return
        if checked.mended:
            log.warning("rows were wrong and are mended", rows=checked.mended, requests=checked.requests)

    async def check(self) -> Checked:
        """Compare all rows, and mend those that differ. Raises FetchFailed, also when the mirror begins anew:
        then not all rows are there to be compared.
        """
        checked, strays = Checked(), list[Published]()
        begun = await to_thread.run_sync(self._stand)
        suspects = Suspects()
        for first in range(1, begun.seq + 1, MOST_ASKED):
            last = min(first + MOST_ASKED - 1, begun.seq)
            own = OwnHashes(self._database, suspects)
            await own.read(first, last)
            checked.rows += own.rows
            for small in await self._differing(checked, own, first, last):
                strays += await self._mend(checked, *small)
        await self._find_right(checked, suspects)
        if strays:
            # One that has changed at the origin meanwhile is in no page, and comes under a later number.
            await self._following.catch_up()
            async with self._database.turn():
                checked.mended += await to_thread.run_sync(self._remove, strays)
        async with self._database.turn():
            await to_thread.run_sync(self._note, begun)
        self._following.look()
        return checked

    async def _differing(self, checked: Checked, own: OwnHashes, first: int, last: int) -> list[Range]:
        """Return the small ranges of a range that differ."""
        found: list[Range] = []
        waiting = [(first, last)]
        while waiting:
            async for whole in self._digests(checked, *waiting.pop()):
                ours = await own.hashing(whole.first, whole.last)
                if whole.digest == ours(whole.first, whole.last):
                    continue
                for part in whole.parts or [whole]:
                    if part.digest == ours(part.first, part.last):
                        continue
                    if part.last - part.first < SMALL:
                        found.append((part.first, part.last))
                    else:
                        waiting.append((part.first, part.last))
        return sorted(found)

    async def _digests(self, checked: Checked, first: int, last: int) -> AsyncIterator[DigestRead]:
        """Ask for the digest of a range: at once, unless the origin has too few hashes ready for long, or is
        of a version that answers small ranges alone.
        """
        whole = await self._ask(checked, first, last)
        if whole is not None:
            yield whole
            return
        for begin in range(first, last + 1, MOST_READ):
            small = await self._ask(checked, begin, min(begin + MOST_READ - 1, last))
            if small is None:
                raise OriginRefuses(
                    f"{self._following.origin.address} gives no digest of {MOST_READ} numbers."
                )
            yield small

    async def _ask(self, checked: Checked, first: int, last: int) -> DigestRead | None:
        origin, path = self._following.origin, f"/v1/changes/digest?from={first}&to={last}&gone=true"
        for _ in range(ASKS):
            checked.requests += 1
            told = await origin.get(path)
            if told.status != HTTPStatus.SERVICE_UNAVAILABLE or NOT_HASHED not in told.body:
                break
            await anyio.sleep(PAUSE)
        if told.status == HTTPStatus.OK:
            return _parsed(origin, told, first, last)
        is_large = last - first >= MOST_READ
        if is_large and told.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.UNPROCESSABLE_ENTITY):
            return None
        raise refusal(origin, told.status, told.body)

    async def _find_right(self, checked: Checked, suspects: Suspects) -> None:
        """Mend rows that are found otherwise than they say. Where the origin has them as they are here, its
        version may differ from this one: some are asked for, and no more if all are so.
        """
        vain = 0
        for first, last in suspects.ranges(MOST):
            before = checked.mended
            await self._mend(checked, first, last)
            vain = vain + 1 if checked.mended == before else 0
            if vain == MOST_IN_VAIN:
                log.warning("rows are found otherwise than they say, at the origin too", first=first)
                return

    async def _mend(self, checked: Checked, first: int, last: int) -> list[Published]:
        """Mend the rows of a small range; return those that the origin does not have there."""
        while True:
            checked.requests += 1
            page = await self._page(first, last)
            async with self._database.turn():
                done = await to_thread.run_sync(self._write, page, first, last)
            if done is not None:
                mended, strays = done
                checked.mended += mended
                return strays
            await self._following.step(0)

    async def _page(self, first: int, last: int) -> Page:
        """Fetch what the origin has in a range. Raises OriginRefuses when the mirror has to begin anew."""
        place = await to_thread.run_sync(places.read, self._database)
        if place is None or place.cursor is None:
            raise self._begins_anew()
        here, stand = place_in(place.cursor), await to_thread.run_sync(self._stand)
        cursor = write_cursor(stand.store, FollowerPlace(first - 1, here.base, here.epoch))
        try:
            return await read_page(self._following.origin, cursor, limit=min(MOST, last - first + 1))
        except StartAgain:
            raise self._begins_anew() from None

    def _begins_anew(self) -> OriginRefuses:
        return OriginRefuses(
            f"{self._following.origin.address} refuses the cursor of this mirror, which begins anew."
            " Compare it afterwards.",
            source_status=410,
        )

    def _write(self, page: Page, first: int, last: int) -> tuple[int, list[Published]] | None:
        """Write the rows that differ; return how many, and those that are here alone. Return None when the
        page is of a later time than this mirror: it has to follow first.
        """
        with self._database.writing() as session:
            seq = lock_counter(session)
            if seq < page.state.head:
                return None
            rows = [row for row in page.rows if row.seq <= last and row.kind in KINDS]
            here = mirroring.rows_of(session, [row.key for row in rows])
            found = Finding(session, [row.id for row in rows if row.kind is Kind.ARTICLE])
            wrong = [row for row in rows if _is_wrong(row, here.get(row.key), found, page.state, seq)]
            if wrong:
                self._following.write(session, Page(wrong, page.cursor, page.caught_up, page.state))
                self._tell(session, len(wrong))
            return len(wrong), self._strays(session, page, first, last)

    def _strays(self, session: Session, page: Page, first: int, last: int) -> list[Published]:
        known = {row.key for row in page.rows if row.seq <= last}
        found = select(Published).where(
            col(Published.seq).between(first, last), col(Published.kind).not_in(all_but(KINDS))
        )
        strays = [
            row
            for row in session.execute(found).scalars()
            if (row.kind, row.id) not in known and not _is_forgotten(row, page.state)
        ]
        session.expunge_all()
        return strays

    def _remove(self, strays: Sequence[Published]) -> int:
        """Remove rows that the origin does not have, unless they have come under another number."""
        with self._database.writing() as session:
            lock_counter(session)
            here = mirroring.rows_of(session, [(row.kind, row.id) for row in strays])
            gone = [row for row in strays if (same := here.get((row.kind, row.id))) and same.seq == row.seq]
            remove_files(self._following.store, gone, [])
            mirroring.remove(session, gone)
            self._tell(session, len(gone))
        return len(gone)

    def _tell(self, session: Session, rows: int) -> None:
        """Have names counted anew, and ready answers dropped, here and in the caches in front."""
        places.note_mended(session, rows)
        have_counted_again(session)
        drop_everything(session)

    def _note(self, begun: Stand) -> None:
        with self._database.writing() as session:
            stand = self._stand_in(session)
            if stand.store != begun.store or stand.seq < begun.seq:
                raise self._begins_anew()
            places.note_checked(session)

    def _stand(self) -> Stand:
        with self._database.reading() as session:
            return self._stand_in(session)

    def _stand_in(self, session: Session) -> Stand:
        """Return where the mirror stands. Raises OriginRefuses while rows of before have not come again."""
        place = session.execute(select(col(MirrorPlace.cursor))).scalar_one()
        before = session.execute(select(col(Published.seq)).where(col(Published.seq) < 0).limit(1)).first()
        if place is None or before is not None:
            raise self._begins_anew()
        return Stand(
            *session.execute(select(col(PublishedSequence.store_id), col(PublishedSequence.seq))).one()
        )


def _is_forgotten(row: Arrived | Published, origin: StoreStand) -> bool:
    """Return whether a row is a removal that the origin keeps no longer, as the mirror will not."""
    return row.reason not in (None, Reason.WITHDRAWN) and row.seq <= origin.pruned


def _is_wrong(row: Arrived, here: Published | None, found: Finding, origin: StoreStand, seq: int) -> bool:
    """Return whether a row is here otherwise than it arrived. One that was followed meanwhile is newer."""
    if here is None:
        return not _is_forgotten(row, origin)
    if origin.head < here.seq <= seq:
        return False
    known = here.seq, here.version, here.reason, here.detail, here.document
    return (
        known != (row.seq, row.version, row.reason, row.detail, row.document)
        or here.etag != etag_of(row.document, row.version)
        or found.differs(row, here)
    )


def _parsed(origin: Origin, told: Told, first: int, last: int) -> DigestRead:
    try:
        read = DigestRead.model_validate_json(told.body)
    except ValidationError as error:
        raise refusal(origin, told.status, told.body) from error
    is_parted = all(part.last - part.first < max(last - first, 1) for part in read.parts)
    if (read.first, read.last) != (first, last) or not is_parted:
        raise refusal(origin, told.status, told.body)
    return read
