"""Create or update many articles by the integrator's own keys. A refused item does not affect the others.

Items are written in batches, one transaction each: what was answered is kept, whatever becomes of the rest.
Pictures may come inline, known by where they come from (`source`, with `external_id` or `source_url`); they
get their files later.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import orjson
from sqlalchemy import BindParameter, bindparam
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from service.articles import claims, lifecycle
from service.articles.claims import ExternalIdTaken, pairs_of
from service.articles.models import Article, ArticleReplace, Status
from service.articles.remembering import together
from service.bulk.modes import Mode
from service.bulk.pictures import InlinePictures
from service.bulk.reading import Reading, Work
from service.bulk.repeated import Equal, Repeated, digests_of, equal_of
from service.database import Database, Session
from service.errors import Conflict, NotFound, ServiceError, Unprocessable
from service.faults import may_be_one_writes, refusal
from service.group_commit import waves
from service.http.callers import Caller
from service.images import resolve
from service.images.claims import Pair, by_source
from service.tables import new_id

_IDS: BindParameter[Sequence[UUID]] = bindparam("ids", expanding=True)
_ARTICLES = select(Article.id).where(col(Article.id).in_(_IDS)).order_by(col(Article.id)).with_for_update()
MOST_LATE = 3
"""Times that a batch is written again without an item that was refused late, before each goes by itself."""


class LeftAlone(Conflict):
    """The desk has put this article into the trash, or unpublished it, and the item would bring it back. It
    stays as it is; `mode=restore` brings it back. `reason` is `deleted` or `unpublished`.
    """

    title = "Taken away by the desk"


class _RefusedLate(Exception):
    """An item is refused after something of it was written, which only the end of the transaction undoes."""

    def __init__(self, index: int, refusal: ServiceError) -> None:
        super().__init__(index)
        self.index, self.refusal = index, refusal


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one item. `status` is the HTTP status that a request with this item alone
    would have had.
    """

    index: int
    status: int
    id: UUID | None
    source: str | None
    external_id: str | None
    version: int | None
    problem: ServiceError | None = None


def write_line(result: Result, path: str) -> bytes:
    """Return a result as JSON; `path` is where its problem says that it happened."""
    told = {
        "index": result.index,
        "status": result.status,
        "id": result.id,
        "source": result.source,
        "external_id": result.external_id,
        "version": result.version,
    }
    return orjson.dumps(
        told if result.problem is None else told | {"problem": orjson.Fragment(result.problem.problem(path))}
    )


@dataclass(frozen=True, slots=True)
class Written:
    """The results of a batch. When a fault of the store's ended it, the items without a result were not
    written.
    """

    results: list[Result]
    ended_by: ServiceError | None = None


Items = Sequence[tuple[int, object | ServiceError]]
"""Items of a batch, numbered as they came."""
Made = Article | ServiceError
Outcome = tuple[Work, tuple[Article, int] | ServiceError]
"""An item with its article and status, or with its refusal."""
Note = Callable[[Session, Sequence[Result]], None]
"""Writes something down in the transaction of some results, which are all of the batch so far."""


def write_all(
    database: Database,
    caller: Caller,
    items: Items,
    mode: Mode,
    *,
    dry_run: bool,
    note: Note | None = None,
    repeated: Repeated | None = None,
) -> Written:
    """Write a batch of items. A dry run writes nothing, and says what would have happened. `repeated`
    remembers items that change nothing.
    """
    late: dict[int, ServiceError] = {}
    memory = Repeated() if repeated is None else repeated
    # A first import is of new items, and has nothing to look for.
    digests = dict(digests_of(caller, mode, items)) if memory else {}
    equal: dict[int, Equal] = {}

    def work(session: Session) -> list[Result]:
        known = memory.find(session, {index: one for index, one in digests.items() if index not in late})
        equal.clear()
        results = _write(session, caller, items, mode, late, known, equal)
        if note is not None:
            note(session, results)
        return results

    try:
        while len(late) <= MOST_LATE or len(items) == 1:
            try:
                results = database.transact(work, rehearse=dry_run)
                if repeated is not None and not dry_run:
                    same = [item for item in items if item[0] in equal]
                    memory.remember({one: equal[index] for index, one in digests_of(caller, mode, same)})
                return Written([_undone(result) for result in results] if dry_run else results)
            except _RefusedLate as one:
                late[one.index] = one.refusal
    except SQLAlchemyError as fault:
        refused = refusal(fault)
        if not may_be_one_writes(fault):
            return Written([], refused)
        if len(items) == 1:
            return Written([_refused(*items[0], refused)])
    return _write_each(database, caller, items, mode, dry_run=dry_run, note=note, repeated=repeated)


