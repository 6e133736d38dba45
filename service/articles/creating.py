"""Create articles that arrive together in one transaction, with one statement per table.

Each is answered as if it had come alone, and one that is refused spoils no other. The transaction is most of
what a single create costs the store: four that share one take half.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from service.articles import claims, lifecycle, read
from service.articles.models import ArticleCreate, ArticleReplace
from service.database import Database, Session
from service.errors import ServiceError
from service.group_commit import GroupCommit, waves
from service.http import conditional, idempotency
from service.http.callers import Caller
from service.tables import new_id


@dataclass(frozen=True, slots=True)
class Creation:
    """An article that waits for its transaction."""

    request: Request
    caller: Caller
    write: ArticleCreate


class Creating:
    """The articles that one running service is about to make."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = GroupCommit[Creation, Response](database, _make)

    async def create(self, request: Request, caller: Caller, write: ArticleCreate) -> Response:
        """Make an article, and answer once it is committed. Raises what refuses it."""
        return await self._commits.run(Creation(request, caller, write))

    async def create_under(
        self, request: Request, caller: Caller, id_: UUID, write: ArticleReplace
    ) -> Response:
        """Make an article under an id of the caller's own. Raises what refuses it."""

        def make(session: Session) -> Response:
            # Another request may have made it meanwhile.
            if article := lifecycle.hold(session, [id_]).get(id_):
                lifecycle.admit(caller, article, write.status)
                conditional.require_match(request, article.version)
            made = lifecycle.create(session, caller, write, id_)
            return read.answer(request, caller, session, *made, status=201)

        # In a transaction of its own, because it may be refused after it has been written.
        async with self._database.admission.slot(writes=True), self._database.turn():
            return await run_in_threadpool(self._database.transact, make)


def _make(session: Session, creations: Sequence[Creation]) -> list[Response | ServiceError]:
    lost = idempotency.hold_all(session, [creation.request for creation in creations])
    held = [creation for creation, refusal in zip(creations, lost, strict=True) if refusal is None]
    answers = iter(_make_held(session, held))
    return [next(answers) if refusal is None else refusal for refusal in lost]


def _make_held(session: Session, creations: Sequence[Creation]) -> list[Response | ServiceError]:
    answers: list[Response | ServiceError] = []
    parted = list(_waves(creations))
    if len(parted) > 1:
        # Lock order: all external ids before any slug, as a single create does. Otherwise a batch and a
        # single create can deadlock.
        claims.claim_external_ids(session, [creation.write for creation in creations])
    for wave in parted:
        made = lifecycle.create_all(session, wave[0].caller, {new_id(): creation.write for creation in wave})
        for creation, (article, pictures) in zip(wave, made, strict=True):
            if isinstance(article, ServiceError):
                answers.append(article)
                continue
            answer = read.answer(creation.request, creation.caller, session, article, pictures, status=201)
            idempotency.keep(session, creation.request, answer)
            answers.append(answer)
    return answers


def _waves(creations: Sequence[Creation]) -> Iterator[list[Creation]]:
    """Split creations into groups, in their order. A group ends before a creation by another caller, and
    before one with the key of a creation in the group.
    """
    for _, theirs in groupby(creations, key=lambda creation: creation.caller):
        yield from waves(theirs, lambda creation: claims.pairs_of(creation.write))
