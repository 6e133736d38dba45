"""Follow an origin. One transaction writes its rows, its numbers and the cursor after them, so that a process
that is killed at any moment resumes at the rows it has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import anyio
import structlog
from anyio import to_thread
from sqlmodel import col, select

from service.background import Beat
from service.database import Database, Session
from service.images.storage import MediaStore
from service.mirror import place as places
from service.mirror.pages import Page, StartAgain, read_page
from service.mirror.pictures import remove_files
from service.mirror.place import MirrorPlace
from service.outbound.connections import FetchFailed
from service.outbound.origin import Origin
from service.published import mirroring
from service.published.models import Awaiting, Published
from service.published.render import lock_counter
from service.sync.cursors import place_in
from service.tables import now

WAIT = 10.0
"""Seconds for which the origin holds a request while nothing changes."""
SILENT_FOR = 60.0
"""Seconds within which the job shows itself: a request and the pause after it."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
log = structlog.get_logger()


@dataclass(slots=True)
class Standing:
    """The place of the mirror, as this process knows it. `fault` says why the origin is not heard."""

    behind: int | None = None
    heard_at: datetime | None = None
    is_filled: bool = False
    checked_at: datetime | None = None
    mended: int = 0
    fault: str | None = None


class Following:
    """Follows one origin. `forget` is called when rows are others under the same numbers, so that ready
    answers are dropped.
    """

    def __init__(self, database: Database, origin: Origin, store: MediaStore) -> None:
        self.origin = origin
        self.standing = Standing()
        self.forget: Callable[[], None] = lambda: None
        self._database = database
        self.store = store
        self._pause = FIRST_PAUSE
        self._begins_anew = False
        """True after this process has taken the numbers from all rows, until all have arrived."""
        self._forgotten: int | None = None
        """The number up to which nothing is left to forget; None in a process that has not looked."""

    async def run(self, beat: Beat) -> None:
        """Follow until cancelled. An origin that is down is asked again, while readers get what is here."""
        while True:
            beat(SILENT_FOR)
            try:
                await self.step(WAIT)
            except FetchFailed as fault:
                if self.standing.fault is None:
                    log.warning("the origin is not heard", origin=self.origin.address, fault=fault.detail)
                self.standing.fault = fault.detail
                await anyio.sleep(self._pause)
                self._pause = min(LONGEST_PAUSE, 2 * self._pause)
            else:
                self._pause = FIRST_PAUSE

    async def catch_up(self) -> MirrorPlace:
        """Follow until everything is here that the origin has; return the place. Raises FetchFailed."""
        while True:
            place = await self.step(0)
            if place.behind == 0:
                return place

    async def step(self, wait: float) -> MirrorPlace:
        """Take one page over; return the place behind it. Raises FetchFailed."""
        place = await to_thread.run_sync(self.look)
        try:
            page = await read_page(self.origin, place.cursor, wait=wait)
        except StartAgain:
            page = None
        async with self._database.turn():
            await to_thread.run_sync(self._take, place.cursor, page)
        if self._begins_anew:
            # Rows have come under numbers that ready answers take for known.
            self.forget()
            self._begins_anew = page is None or not page.caught_up
        if page is not None:
            await self._forget(page.state.pruned)
        if self.standing.fault is not None:
            log.info("the origin is heard again", origin=self.origin.address)
        place = await to_thread.run_sync(self.look)
        self.standing.fault, self.standing.heard_at = None, now()
        return place

    def look(self) -> MirrorPlace:
        """Read the place. Drop cached answers when any process has repaired rows."""
        place = places.read(self._database)
        assert place is not None
        standing = self.standing
        if place.mended != standing.mended:
            self.forget()
        standing.behind, standing.is_filled = place.behind, place.filled_at is not None
        standing.checked_at, standing.mended = place.checked_at, place.mended
        standing.heard_at = max(filter(None, (standing.heard_at, place.heard_at)), default=None)
        return place

    def _take(self, cursor: str | None, page: Page | None) -> None:
        with self._database.writing() as session:
            lock_counter(session)
            if page is None:
                self._start_again(session, cursor)
            elif places.move(session, cursor, page.cursor, behind(page)):
                self.write(session, page)
                mirroring.stand_at(session, place_in(page.cursor).seq, page.state)
                if page.caught_up:
                    _finish(session)

    async def _forget(self, pruned: int) -> None:
        """Forget the removals that the origin has forgotten, some in each transaction."""
        while pruned != self._forgotten:
            async with self._database.turn():
                await to_thread.run_sync(self._forget_some, pruned)

    def _forget_some(self, pruned: int) -> None:
        with self._database.writing() as session:
            has_more = mirroring.forget_some(session, pruned)
        if not has_more:
            self._forgotten = pruned

    def write(self, session: Session, page: Page) -> None:
        """Write the rows of a page, and remove the files of pictures that have gone: before the commit, so
        that no kill in between leaves one.
        """
        if page.rows:
            before = mirroring.rows_of(session, [row.key for row in page.rows])
            remove_files(self.store, before.values(), page.rows)
            mirroring.write(session, page.rows)

    def _start_again(self, session: Session, cursor: str | None) -> None:
        if cursor is not None and places.move(session, cursor, None, None):
            log.warning("the mirror begins anew", origin=self.origin.address)
            mirroring.begin_anew(session)
            self._begins_anew = True


def behind(page: Page) -> int:
    """Return how many numbers lie between a page and the head of its store."""
    return 0 if page.caught_up else page.state.head - place_in(page.cursor).seq


def _finish(session: Session) -> None:
    """Finish a first or repeated synchronisation: remove what did not arrive, and stop hiding pictures."""
    places.note_filled(session)
    if session.exec(select(Published.seq).where(col(Published.seq) < 0).limit(1)).first() is not None:
        mirroring.end_anew(session)
    if session.exec(select(Awaiting.id).limit(1)).first() is not None:
        mirroring.let_in(session)
