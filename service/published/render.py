"""Publish what a transaction commits: in that same transaction, rendered once, and numbered as its last step.

A room says which of its resources it has changed (`touch`), and `service/rooms.py` names the renderer of
each kind. Just before the commit every touched resource, and every published article that shows a touched
picture, is rendered. A document that differs from its published row takes the next number of the one counter
row and is written. When nothing differs nothing is numbered: a PUT of what is stored already leaves no trace
in the feed.

The articles that a transaction has written are rendered before the counter row is locked, because others wait
for it. Under the lock they are rendered again if a picture or a caption of theirs has changed meanwhile: two
transactions would render a caption and the article that shows it from each other's past, and publish the
stale one for good. All else is rendered under the lock.

A picture may stand in thousands of articles. The transaction renders those for a tenth of a second; the
others wait in `published_awaiting`, and follow in batches (`backlog.py`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, bindparam, delete, update
from sqlmodel import col, select

from service.database import Session, insert, rows_changed
from service.published import working
from service.published.models import Awaiting, Kind, Published, PublishedSequence, PublishedTerm
from service.published.names import NONE as NO_NAMES
from service.published.names import count_changes, names_of
from service.published.numbering import (
    Changes,
    Listener,
    Outcome,
    Removed,
    Rendered,
    is_found_differently,
    number_and_write,
)

SHOWS = "image"
"""The term under which an article is found by an image that it shows."""
SECONDS_OF_ARTICLES = 0.05
"""Time for which a transaction renders the articles that show its changed pictures, under the counter's lock.
Writing what was rendered takes the lock for as long again.
"""
ARTICLES_AT_ONCE = 20
ABOVE_ALL = UUID(int=2**128 - 1)
"""Above the id of every article."""
_SEQUENCE = select(PublishedSequence.seq).with_for_update()
_IDS: BindParameter[Sequence[UUID]] = bindparam("ids", expanding=True)
_ROWS = (
    select(Published)
    .where(col(Published.kind) == bindparam("kind"), col(Published.id).in_(_IDS))
    .execution_options(populate_existing=True)
)
_TERMS = select(PublishedTerm.id, PublishedTerm.field, PublishedTerm.value).where(
    col(PublishedTerm.id).in_(_IDS)
)
_LIVE_IMAGES = select(Published.id).where(
    Published.kind == Kind.IMAGE, col(Published.id).in_(_IDS), col(Published.reason).is_(None)
)

Renderer = Callable[[Session, Collection[UUID]], Iterable[Outcome]]
PictureListener = Callable[[Session, Sequence[UUID]], None]
_ORDER = (Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION, Kind.NOTICE)
Terms = Mapping[UUID, frozenset[tuple[str, str]]]
Ahead = Mapping[UUID, Outcome]
"""Outcomes of before the counter was locked, by the ids of their articles."""
_NOTHING: Ahead = {}


@dataclass(frozen=True, slots=True)
class Publishing:
    """Publish by what the rooms above say: how each kind is rendered, and who is told of what changes."""

    renderers: Mapping[Kind, Renderer]
    """A renderer is given ids and reads their rows afresh (`populate_existing`)."""
    listeners: Sequence[Listener]
    """They are told of public changes, in their order and in the transaction that makes them."""
    picture_listeners: Sequence[PictureListener]
    """They are told which pictures a transaction has changed, or captions of which, before it is numbered."""
    are_pictures_current: Callable[[Session], bool]
    """Tells whether the pictures that a transaction has loaded are still as they were."""

    def publish(self, session: Session) -> None:
        """Bring the published table up to what this transaction is about to commit."""
        if any(session.gathered.touched.values()) or session.gathered.noted:
            _publish(session, self)


def publishing(session: Session) -> Publishing:
    """Return what the rooms above say, as the session's database was given it."""
    given = session.database.publisher
    assert isinstance(given, Publishing)
    return given


def render(session: Session, kind: Kind, ids: Collection[UUID]) -> Iterable[Outcome]:
    """Return what the public may see of these resources."""
    return publishing(session).renderers[kind](session, ids)


def touch(session: Session, kind: Kind, *ids: UUID) -> None:
    """Say that these resources may look different to the public once this transaction is committed."""
    session.gathered.touched.setdefault(kind, set()).update(ids)
    working.note(session, kind, *ids)


def shown(session: Session, images: Collection[UUID]) -> set[UUID]:
    """Return those of the images that some published article shows."""
    if not images:
        return set()
    values = select(PublishedTerm.value).where(*_shows(images)).distinct()
    return {UUID(value) for value in session.exec(values)}