def _write_each(
    database: Database,
    caller: Caller,
    items: Items,
    mode: Mode,
    *,
    dry_run: bool,
    note: Note | None,
    repeated: Repeated | None,
) -> Written:
    """Write each item by itself, because one of them has made the shared transaction fail."""
    results: list[Result] = []

    def note_all(session: Session, fresh: Sequence[Result]) -> None:
        if note is not None:
            note(session, [*results, *fresh])

    for item in items:
        alone = write_all(database, caller, [item], mode, dry_run=dry_run, note=note_all, repeated=repeated)
        results += alone.results
        if alone.ended_by is not None:
            return Written(results, alone.ended_by)
    return Written(results)


def _undone(result: Result) -> Result:
    made = result.status == 201
    return Result(
        result.index,
        result.status,
        None if made else result.id,
        result.source,
        result.external_id,
        result.version,
        result.problem,
    )


def _write(
    session: Session,
    caller: Caller,
    items: Items,
    mode: Mode,
    late: Mapping[int, ServiceError],
    known: Mapping[int, Equal],
    equal: dict[int, Equal],
) -> list[Result]:
    """Write a batch but for the items that were refused `late`, when something of them was written, and for
    those that are `known` to change nothing. Add others that change nothing to `equal`.
    """
    results: dict[int, Result] = {}
    sent = dict(items)
    given = {index: late.get(index, content) for index, content in items}
    reading = Reading(session, [content for content in given.values() if isinstance(content, dict)])
    understood: list[Work] = []

    def understand(indices: Iterable[int]) -> None:
        for index in indices:
            try:
                understood.append(reading.read(index, given[index]))
            except ServiceError as refusal:
                results[index] = _refused(index, sent[index], refusal)

    understand(index for index in given if index not in known)
    written = set(pairs_of(*(work.write for work in understood)))
    understand(index for index, one in known.items() if one.pair in written)
    understood.sort(key=lambda work: work.index)
    for index, one in known.items():
        if one.pair not in written:
            results[index] = Result(index, 200, one.id, *one.pair, one.version)
    pictures = _hold(session, caller, understood)
    for wave in waves(understood, _names):
        for work, outcome in _write_wave(session, caller, wave, pictures, mode):
            if isinstance(outcome, ServiceError):
                results[work.index] = _refused(work.index, sent[work.index], outcome)
            else:
                article, status = outcome
                if status == 200 and article.id not in session.gathered.written:
                    equal |= equal_of(work, article)
                results[work.index] = Result(
                    work.index, status, article.id, work.write.source, work.write.external_id, article.version
                )
    return [results[index] for index, _ in items]


def _names(work: Work) -> list[Pair | str]:
    """Return the names that only the first of several items gets."""
    return [*pairs_of(work.write), *([work.write.slug] if work.write.slug else [])]


def _hold(session: Session, caller: Caller, works: Sequence[Work]) -> InlinePictures:
    """Lock what a batch may write before anything of it is written, and return its pictures.

    Lock order: articles by their ids, then their keys, then pictures by their ids, as a single edit does.
    Otherwise a batch that has changed a picture, and waits for an article, and an edit of that article can
    deadlock.
    """
    if not session.database.is_sqlite:
        writes = [work.write for work in works]
        for holders in (
            claims.holders(session, pairs_of(*writes)),
            claims.claim_external_ids(session, writes),
        ):
            if held := sorted(holders.values()):
                session.execute(_ARTICLES, {"ids": held})
    return InlinePictures(session, caller, {id_ for work in works for _, id_ in work.pictures})


