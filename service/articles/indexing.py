"""Index articles again when something outside of them changes, such as the caption of a picture.

After a caption has changed, a job indexes the articles that show its picture, the newest first. The same job
cuts every article anew after the way in which texts are cut has changed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from anyio import to_thread
from sqlalchemy import delete, update
from sqlmodel import col, select

from service.articles import desk
from service.articles.models import Article, ArticleIndexing
from service.database import Database, Session, insert_new, upsert
from service.published import working
from service.published.cutting import WORDS
from service.published.render import ABOVE_ALL
from service.rows import RowReader
from service.tables import new_id

AT_ONCE = 20
LOOKS_EVERY = 0.05
LOOKS_EVERY_SECOND = 1.0
"""Seconds after which pictures that other processes have changed are looked for; those of this one are seen
at once.
"""
REST = 5.0
"""The job rests so many times as long as its batch took."""
EVERY_ARTICLE = BELOW_ALL = UUID(int=0)
_TWO = "SELECT below FROM article_indexing LIMIT 2"
"""The row of every article stays, and those of changed pictures go once they are done."""


def await_indexing(session: Session, images: Sequence[UUID]) -> None:
    """Have the articles that show changed images indexed by the job.

    A transaction that has changed a picture may not lock articles: one that edits an article locks it first,
    and then its pictures.
    """
    rows = [
        {"image_id": image, "below": ABOVE_ALL, "words": WORDS, "asked": new_id()}
        for image in sorted(working.shown_anywhere(session, images))
    ]
    if rows:
        session.execute(upsert(session, ArticleIndexing), rows)


@dataclass(slots=True)
class Indexing:
    """The job of one process. With a reader it asks one short question before it opens a session: whether
    anything waits.
    """

    database: Database
    reader: RowReader | None = None
    _has_begun: bool = False
    _seen: int = -1
    _looks_at: float = 0.0

    def begin(self) -> None:
        """Have the texts of all articles indexed again, unless that is done or in progress."""
        every = {"image_id": EVERY_ARTICLE, "below": ABOVE_ALL, "words": WORDS, "asked": new_id()}
        with self.database.writing() as session:
            session.execute(insert_new(session, ArticleIndexing), [every])
            older = col(ArticleIndexing.image_id) == EVERY_ARTICLE, col(ArticleIndexing.words) != WORDS
            session.execute(update(ArticleIndexing).where(*older).values(below=ABOVE_ALL, words=WORDS))
        self._has_begun = True

    async def step(self) -> float:
        """Index some articles, if any wait; return the seconds to rest."""
        if not self._has_begun:
            async with self.database.turn():
                await to_thread.run_sync(self.begin)
        changed, at = self.database.last_of_pictures, time.monotonic()
        if changed == self._seen and at < self._looks_at:
            return LOOKS_EVERY
        self._looks_at = at + LOOKS_EVERY_SECOND
        waiting = await to_thread.run_sync(self.waiting) if await self._may_wait() else None
        if waiting is None:
            self._seen = changed
            return LOOKS_EVERY
        async with self.database.turn():
            await to_thread.run_sync(self.finish, waiting)
        self._seen = -1
        return (time.monotonic() - at) * REST

    async def _may_wait(self) -> bool:
        if self.reader is None:
            return True
        found = await self.reader.rows(_TWO)
        return len(found) > 1 or any(UUID(str(below)) != BELOW_ALL for (below,) in found)

    def waiting(self) -> ArticleIndexing | None:
        """Return which articles are to be indexed next, if any are: those of changed pictures before all
        others.
        """
        pictures_first = col(ArticleIndexing.image_id).desc()
        next_one = select(ArticleIndexing).where(ArticleIndexing.below != BELOW_ALL).order_by(pictures_first)
        with self.database.reading() as session:
            return session.exec(next_one.limit(1)).first()

    def finish(self, waiting: ArticleIndexing) -> None:
        """Index some of the articles that wait."""
        every = waiting.image_id == EVERY_ARTICLE
        with self.database.writing() as session:
            articles = (
                _below(session, waiting.below)
                if every
                else working.showing(session, waiting.image_id, waiting.below, AT_ONCE)
            )
            desk.index_words(session, articles, place=every)
            # Last: another process that does the same must not wait for this row, which writers lock too.
            still = (
                col(ArticleIndexing.image_id) == waiting.image_id,
                col(ArticleIndexing.below) == waiting.below,
                col(ArticleIndexing.asked) == waiting.asked,
            )
            if articles or every:
                below = articles[-1] if articles else BELOW_ALL
                session.execute(update(ArticleIndexing).where(*still).values(below=below))
            else:
                session.execute(delete(ArticleIndexing).where(*still))


def _below(session: Session, below: UUID) -> list[UUID]:
    known = select(Article.id).where(Article.id < below).order_by(col(Article.id).desc())
    return list(session.exec(known.limit(AT_ONCE)))
