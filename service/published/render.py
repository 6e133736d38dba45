"""Publish what a transaction commits: in that same transaction, rendered once, and numbered as its last step.

A room says which of its resources it has changed (`touch`), and `service/rooms.py` names the renderer of
each kind. Just before the commit every touched resource, and every published article that shows a touched
picture, is rendered. A document that differs from its published row takes the next number of the one counter
row and is written. When nothing differs nothing is numbered: a PUT of what is stored already leaves no trace
in the feed.

The articles that a transaction has written are rendered and compared before the counter row is locked,
because others wait for it. Under the lock all that was compared is looked at again (`ahead.py`), and if
something has changed meanwhile, such as a picture of theirs, they are compared anew: two transactions would
render a caption and the article that shows it from each other's past, and publish the stale one for good. All
else is rendered under the lock.

A picture may stand in thousands of articles. The transaction renders the first twenty, and more
for a tenth of a second; the others wait in `published_awaiting`, and follow in batches (`backlog.py`).
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, update
from sqlmodel import col, select

from service.database import Session, rows_changed
from service.published import working
from service.published.ahead import Counter, lock_and_check, noted_in, noting
from service.published.models import Awaiting, Kind, Published, PublishedSequence
from service.published.names import NONE as NO_NAMES
from service.published.names import names_of
from service.published.numbering import Changes, number_and_write
from service.published.outcomes import Listener, Outcome, Removed, Rendered, is_found_differently
from service.published.terms import TermChanges, Terms, shown_by, terms_of

SECONDS_OF_ARTICLES = 0.05
"""Time for which a transaction renders the articles that show its changed pictures, under the counter's lock.
Writing what was rendered takes the lock for as long again.
"""
ARTICLES_AT_ONCE = 20
ALWAYS = ARTICLES_AT_ONCE
"""Articles that it renders however long they take. Else the first question alone takes the time on a busy
machine, and whoever has changed a picture finds the old one in its only article.
"""
ABOVE_ALL = UUID(int=2**128 - 1)
"""Above the id of every article."""
_SEQUENCE = select(PublishedSequence.seq).with_for_update()
_IDS: BindParameter[Sequence[UUID]] = bindparam("ids", expanding=True)
_ROWS = (
    select(Published)
    .where(col(Published.kind) == bindparam("kind"), col(Published.id).in_(_IDS))
    .execution_options(populate_existing=True)
)

Renderer = Callable[[Session, Collection[UUID]], Iterable[Outcome]]
PictureListener = Callable[[Session, Sequence[UUID]], None]
_ORDER = (Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION, Kind.NOTICE)
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
    loaded_pictures: Callable[[Session], tuple[Collection[UUID], Iterable[tuple[UUID, int]]]]
    """Returns the pictures that a transaction has loaded, and their versions and those of their captions."""
    forget_pictures: Callable[[Session], None]
    """Has pictures loaded afresh."""

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


def _publish(session: Session, rooms: Publishing) -> None:
    gathered = session.gathered
    session.flush()
    if changed := [id_ for kind, id_ in gathered.noted if kind == Kind.IMAGE]:
        gathered.alters_pictures = True
        for listener in rooms.picture_listeners:
            listener(session, changed)
    ahead = _render_ahead(session)
    noted = working.taken(session)
    if session.database.is_sqlite:  # A writer is alone.
        changes = _compare_all(session, noted, ahead)
    elif any(gathered.touched.values()) or _has_pictures(noted):
        changes = _compare_beside_others(session, rooms, noted, ahead)
    else:  # What no reader sees needs the counter for its number alone, which locks it.
        changes = Changes()
    number_and_write(session, changes, noted, rooms.listeners)


def _compare_beside_others(
    session: Session, rooms: Publishing, noted: list[working.Key], ahead: Ahead
) -> Changes:
    """Lock the counter once all is compared that can be before, which is what concerns the transaction's own
    articles alone. Compare under the lock what is left, or everything when the premises do not hold.
    """
    gathered, changes = session.gathered, None
    touched = {kind: set(ids) for kind, ids in gathered.touched.items() if ids}
    with noting(session) as premises:
        if not _has_pictures(noted) and touched == {Kind.ARTICLE: set(ahead)}:
            changes = Changes()
            _compare_touched(session, changes, ahead)
            changes.place_texts(session)
        premises.note_pictures(*rooms.loaded_pictures(session))
    counter = session.kept[Counter] = lock_and_check(session, premises)
    if changes is not None and counter.holds:
        return changes
    if not counter.holds:
        rooms.forget_pictures(session)
        ahead = _NOTHING
    gathered.touched, gathered.terms, gathered.new_terms = touched, {}, {}
    return _compare_all(session, noted, ahead)


def _compare_all(session: Session, noted: list[working.Key], ahead: Ahead) -> Changes:
    """Compare what the transaction has touched, and the articles that show pictures which it has changed."""
    gathered, changes = session.gathered, Changes()
    changed_pictures = [id_ for kind, id_ in noted if kind is Kind.IMAGE and id_ not in gathered.ended]
    own = {id_ for kind, id_ in noted if kind is Kind.ARTICLE} | gathered.touched.get(Kind.ARTICLE, set())
    _compare_touched(session, changes, ahead)
    # Written last to first, so that a follower knows a picture before the articles that show it.
    changes.put_before(_render_articles_that_show(session, changed_pictures, own, noted))
    _compare_touched(session, changes)
    return changes


def _has_pictures(noted: Collection[working.Key]) -> bool:
    return any(kind is not Kind.ARTICLE for kind, _ in noted)


def _render_ahead(session: Session) -> Ahead:
    """Render the articles that this transaction has written, and so nobody else writes."""
    own = session.gathered.touched.get(Kind.ARTICLE, set()) & session.gathered.written.keys()
    if not own:
        return _NOTHING
    return {outcome.id: outcome for outcome in render(session, Kind.ARTICLE, own)}


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
    ends, changes, rendered = time.monotonic() + SECONDS_OF_ARTICLES, Changes(), 0
    for image in working.shown_anywhere(session, images):
        below = ABOVE_ALL
        while articles := working.showing(session, image, below, ARTICLES_AT_ONCE):
            if rendered >= ALWAYS and time.monotonic() > ends:
                _note_awaiting(session, image, below)
                break
            below = articles[-1]
            fresh = set(articles) - done
            done |= fresh
            rendered += len(fresh)
            noted += [(Kind.ARTICLE, article) for article in fresh]
            _compare(session, Kind.ARTICLE, fresh, changes)
            if len(articles) < ARTICLES_AT_ONCE:
                break
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
    """Render, and keep what differs from the published rows. Which images and captions are public follows
    from the terms of articles, which are compared before these.
    """
    found, terms = differences(session, kind, ids, changes, ahead)
    if kind is Kind.ARTICLE:
        _compare_terms(session, found, terms, changes.terms)


def differences(
    session: Session, kind: Kind, ids: Collection[UUID], changes: Changes, ahead: Ahead = _NOTHING
) -> tuple[list[tuple[Outcome, Published | None]], Terms]:
    """Render what is not rendered yet, and add what differs from the published rows to the changes.

    Returns every outcome with its row, and the terms that the rows have now.
    """
    rows = session.exec(_ROWS, params={"kind": kind, "ids": list(ids)}) if ids else ()
    before = {row.id: row for row in rows}
    if (premises := noted_in(session)) is not None:
        premises.note_rows(kind, ids, before.values())
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


def _compare_terms(
    session: Session, outcomes: Sequence[tuple[Outcome, Published | None]], known: Terms, changes: TermChanges
) -> None:
    for outcome, old in outcomes:
        before = known.get(outcome.id, frozenset())
        after = outcome.terms if isinstance(outcome, Rendered) else frozenset()
        session.gathered.new_terms[outcome.id] = after
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
            changes.counted.append((had, has))
        shifted = (
            isinstance(outcome, Rendered) and old is not None and old.published_at != outcome.published_at
        )
        if before == after and not shifted:
            continue
        if before:
            changes.gone.append(outcome.id)
        if isinstance(outcome, Rendered):
            changes.rows += term_rows(outcome)
    _touch_shown(session, outcomes, known)


def _touch_shown(
    session: Session, outcomes: Sequence[tuple[Outcome, Published | None]], known: Terms
) -> None:
    """Have the images looked at that articles begin or cease to show.

    One that is public already stays as it is when one more article shows it, unless it has a caption for that
    article.
    """
    joined, looked_at = set[UUID](), set[UUID]()
    for outcome, _ in outcomes:
        before = shown_by(known.get(outcome.id, frozenset()))
        after = shown_by(outcome.terms) if isinstance(outcome, Rendered) else set()
        captioned = outcome.captioned if isinstance(outcome, Rendered) else frozenset()
        joined |= (after - before) - captioned
        looked_at |= (before - after) | ((after - before) & captioned)
    if joined:
        rows = session.exec(_ROWS, params={"kind": Kind.IMAGE, "ids": list(joined)}).all()
        if (premises := noted_in(session)) is not None:
            premises.note_rows(Kind.IMAGE, joined, rows)
        looked_at |= joined.difference(row.id for row in rows if row.reason is None)
    touch(session, Kind.IMAGE, *looked_at)


def term_rows(article: Rendered) -> list[dict[str, object]]:
    """Return the rows under which an article is found by its tags, authors and pictures."""
    known = {"id": article.id, "published_at": article.published_at}
    return [{"field": name, "value": value, **known} for name, value in sorted(article.terms)]
