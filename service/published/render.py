"""Whatever a transaction commits is published in that same transaction, rendered once, and numbered as its last step.

A room says which of its resources it has changed (`touch`) and how one is rendered (`renders`). Just before the commit, all that
was touched, and all that shows it, is rendered; what differs from the published row takes the next numbers of the one counter
row and is written. Nothing differs, nothing is numbered: a PUT of what is stored already leaves no trace in the feed.

The counter row is locked before rendering, not after. A shorter lock would let two transactions render a caption and the
article that shows it from each other's past, and publish the stale one for good.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, event, text, update
from sqlmodel import col, select

from service.conditional import etag_of
from service.database import Session, insert
from service.published import working
from service.published.models import Kind, Published, PublishedPast, PublishedSequence, PublishedSlug, PublishedTerm, Reason
from service.published.words import TextIndex, Words
from service.tables import now

TEXT = TextIndex("published_text")
SHOWS = "image"
"""The term under which an article is found by an image that it shows."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the public may see of one resource, and what it is found by."""

    id: UUID
    version: int
    document: bytes
    published_at: datetime
    updated_at: datetime
    slug: str | None = None
    slugs: frozenset[str] = frozenset()
    section: str | None = None
    language: str | None = None
    source: str | None = None
    terms: frozenset[tuple[str, str]] = frozenset()
    words: Words | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A resource that the public may not see, or no longer."""

    id: UUID
    version: int
    reason: Reason
    detail: str | None = None


Outcome = Rendered | Removed
Renderer = Callable[[Session, Collection[UUID]], Iterable[Outcome]]
_renderers: dict[Kind, Renderer] = {}
Scope = tuple[str | None, str | None]
"""A section and a language, each of which a resource may lack."""


@dataclass(frozen=True, slots=True)
class Change:
    """One public change as it is numbered: a tombstone when `reason` is set. `before` is where the resource was, if it was."""

    seq: int
    kind: Kind
    id: UUID
    version: int
    reason: Reason | None
    detail: str | None
    changed_at: datetime
    document: bytes
    place: Scope
    before: Scope | None


Listener = Callable[[Session, Sequence[Change]], None]
_listeners: list[Listener] = []
_ORDER = (Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION, Kind.NOTICE)


@dataclass(slots=True)
class _Changes:
    written: list[tuple[Kind, Rendered, Published | None]] = field(default_factory=list)
    removed: list[tuple[Removed, Published]] = field(default_factory=list)


def renders(kind: Kind) -> Callable[[Renderer], Renderer]:
    """Register the renderer of one kind. It is given ids and reads them afresh (`populate_existing`)."""

    def register(renderer: Renderer) -> Renderer:
        _renderers[kind] = renderer
        return renderer

    return register


def hears(listener: Listener) -> Listener:
    """Register what is told of public changes, in their order and in the transaction that makes them."""
    _listeners.append(listener)
    return listener


def touch(session: Session, kind: Kind, *ids: UUID) -> None:
    """Say that these resources may look different to the public once this transaction is committed."""
    touched: dict[Kind, set[UUID]] = session.info.setdefault("touched", {})
    touched.setdefault(kind, set()).update(ids)
    working.note(session, kind, *ids)


def shown(session: Session, images: Collection[UUID]) -> set[UUID]:
    """Those of the images that some published article shows."""
    if not images:
        return set()
    values = select(PublishedTerm.value).where(*_shows(images)).distinct()
    return {UUID(value) for value in session.exec(values)}


def shown_in(session: Session, images: Collection[UUID], articles: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """The (image, article) pairs in which one of these articles is published and shows one of these images."""
    if not images or not articles:
        return set()
    terms = select(PublishedTerm.value, PublishedTerm.id).where(*_shows(images), col(PublishedTerm.id).in_(articles))
    return {(UUID(value), article) for value, article in session.exec(terms)}


def _showing(session: Session, images: Collection[UUID]) -> Sequence[UUID]:
    """The published articles that show one of the images: for the most used picture, thousands."""
    return session.exec(select(PublishedTerm.id).where(*_shows(images)).distinct()).all() if images else []


def _shows(images: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return col(PublishedTerm.field) == SHOWS, col(PublishedTerm.value).in_([str(image) for image in images])


@event.listens_for(Session, "before_commit")
def publish(session: Session) -> None:
    """Bring the published table up to what this transaction is about to commit."""
    touched: dict[Kind, set[UUID]] = session.info.get("touched", {})
    if not any(touched.values()) and not working.is_noted(session):
        return
    session.flush()
    _lock(session)
    noted = working.taken(session)
    touch(session, Kind.ARTICLE, *_showing(session, touched.get(Kind.IMAGE, set())))
    changes = _Changes()
    for kind in _ORDER:
        if ids := touched.pop(kind, set()):
            _compare(session, kind, ids, changes)
    _number_and_write(session, changes, noted)


def _lock(session: Session) -> None:
    statement = select(PublishedSequence.seq)
    session.exec(statement if session.database.is_sqlite else statement.with_for_update())


def _compare(session: Session, kind: Kind, ids: set[UUID], changes: _Changes) -> None:
    """Render, and keep what differs from the published rows. The terms of articles are brought up at once: what images
    and captions are public follows from them."""
    rows = select(Published).where(Published.kind == kind, col(Published.id).in_(ids))
    before = {row.id: row for row in session.exec(rows.execution_options(populate_existing=True))}
    terms = _terms(session, before) if kind is Kind.ARTICLE else {}
    found: list[tuple[Outcome, Published | None]] = []
    for outcome in _renderers[kind](session, ids):
        old = before.get(outcome.id)
        live = old is not None and old.reason is None
        old_terms = terms.get(outcome.id, frozenset())
        if isinstance(outcome, Removed):
            if old is not None and (live or old.reason is not outcome.reason):
                changes.removed.append((outcome, old))
        elif old is None or not live or old.document != outcome.document or _found_differently(session, outcome, old, old_terms):
            changes.written.append((kind, outcome, old))
        found.append((outcome, old))
    if kind is Kind.ARTICLE:
        _replace_terms(session, found, terms)


def _found_differently(session: Session, new: Rendered, old: Published, terms: frozenset[tuple[str, str]]) -> bool:
    if (new.slug, new.section, new.language, new.source, new.published_at) != (
        old.slug,
        old.section,
        old.language,
        old.source,
        old.published_at,
    ):
        return True
    return new.terms != terms


def _terms(session: Session, ids: Collection[UUID]) -> dict[UUID, frozenset[tuple[str, str]]]:
    if not ids:
        return {}
    found: dict[UUID, set[tuple[str, str]]] = {}
    for term in session.exec(select(PublishedTerm).where(col(PublishedTerm.id).in_(ids))):
        found.setdefault(term.id, set()).add((term.field, term.value))
    return {id_: frozenset(terms) for id_, terms in found.items()}


def _replace_terms(
    session: Session, outcomes: Sequence[tuple[Outcome, Published | None]], known: Mapping[UUID, frozenset[tuple[str, str]]]
) -> None:
    gone, rows = [], []
    for outcome, old in outcomes:
        before, after = known.get(outcome.id, frozenset()), outcome.terms if isinstance(outcome, Rendered) else frozenset()
        touch(session, Kind.IMAGE, *(UUID(value) for name, value in before ^ after if name == SHOWS))
        shifted = isinstance(outcome, Rendered) and old is not None and old.published_at != outcome.published_at
        if before == after and not shifted:
            continue
        if before:
            gone.append(outcome.id)
        if isinstance(outcome, Rendered):
            rows += [
                {"field": name, "value": value, "id": outcome.id, "published_at": outcome.published_at} for name, value in sorted(after)
            ]
    if gone:
        session.execute(delete(PublishedTerm).where(col(PublishedTerm.id).in_(gone)))
    if rows:
        session.execute(insert(session, PublishedTerm), rows)


def _number_and_write(session: Session, changes: _Changes, noted: Sequence[working.Key]) -> None:
    count = len(changes.written) + len(changes.removed) + len(noted)
    if count == 0:
        return
    number = update(PublishedSequence).values(seq=PublishedSequence.seq + count).returning(col(PublishedSequence.seq))
    last: int = session.execute(number).scalar_one()
    # Captions and images before the articles that show them: a follower meets nothing that it does not know yet.
    told = _write(session, changes.written[::-1], last - count)
    seq = last - count + len(told)
    for removed, old in changes.removed:
        seq += 1
        told.append(_bury(session, removed, old, seq))
    working.write(session, noted, seq)
    for listener in _listeners if told else ():
        listener(session, told)
    if not session.database.is_sqlite:
        session.execute(text("SELECT pg_notify('copydesk_published', :seq)"), {"seq": str(last)})
    session.info["published_seq"] = last


def _write(session: Session, written: Sequence[tuple[Kind, Rendered, Published | None]], seq: int) -> list[Change]:
    """Write published rows under the numbers after `seq`."""
    if not written:
        return []
    at = now()
    told = [
        Change(number, kind, new.id, new.version, None, None, at, new.document, (new.section, new.language), _place(old))
        for number, (kind, new, old) in enumerate(written, seq + 1)
    ]
    upsert = insert(session, Published)
    fresh = {column.name: column for column in upsert.excluded if column.name not in ("kind", "id")}
    rows = [_row(change, new) for change, (_, new, _) in zip(told, written, strict=True)]
    session.execute(upsert.on_conflict_do_update(index_elements=["kind", "id"], set_=fresh), rows)
    slugs = [{"slug": slug, "article_id": new.id} for _, new, _ in written for slug in sorted(new.slugs)]
    if slugs:
        session.execute(insert(session, PublishedSlug).on_conflict_do_nothing(), slugs)
    searched = [(change.seq, new.id, new.words, old) for change, (_, new, old) in zip(told, written, strict=True) if new.words is not None]
    TEXT.drop(session, [old.seq for *_, old in searched if old is not None])
    TEXT.put(session, ((number, id_, words) for number, id_, words, _ in searched))
    _leave(session, [change for change in told if change.before not in (None, change.place)])
    return told


def _place(row: Published | None) -> Scope | None:
    return None if row is None else (row.section, row.language)


def _row(change: Change, new: Rendered) -> dict[str, object]:
    return {
        "kind": change.kind, "id": new.id, "seq": change.seq, "version": new.version, "reason": None, "detail": None,
        "changed_at": change.changed_at, "document": new.document, "etag": etag_of(new.document, new.version), "slug": new.slug,
        "section": new.section, "language": new.language, "source": new.source,
        "published_at": new.published_at, "updated_at": new.updated_at,
    }  # fmt: skip


def _leave(session: Session, changes: Sequence[Change]) -> None:
    """Remember the section and language that resources were in: who follows those is told that they have left."""
    rows = [
        {"kind": each.kind, "id": each.id, "section": each.before[0] or "", "language": each.before[1] or "", "until_seq": each.seq}
        for each in changes
        if each.before is not None
    ]
    if rows:
        upsert, keys = insert(session, PublishedPast), ["kind", "id", "section", "language"]
        session.execute(upsert.on_conflict_do_update(index_elements=keys, set_={"until_seq": upsert.excluded.until_seq}), rows)


def _bury(session: Session, removed: Removed, old: Published, seq: int) -> Change:
    document, at = b"{}", now()
    values = {
        "seq": seq, "version": removed.version, "reason": removed.reason, "detail": removed.detail, "changed_at": at,
        "document": document, "etag": etag_of(document, removed.version),
    }  # fmt: skip
    session.execute(update(Published).where(col(Published.kind) == old.kind, col(Published.id) == old.id).values(values))
    TEXT.drop(session, [old.seq] if old.kind is Kind.ARTICLE else [])
    place = (old.section, old.language)
    return Change(seq, old.kind, old.id, removed.version, removed.reason, removed.detail, at, document, place, place)


@event.listens_for(Session, "after_commit")
def _know(session: Session) -> None:
    session.database.known_sequence = max(session.database.known_sequence, session.info.pop("published_seq", 0))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("touched", None)
    session.info.pop("published_seq", None)
    working.forget(session)
