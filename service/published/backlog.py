"""Render what awaits it: articles of a changed picture at once, then rows of an older rendering, newest
first.

Any number of processes share the work without knowing of each other: a row that another process has rendered
is left out when the batch is written. A process that dies has lost a batch at the most, which is taken up
again.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from anyio import to_thread
from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlmodel import col, select

from service.database import Database, Session, rows_changed
from service.published import rendering, working
from service.published.batches import Batch, Settled, prepare, settle
from service.published.models import UNKNOWN_RENDERING, Awaiting, Kind, Published
from service.published.render import ARTICLES_AT_ONCE
from service.rows import RowReader
from service.tables import latest, stored_time

LOOKS_EVERY = 0.05
LOOKS_EVERY_SECOND = 1.0
"""Seconds after which pictures that other processes have changed are looked for; those of this one are seen
at once.
"""
COUNTS_EVERY = 10.0
REST_AMONG_WRITERS, REST = 15.0, 3.0
"""After a batch `serve` rests so many times as long as the batch took: among writers it takes a sixteenth of
a core.
"""
LONGEST_REST = 5.0
"""Seconds. A batch that has waited for a lock took long without any work."""
RENDERED_AT_ONCE = 100
WINDOW = 1_000
"""Rows of an older rendering that are asked for at once."""
MOST_FAILED = 1_000
"""Rows that could not be rendered, after which a process gives up: something is wrong with all of them."""
_AWAITED = (
    "SELECT (SELECT 1 FROM published_awaiting LIMIT 1), (SELECT min(good_until) FROM published"
    " WHERE kind = 'article' AND reason IS NULL AND good_until IS NOT NULL)"
)
Row = tuple[Kind, UUID]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """A batch that is rendered and not yet written. Articles of a changed picture come with what awaited
    them.
    """

    batch: Batch
    awaiting: Awaiting | None = None
    articles: Sequence[UUID] = ()


@dataclass(slots=True)
class Backlog:
    """The documents that one process renders again, and how far it has come.

    With a reader it asks one short question, whether any article awaits rendering, before it opens sessions.
    """

    database: Database
    reader: RowReader | None = None
    same: int = 0
    changed: int = 0
    failed: set[Row] = field(default_factory=set)
    waiting: int = 0
    """Rows of an older rendering when they were last counted."""
    _batches: list[tuple[Kind, list[UUID]]] = field(default_factory=list)
    _seen: int = -1
    _pictures_seen: int = -1
    _looks_at: float = 0.0
    _counts_at: float = 0.0

    async def step(self) -> float:
        """Do one batch, at once for a changed picture, slowly for an older rendering; return the seconds to
        rest.
        """
        written, at = self.database.known_sequence, time.monotonic()
        last_of_pictures = self.database.last_of_pictures
        others_write = written != self._seen
        if last_of_pictures != self._pictures_seen or at > self._looks_at:
            self._looks_at = at + LOOKS_EVERY_SECOND
            work = await self._next_of_pictures()
            if work is not None:
                await self._finish_in_turn(work)
                self._pictures_seen = -1
                return 0.0
            self._pictures_seen = last_of_pictures
        if at > self._counts_at:
            self._counts_at = at + COUNTS_EVERY
            self._tell(self.waiting, await to_thread.run_sync(self.count))
        if self.waiting and (works := await to_thread.run_sync(self.next_of_older_rendering)):
            for work in works:
                await self._finish_in_turn(work)
            self._seen = self.database.known_sequence
            rest = REST_AMONG_WRITERS if others_write else REST
            return min(LONGEST_REST, (time.monotonic() - at) * rest)
        self._seen = written
        return LOOKS_EVERY

    async def _next_of_pictures(self) -> Work | None:
        if self.reader is not None:
            ((awaiting, ends),) = await self.reader.rows(_AWAITED)
            if awaiting is None and (ends is None or stored_time(ends) > latest()):
                return None
        work = await to_thread.run_sync(self.next_of_changed_pictures)
        return work or await to_thread.run_sync(self.next_of_ended_rights)

    async def _finish_in_turn(self, work: Work) -> None:
        async with self.database.turn():
            await to_thread.run_sync(self.finish, work)

    def _tell(self, before: int, waiting: int) -> None:
        if before or waiting:
            log.info("documents await rendering", waiting=waiting, same=self.same, changed=self.changed)

    def count(self) -> int:
        """Count the rows of an older rendering, without those that could not be rendered."""
        self.waiting = max(0, rendering.count_older(self.database) - len(self.failed))
        return self.waiting

    def next_of_changed_pictures(self) -> Work | None:
        """Render some articles that show a changed picture; None when no article awaits that."""
        with self.database.snapshot() as session:
            awaiting = session.exec(select(Awaiting).order_by(col(Awaiting.id)).limit(1)).first()
            if awaiting is None:
                return None
            articles = working.showing(session, awaiting.image_id, awaiting.below, ARTICLES_AT_ONCE)
            return Work(self._prepare(session, Kind.ARTICLE, articles), awaiting, articles)

    def next_of_ended_rights(self) -> Work | None:
        """Render some articles with a picture in them whose licence has ended; None when there are none, or
        the pictures are still being told of it.
        """
        at = latest()
        with self.database.snapshot() as session:
            ended = select(Published.id).where(
                Published.kind == Kind.ARTICLE,
                col(Published.reason).is_(None),
                col(Published.good_until) <= at,
            )
            articles = session.exec(ended.order_by(col(Published.good_until)).limit(RENDERED_AT_ONCE)).all()
            if not articles or working.has_unmarked_end(session, at):
                return None
            return Work(self._prepare(session, Kind.ARTICLE, articles), articles=articles)

    def next_of_older_rendering(self) -> list[Work]:
        """Render some rows of an older rendering, to be written one after the other; none when
        none are left.
        """
        while self._batches or self._look():
            kind, ids = self._batches.pop()
            with self.database.snapshot() as session:
                batch = self._prepare(session, kind, self._still_older(session, kind, ids))
            if batch.same or batch.changes.written or batch.unusual:
                return [Work(part) for part in batch.parts(ARTICLES_AT_ONCE)]
        return []

    def finish(self, work: Work) -> None:
        """Write a batch in one short transaction."""
        with self.database.writing() as session:
            if work.awaiting is not None:
                settled = self._finish_articles(session, work, work.awaiting)
            else:
                settled = settle(session, work.batch, noted=work.articles, tells=bool(work.articles))
        self.same += settled.same
        self.changed += settled.changed
        self.waiting = max(0, self.waiting - settled.same - settled.changed)

    def _finish_articles(self, session: Session, work: Work, awaiting: Awaiting) -> Settled:
        """Write articles of a changed picture, unless another process has done so."""
        still = col(Awaiting.id) == awaiting.id, col(Awaiting.below) == awaiting.below
        moved_on = (
            session.execute(update(Awaiting).where(*still).values(below=work.articles[-1], begun=True))
            if work.articles
            else session.execute(delete(Awaiting).where(*still))
        )
        if not rows_changed(moved_on):
            return Settled(0, 0, 0)
        return settle(session, work.batch, noted=work.articles, tells=True)

    @property
    def _rendering(self) -> int:
        return self.database.rendering or UNKNOWN_RENDERING

    def _look(self) -> bool:
        """Ask for the newest rows of an older rendering. The batches are shuffled, so that processes rarely
        meet.
        """
        if len(self.failed) > MOST_FAILED:
            return False
        older = (
            select(Published.kind, Published.id)
            .where(col(Published.reason).is_(None), Published.rendering < self._rendering)
            .order_by(col(Published.rendering).desc(), col(Published.seq).desc())
            .limit(WINDOW + len(self.failed))
        )
        with self.database.reading() as session:
            rows = [row for row in session.exec(older) if tuple(row) not in self.failed]
        for kind in Kind:
            ids = [id_ for its_kind, id_ in rows if its_kind is kind]
            self._batches += [
                (kind, ids[first : first + RENDERED_AT_ONCE])
                for first in range(0, len(ids), RENDERED_AT_ONCE)
            ]
        random.shuffle(self._batches)
        return bool(self._batches)

    def _still_older(self, session: Session, kind: Kind, ids: Sequence[UUID]) -> list[UUID]:
        rows = select(Published.id).where(
            Published.kind == kind, col(Published.id).in_(ids), Published.rendering < self._rendering
        )
        return list(session.exec(rows))

    def _prepare(self, session: Session, kind: Kind, ids: Sequence[UUID]) -> Batch:
        """Render resources; one that cannot be rendered is logged and keeps the document that it has."""
        try:
            return prepare(session, kind, ids)
        except ValidationError:
            if len(ids) == 1:
                log.exception("a published document could not be rendered again", kind=kind, id=str(ids[0]))
                self.failed.add((kind, ids[0]))
                return prepare(session, kind, [])
        batches = [self._prepare(session, kind, [id_]) for id_ in ids]
        whole = prepare(session, kind, [])
        for batch in batches:
            whole.changes.written += batch.changes.written
            whole.changes.removed += batch.changes.removed
            whole.same.extend(batch.same)
            whole.unusual.update(batch.unusual)
        return whole
