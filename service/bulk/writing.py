"""Create or update many articles by the integrator's own keys. A refused item does not affect the others.

Items are written in batches, one transaction each: what was answered is kept, whatever becomes of the rest.
Pictures may come inline, known by where they come from (`source`, with `external_id` or `source_url`); they
get their files later.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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
from service.bulk.reading import InlineImage, Reading, Work
from service.database import Database, Session
from service.errors import Conflict, NotFound, ServiceError, Unprocessable
from service.faults import may_be_one_writes, refusal
from service.group_commit import waves
from service.http.callers import Caller
from service.images import lifecycle as images
from service.images import resolve
from service.images.captioning import caption_image
from service.images.claims import Pair, by_source
from service.images.models import Image, ImageContent, ImageCreate, ImageReplace
from service.tables import new_id

_IDS: BindParameter[Sequence[UUID]] = bindparam("ids", expanding=True)
_ARTICLES = select(Article.id).where(col(Article.id).in_(_IDS)).order_by(col(Article.id)).with_for_update()
_PICTURES = (
    select(Image.id).where(col(Image.id).in_(_IDS)).order_by(col(Image.id)).with_for_update(key_share=True)
)


class LeftAlone(Conflict):
    """The desk has put this article into the trash, or unpublished it, and the item would bring it back. It
    stays as it is; `mode=restore` brings it back. `reason` is `deleted` or `unpublished`.
    """

    title = "Taken away by the desk"


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
Note = Callable[[Session, Sequence[Result]], None]
"""Writes something down in the transaction of some results, which are all of the batch so far."""


def write_all(
    database: Database, caller: Caller, items: Items, mode: Mode, *, dry_run: bool, note: Note | None = None
) -> Written:
    """Write a batch of items. A dry run writes nothing, and says what would have happened."""

    def work(session: Session) -> list[Result]:
        results = _write(session, caller, items, mode)
        if note is not None:
            note(session, results)
        return results

    try:
        results = database.transact(work, rehearse=dry_run)
        return Written([_undone(result) for result in results] if dry_run else results)
    except SQLAlchemyError as fault:
        refused = refusal(fault)
        if not may_be_one_writes(fault):
            return Written([], refused)
        if len(items) == 1:
            return Written([_refused(items[0], refused)])
    return _write_each(database, caller, items, mode, dry_run=dry_run, note=note)


def _write_each(
    database: Database, caller: Caller, items: Items, mode: Mode, *, dry_run: bool, note: Note | None
) -> Written:
    """Write each item by itself, because one of them has made the shared transaction fail."""
    results: list[Result] = []

    def note_all(session: Session, fresh: Sequence[Result]) -> None:
        if note is not None:
            note(session, [*results, *fresh])

    for item in items:
        alone = write_all(database, caller, [item], mode, dry_run=dry_run, note=note_all)
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


def _write(session: Session, caller: Caller, items: Items, mode: Mode) -> list[Result]:
    results: dict[int, Result] = {}
    given = dict(items)
    reading = Reading(session, [content for content in given.values() if isinstance(content, dict)])
    understood = []
    for index, content in items:
        try:
            understood.append(reading.read(index, content))
        except ServiceError as refusal:
            results[index] = _refused((index, content), refusal)
    if not session.database.is_sqlite:
        _hold(session, understood)
    for wave in waves(understood, lambda work: pairs_of(work.write)):
        for work, outcome in _write_wave(session, caller, wave, mode):
            if isinstance(outcome, ServiceError):
                results[work.index] = _refused((work.index, given[work.index]), outcome)
            else:
                article, status = outcome
                results[work.index] = Result(
                    work.index, status, article.id, work.write.source, work.write.external_id, article.version
                )
    return [results[index] for index, _ in items]


def _hold(session: Session, works: Sequence[Work]) -> None:
    """Lock what a batch may write before anything of it is written.

    Lock order: articles by their ids, then their keys, then pictures by their ids, as a single edit does.
    Otherwise a batch that has changed a picture, and waits for an article, and an edit of that article can
    deadlock.
    """
    writes = [work.write for work in works]
    for holders in (claims.holders(session, pairs_of(*writes)), claims.claim_external_ids(session, writes)):
        if held := sorted(holders.values()):
            session.execute(_ARTICLES, {"ids": held})
    if pictures := sorted({id_ for work in works for _, id_ in work.pictures}):
        session.execute(_PICTURES, {"ids": pictures})


def _write_wave(
    session: Session, caller: Caller, works: Sequence[Work], mode: Mode
) -> Iterator[tuple[Work, tuple[Article, int] | ServiceError]]:
    known = _known(session, pairs_of(*(work.write for work in works)))
    new: dict[UUID, Work] = {}
    plain: list[tuple[Work, Article]] = []
    for work in works:
        before = None if work.pair is None else known.get(work.pair)
        refusal = _unwanted(work, before, mode)
        if refusal is not None:
            yield work, refusal
        elif before is None:
            new[new_id()] = work
        elif _is_plain(work, before):
            plain.append((work, before))
        else:
            yield work, _update(session, caller, before, work)
    if plain:
        yield from _edit(session, caller, plain)
    if new:
        yield from _create(session, caller, new)


def _create(
    session: Session, caller: Caller, new: Mapping[UUID, Work]
) -> Iterator[tuple[Work, tuple[Article, int] | ServiceError]]:
    """Make articles that are not there yet. Pictures that were made for one that is refused, and that no
    other shows, go again.
    """
    pictures: dict[UUID, Image] = {}
    writes = {}
    for id_, work in new.items():
        try:
            _make_pictures(session, caller, work, pictures)
            writes[id_] = work.write
        except ServiceError as refusal:
            yield work, refusal
    made = lifecycle.create_all(session, caller, writes)
    for id_, (outcome, _) in zip(writes, made, strict=True):
        if isinstance(outcome, Article):
            _describe(session, caller, new[id_])
            _caption(session, caller, new[id_], outcome, again=False)
            for _, shown in new[id_].pictures:
                pictures.pop(shown, None)
        yield new[id_], outcome if isinstance(outcome, ServiceError) else (outcome, 201)
    for unused in pictures.values():
        session.delete(unused)
    if pictures:
        session.flush()  # An item of the next wave may bring the same picture: it must not find this one.


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


def _unwanted(work: Work, before: Article | None, mode: Mode) -> ServiceError | None:
    if work.pair is None and mode is not Mode.CREATE:
        return Unprocessable.at("/external_id", "must be there, with `source`: the item is known by them")
    if before is None:
        return (
            NotFound("There is no article with this source and external_id.") if mode is Mode.UPDATE else None
        )
    if mode is Mode.CREATE:
        return ExternalIdTaken("There is an article with this source and external_id.", id=str(before.id))
    if mode is not Mode.RESTORE and (taken_away := _taken_away(before, work.write.status)) is not None:
        return LeftAlone(
            "The desk has taken this article away; mode=restore brings it back.",
            id=str(before.id),
            reason=taken_away,
        )
    return None


def _taken_away(article: Article, wanted: Status | None) -> str | None:
    """Return why an item would bring back what readers are not to see; None where it would not."""
    if article.deleted_at is not None:
        return "deleted"
    was_unpublished = article.status == Status.DRAFT and article.first_published_at is not None
    return "unpublished" if was_unpublished and wanted == Status.PUBLISHED else None


def _is_plain(work: Work, article: Article) -> bool:
    """Return whether nothing of an item is written before all that may refuse it."""
    return not work.pictures and article.deleted_at is None and work.write.slug in (None, article.slug)


def _edit(
    session: Session, caller: Caller, plain: Sequence[tuple[Work, Article]]
) -> Iterator[tuple[Work, tuple[Article, int] | ServiceError]]:
    """Bring articles up to date, with one statement for all in each table."""
    resolve.load(session, {image for work, _ in plain for image in claims.images_in(work.write)})
    with together(session):
        for work, article in plain:
            try:
                lifecycle.replace(session, caller, article, _replacement(work))
            except ServiceError as refusal:
                if article in session.dirty:
                    session.expire(article)
                yield work, refusal
            else:
                yield work, (article, 200)


def _replacement(work: Work) -> ArticleReplace:
    return ArticleReplace.model_construct(work.write.model_fields_set, **dict(work.write))


def _update(
    session: Session, caller: Caller, article: Article, work: Work
) -> tuple[Article, int] | ServiceError:
    try:
        with session.begin_nested():
            if article.deleted_at is not None:
                lifecycle.restore(session, caller, article)
            _make_pictures(session, caller, work, {})
            lifecycle.replace(session, caller, article, _replacement(work))
            _describe(session, caller, work)
            _caption(session, caller, work, article, again=True)
    except ServiceError as refusal:
        return refusal
    return article, 200


def _image_members(work: Work, inline: InlineImage) -> dict[str, object]:
    return inline.model_dump(include=set(ImageContent.model_fields), exclude_none=True) | {
        "source": inline.source or work.write.source
    }


def _make_pictures(session: Session, caller: Caller, work: Work, made: dict[UUID, Image]) -> None:
    """Make the pictures that are not there yet, and add them to those that were `made`."""
    for inline, id_ in work.pictures:
        if session.get(Image, id_) is None:
            made[id_], _ = images.create(
                session, caller, ImageCreate.model_validate(_image_members(work, inline)), None, id_
            )
            session.flush()


def _describe(session: Session, caller: Caller, work: Work) -> None:
    """Update the metadata of pictures that existed before this import."""
    for inline, id_ in work.pictures:
        image, said = session.get_one(Image, id_), _image_members(work, inline)
        images.refuse_withdrawn(image)
        if any(getattr(image, name) != value for name, value in said.items()):
            before = image.model_dump(include=set(ImageContent.model_fields))
            images.replace(session, caller, image, ImageReplace.model_validate(before | said))


def _caption(session: Session, caller: Caller, work: Work, article: Article, *, again: bool) -> None:
    for inline, id_ in work.pictures:
        image = session.get_one(Image, id_)
        for words in inline.captions:
            caption_image(
                session,
                caller,
                image,
                article.id,
                words.language or article.language,
                words.text,
                words.alt_text,
                again=again,
            )
            session.flush()


def _refused(item: tuple[int, object | ServiceError], problem: ServiceError) -> Result:
    index, content = item
    named = content if isinstance(content, dict) else {}
    source, external_id = (
        value if isinstance(value := named.get(name), str) else None for name in ("source", "external_id")
    )
    held_by = problem.members.get("id") if isinstance(problem, LeftAlone) else None
    id_ = UUID(held_by) if isinstance(held_by, str) else None
    return Result(index, problem.status, id_, source, external_id, None, problem)