def _write_wave(
    session: Session, caller: Caller, works: Sequence[Work], pictures: InlinePictures, mode: Mode
) -> Iterator[Outcome]:
    known = _known(session, pairs_of(*(work.write for work in works)))
    new: dict[UUID, Work] = {}
    edits: list[tuple[Work, Article]] = []
    for work in works:
        before = None if work.pair is None else known.get(work.pair)
        try:
            _refuse_unwanted(work, before, mode)
            pictures.make(work)
        except ServiceError as refusal:
            yield work, refusal
        else:
            if before is None:
                new[new_id()] = work
            else:
                edits.append((work, before))
    session.flush()  # Articles refer to their pictures.
    written: list[tuple[Work, Article, int]] = []
    for work, outcome, status in (*_edit(session, caller, edits), *_create(session, caller, new)):
        if isinstance(outcome, ServiceError):
            yield work, outcome
        else:
            written.append((work, outcome, status))
    written.sort(key=lambda one: one[0].index)  # Of items that tell of one picture the last is right.
    pictures.keep([work for work, _, _ in written])
    for work, article, status in written:
        with _refused_late(work):
            pictures.tell(work, article, again=status == 200)
        yield work, (article, status)


@contextmanager
def _refused_late(work: Work) -> Iterator[None]:
    """Have the batch written again without an item that is refused after something of it was written."""
    try:
        yield
    except ServiceError as refusal:
        raise _RefusedLate(work.index, refusal) from None


def _create(session: Session, caller: Caller, new: Mapping[UUID, Work]) -> Iterator[tuple[Work, Made, int]]:
    made = lifecycle.create_all(session, caller, {id_: work.write for id_, work in new.items()})
    for work, (outcome, _) in zip(new.values(), made, strict=True):
        yield work, outcome, 201


def _known(session: Session, pairs: Sequence[Pair]) -> dict[Pair, Article]:
    known = {}
    for source, external_ids in sorted(by_source(pairs).items()):
        found = (
            select(Article)
            .where(Article.source == source, col(Article.external_id).in_(external_ids))
            .order_by(col(Article.id))
            .with_for_update()
        )
        for article in session.exec(found):
            known[source, cast("str", article.external_id)] = article
    return known


def _refuse_unwanted(work: Work, before: Article | None, mode: Mode) -> None:
    if work.pair is None and mode is not Mode.CREATE:
        raise Unprocessable.at("/external_id", "must be there, with `source`: the item is known by them")
    if before is None:
        if mode is Mode.UPDATE:
            raise NotFound("There is no article with this source and external_id.")
        return
    if mode is Mode.CREATE:
        raise ExternalIdTaken("There is an article with this source and external_id.", id=str(before.id))
    if mode is not Mode.RESTORE and (taken_away := _taken_away(before, work.write.status)) is not None:
        raise LeftAlone(
            "The desk has taken this article away; mode=restore brings it back.",
            id=str(before.id),
            reason=taken_away,
        )


def _taken_away(article: Article, wanted: Status | None) -> str | None:
    """Return why an item would bring back what readers are not to see; None where it would not."""
    if article.deleted_at is not None:
        return "deleted"
    was_unpublished = article.status == Status.DRAFT and article.first_published_at is not None
    return "unpublished" if was_unpublished and wanted == Status.PUBLISHED else None


def _edit(
    session: Session, caller: Caller, edits: Sequence[tuple[Work, Article]]
) -> Iterator[tuple[Work, Made, int]]:
    """Bring articles up to date, with one statement for all in each table."""
    resolve.load(session, {image for work, _ in edits for image in claims.images_in(work.write)})
    with together(session):
        for work, article in edits:
            was_trashed = article.deleted_at is not None
            try:
                if was_trashed:
                    lifecycle.restore(session, caller, article)
                lifecycle.replace(session, caller, article, _replacement(work))
            except ServiceError as refusal:
                if was_trashed:
                    raise _RefusedLate(work.index, refusal) from None
                # Nothing of an edit is flushed before it is remembered: this takes back what it had set.
                if article in session.dirty:
                    session.expire(article)
                yield work, refusal, 200
            else:
                yield work, article, 200


def _replacement(work: Work) -> ArticleReplace:
    return ArticleReplace.model_construct(work.write.model_fields_set, **dict(work.write))


def _refused(index: int, content: object | ServiceError, problem: ServiceError) -> Result:
    named = content if isinstance(content, dict) else {}
    source, external_id = (
        value if isinstance(value := named.get(name), str) else None for name in ("source", "external_id")
    )
    held_by = problem.members.get("id") if isinstance(problem, LeftAlone) else None
    id_ = UUID(held_by) if isinstance(held_by, str) else None
    return Result(index, problem.status, id_, source, external_id, None, problem)