def shown_in(
    session: Session, images: Collection[UUID], articles: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """Return the (image, article) pairs in which one of these published articles shows one of
    these images.
    """
    if not images or not articles:
        return set()
    terms = select(PublishedTerm.value, PublishedTerm.id).where(
        *_shows(images), col(PublishedTerm.id).in_(articles)
    )
    return {(UUID(value), article) for value, article in session.exec(terms)}


def _shows(images: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return col(PublishedTerm.field) == SHOWS, col(PublishedTerm.value).in_([str(image) for image in images])


def _publish(session: Session, rooms: Publishing) -> None:
    gathered = session.gathered
    session.flush()
    if changed := [id_ for kind, id_ in gathered.noted if kind == Kind.IMAGE]:
        gathered.alters_pictures = True
        for listener in rooms.picture_listeners:
            listener(session, changed)
    ahead = _render_ahead(session)
    noted = working.taken(session)
    # On SQLite a writer is alone. What no reader sees needs the counter for its number alone, which locks it.
    if not session.database.is_sqlite and (any(gathered.touched.values()) or _has_pictures(noted)):
        lock_counter(session)
        if not rooms.are_pictures_current(session):
            ahead = _NOTHING
    changed_pictures = [id_ for kind, id_ in noted if kind is Kind.IMAGE and id_ not in gathered.ended]
    own = {id_ for kind, id_ in noted if kind is Kind.ARTICLE} | gathered.touched.get(Kind.ARTICLE, set())
    changes = Changes()
    _compare_touched(session, changes, ahead)
    others = _render_articles_that_show(session, changed_pictures, own, noted)
    # Written last to first, so that a follower knows a picture before the articles that show it.
    changes.written[:0] = others.written
    changes.removed += others.removed
    _compare_touched(session, changes)
    number_and_write(session, changes, noted, rooms.listeners)


def _has_pictures(noted: Collection[working.Key]) -> bool:
    return any(kind is not Kind.ARTICLE for kind, _ in noted)


def _render_ahead(session: Session) -> Ahead:
    """Render the articles that this transaction has written, and so nobody else writes."""
    own = session.gathered.touched.get(Kind.ARTICLE, set()) & session.gathered.written.keys()
    if not own:
        return _NOTHING
    outcomes = {outcome.id: outcome for outcome in render(session, Kind.ARTICLE, own)}
    for outcome in outcomes.values():
        if isinstance(outcome, Rendered) and outcome.words is not None:
            outcome.words.cut_ahead()
    return outcomes


def lock_counter(session: Session) -> int:
    """Keep everybody else from publishing until this transaction ends; return the last number
    that was given.
    """
    return session.exec(_SEQUENCE).one()


def _compare_touched(session: Session, changes: Changes, ahead: Ahead = _NOTHING) -> None:
    """Compare every touched resource. Rendering one kind may touch resources of the kinds after it."""
    for kind in _ORDER:
        if ids := session.gathered.touched.pop(kind, set()):
            _compare(session, kind, ids, changes, ahead)


def _render_articles_that_show(
    session: Session, images: Sequence[UUID], done: set[UUID], noted: list[working.Key]
) -> Changes:
    """Render the articles that show changed images, newest first, until the time for it is over.

    The articles are asked for under the counter's lock: one that is given the image at this moment is either
    seen here, or numbered after this transaction.
    """
    ends, changes = time.monotonic() + SECONDS_OF_ARTICLES, Changes()
    for image in working.shown_anywhere(session, images):
        below = ABOVE_ALL
        while articles := working.showing(session, image, below, ARTICLES_AT_ONCE):
            if time.monotonic() > ends:
                _note_awaiting(session, image, below)
                break
            below = articles[-1]
            fresh = set(articles) - done
            done |= fresh
            noted += [(Kind.ARTICLE, article) for article in fresh]
            _compare(session, Kind.ARTICLE, fresh, changes)
    return changes


def _note_awaiting(session: Session, image: UUID, below: UUID) -> None:
    """Have the articles below an id rendered after this transaction, unless they await it already.

    What is not to be shown has a row of its own, which keeps the picture out of their documents until then
    (`withdrawn.py`).
    """
    if (gone := working.gone(session, image)) is not None:
        reason, begins = gone
        session.add(Awaiting(image_id=image, below=below, withdrawn_for=reason, gone_from=begins))
        session.flush()
        session.gathered.alters_others |= begins is None
        return
    waiting = select(Awaiting.id).where(
        Awaiting.image_id == image, col(Awaiting.begun).is_(False), Awaiting.below >= below
    )
    if session.exec(waiting.limit(1)).first() is None:
        session.add(Awaiting(image_id=image, below=below))
        session.flush()


def show_again(session: Session, image: UUID) -> None:
    """Let the documents that still have a picture show it again, because its withdrawal is undone, or its
    rights are others.
    """
    awaiting = update(Awaiting).where(
        col(Awaiting.image_id) == image, col(Awaiting.withdrawn_for).is_not(None)
    )
    if rows_changed(session.execute(awaiting.values(withdrawn_for=None, gone_from=None))):
        session.gathered.alters_others = True


def _compare(session: Session, kind: Kind, ids: set[UUID], changes: Changes, ahead: Ahead = _NOTHING) -> None:
    """Render, and keep what differs from the published rows. The terms of articles are written at once,
    because what images and captions are public follows from them.
    """
    found, terms = differences(session, kind, ids, changes, ahead)
    if kind is Kind.ARTICLE:
        _replace_terms(session, found, terms)


def differences(
    session: Session, kind: Kind, ids: Collection[UUID], changes: Changes, ahead: Ahead = _NOTHING
) -> tuple[list[tuple[Outcome, Published | None]], Terms]:
    """Render what is not rendered yet, and add what differs from the published rows to the changes.

    Returns every outcome with its row, and the terms that the rows have now.
    """
    rows = session.exec(_ROWS, params={"kind": kind, "ids": list(ids)}) if ids else ()
    before = {row.id: row for row in rows}
    terms = terms_of(session, before) if kind is Kind.ARTICLE else {}
    for id_ in before if kind is Kind.ARTICLE else ():
        session.gathered.terms.setdefault(id_, terms.get(id_, frozenset()))
    found: list[tuple[Outcome, Published | None]] = []
    known = ahead if kind is Kind.ARTICLE else _NOTHING
    fresh = [id_ for id_ in ids if id_ not in known]
    ready = [known[id_] for id_ in ids if id_ in known]
    for outcome in chain(ready, render(session, kind, fresh) if fresh else ()):
        old = before.get(outcome.id)
        live = old is not None and old.reason is None
        old_terms = terms.get(outcome.id, frozenset())
        if isinstance(outcome, Removed):
            if old is not None and (live or old.reason is not outcome.reason):
                changes.removed.append((outcome, old))
        elif (
            old is None
            or not live
            or old.document != outcome.document
            or is_found_differently(outcome, old, old_terms)
        ):
            changes.written.append((kind, outcome, old))
        found.append((outcome, old))
    return found, terms


def terms_of(session: Session, ids: Collection[UUID]) -> dict[UUID, frozenset[tuple[str, str]]]:
    """Return the terms by which articles are found."""
    if not ids:
        return {}
    found: dict[UUID, set[tuple[str, str]]] = {}
    for id_, name, value in session.connection().execute(_TERMS, {"ids": list(ids)}):
        found.setdefault(id_, set()).add((name, value))
    return {id_: frozenset(terms) for id_, terms in found.items()}


def _replace_terms(
    session: Session, outcomes: Sequence[tuple[Outcome, Published | None]], known: Terms
) -> None:
    gone, rows, counted = [], [], []
    _touch_shown(session, outcomes, known)
    for outcome, old in outcomes:
        before = known.get(outcome.id, frozenset())
        after = outcome.terms if isinstance(outcome, Rendered) else frozenset()
        had = (
            names_of(old.section, old.language, old.source, before)
            if old is not None and old.reason is None
            else NO_NAMES
        )
        has = (
            names_of(outcome.section, outcome.language, outcome.source, after)
            if isinstance(outcome, Rendered)
            else NO_NAMES
        )
        if had != has:
            counted.append((had, has))
        shifted = (
            isinstance(outcome, Rendered) and old is not None and old.published_at != outcome.published_at
        )
        if before == after and not shifted:
            continue
        if before:
            gone.append(outcome.id)
        if isinstance(outcome, Rendered):
            rows += term_rows(outcome)
    if gone:
        session.write(delete(PublishedTerm).where(col(PublishedTerm.id).in_(gone)))
    if rows:
        session.write(insert(session, PublishedTerm), rows)
    count_changes(session, counted)


def _touch_shown(
    session: Session, outcomes: Sequence[tuple[Outcome, Published | None]], known: Terms
) -> None:
    """Have the images looked at that articles begin or cease to show.

    One that is public already stays as it is when one more article shows it, unless it has a caption for that
    article.
    """
    joined, looked_at = set[UUID](), set[UUID]()
    for outcome, _ in outcomes:
        before = _shown_by(known.get(outcome.id, frozenset()))
        after = _shown_by(outcome.terms) if isinstance(outcome, Rendered) else set()
        captioned = outcome.captioned if isinstance(outcome, Rendered) else frozenset()
        joined |= (after - before) - captioned
        looked_at |= (before - after) | ((after - before) & captioned)
    if joined:
        live = session.exec(_LIVE_IMAGES, params={"ids": list(joined)}).all()
        looked_at |= joined.difference(live)
    touch(session, Kind.IMAGE, *looked_at)


def _shown_by(terms: Collection[tuple[str, str]]) -> set[UUID]:
    return {UUID(value) for name, value in terms if name == SHOWS}


def term_rows(article: Rendered) -> list[dict[str, object]]:
    """Return the rows under which an article is found by its tags, authors and pictures."""
    known = {"id": article.id, "published_at": article.published_at}
    return [{"field": name, "value": value, **known} for name, value in sorted(article.terms)]
