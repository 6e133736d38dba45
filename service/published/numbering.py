"""Public changes take the next numbers of the one counter row, and are written and told in that order."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import col

from service.contracts import NO_FACTS, Facts
from service.database import Session, insert_new, upsert
from service.http.conditional import etag_of
from service.published import epochs, keys, moves, working
from service.published.models import (
    Kind,
    NameField,
    Published,
    PublishedFormer,
    PublishedPast,
    PublishedSlug,
    Reason,
)
from service.published.names import NONE, count_changes, name_of_kind
from service.published.rendering import of_this_process
from service.published.words import TextIndex, Words
from service.tables import now

TEXT = TextIndex("published_text", tick=timedelta(microseconds=1), tie_bits=4)
"""Articles lie in it in the order in which they were published."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The public document of one resource, and the values by which it is found."""

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
    card: bytes | None = None
    negative: bytes | None = None
    expires_at: datetime | None = None
    good_until: datetime | None = None
    captioned: frozenset[UUID] = frozenset()
    """The images that an article shows with captions of its own, which are public by this article."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A resource that the public may not see, or no longer."""

    id: UUID
    version: int
    reason: Reason
    detail: str | None = None


Scope = tuple[str | None, str | None]
"""A section and a language, each of which a resource may lack."""


@dataclass(frozen=True, slots=True)
class Change:
    """One public change as it is numbered: a tombstone when `reason` is set. `before` is where the resource
    was, if it was. `moved` are the keys of the lists that it joins, leaves or moves in; `moves` is what the
    row says of these and of earlier ones.
    """

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
    facts: Facts = NO_FACTS
    """The facts of the resource; of a tombstone, those that its last live row had."""
    former: Facts | None = None
    """The facts of before, if it was public."""
    moved: frozenset[str] = frozenset()
    moves: str | None = None


def is_found_differently(new: Rendered, old: Published, terms: frozenset[tuple[str, str]]) -> bool:
    """Return whether an article is found in other lists, or at another place in them, than the published row,
    which has these terms.
    """
    if (new.slug, new.section, new.language, new.source, new.published_at, new.expires_at) != (
        old.slug,
        old.section,
        old.language,
        old.source,
        old.published_at,
        old.expires_at,
    ):
        return True
    return new.terms != terms


Listener = Callable[[Session, Sequence[Change]], None]
Outcome = Rendered | Removed


@dataclass(slots=True)
class Changes:
    """The differences from the published rows, with those rows."""

    written: list[tuple[Kind, Rendered, Published | None]] = field(default_factory=list)
    removed: list[tuple[Removed, Published]] = field(default_factory=list)


def number_and_write(
    session: Session, changes: Changes, noted: Sequence[working.Key], listeners: Sequence[Listener]
) -> None:
    """Number and write the changes of public and of working resources; tell the listeners of public ones."""
    count = len(changes.written) + len(changes.removed) + len(noted)
    if count == 0:
        return
    last = epochs.take(session, count)
    _count_kinds(session, changes)
    # Captions and images before the articles that show them: a follower meets nothing that it does not know
    # yet.
    told = _write(session, changes.written[::-1], last - count)
    seq = last - count + len(told)
    buried = []
    for removed, old in changes.removed:
        seq += 1
        buried.append(_bury(session, removed, old, seq))
    remember(session, buried)
    _tell_again(
        session, [(change.seq, old) for change, (_, old) in zip(buried, changes.removed, strict=True)]
    )
    told += buried
    working.write(session, noted, seq)
    for listener in listeners if told else ():
        listener(session, told)
    if not session.database.is_sqlite:
        session.execute(text("SELECT pg_notify('copydesk_published', :seq)"), {"seq": str(last)})
    session.gathered.sequence = last


def _count_kinds(session: Session, changes: Changes) -> None:
    """Bring the counts of images and captions up to the changes; those of articles follow their names."""
    come = [
        (NONE, name_of_kind(kind))
        for kind, _, old in changes.written
        if kind is not Kind.ARTICLE and (old is None or old.reason is not None)
    ]
    gone = [
        (name_of_kind(old.kind), NONE)
        for _, old in changes.removed
        if old.kind is not Kind.ARTICLE and old.reason is None
    ]
    count_changes(session, come + gone)


def _write(
    session: Session, written: Sequence[tuple[Kind, Rendered, Published | None]], seq: int
) -> list[Change]:
    """Write published rows under the numbers after `seq`."""
    if not written:
        return []
    at = now()
    told = [
        Change(
            number,
            kind,
            new.id,
            new.version,
            None,
            None,
            at,
            new.document,
            (new.section, new.language),
            _place(old),
            Facts(new.section, new.language, new.source, tags_of(new.terms)),
            _former(session, old, new),
            moved := _moved(session, kind, new, old),
            moves.write(number, moved, old),
        )
        for number, (kind, new, old) in enumerate(written, seq + 1)
    ]
    searched = [old for _, new, old in written if new.words is not None and old is not None]
    TEXT.drop(session, [key for old in searched for key in old.text_keys])
    put(session, [(change, new) for change, (_, new, _) in zip(told, written, strict=True)])
    _leave(session, [change for change in told if change.before not in (None, change.place)])
    remember(session, [change for change in told if change.former not in (None, change.facts)])
    return told


def put(session: Session, told: Sequence[tuple[Change, Rendered]]) -> None:
    """Write published rows, each under its number, with the slugs and words that they are found by."""
    rendering = of_this_process(session)
    places = TEXT.place(session, {new.id: new.published_at for _, new in told if new.words is not None})
    rows = [_row(change, new, rendering, places.get(new.id)) for change, new in told]
    session.write(upsert(session, Published), rows)
    slugs = [{"slug": slug, "article_id": new.id} for _, new in told for slug in sorted(new.slugs)]
    if slugs:
        session.write(insert_new(session, PublishedSlug), slugs)
    TEXT.put(session, ((places[new.id], new.id, new.words) for _, new in told if new.words is not None))


def index_again(session: Session, rows: Sequence[tuple[Published, Rendered]]) -> None:
    """Cut the texts of published rows anew. They keep their numbers, because no document changes."""
    searched = [(row, new, new.words) for row, new in rows if new.words is not None]
    TEXT.drop(session, [key for row, _, _ in searched for key in row.text_keys])
    places = TEXT.place(session, {new.id: new.published_at for _, new, _ in searched})
    TEXT.put(session, ((places[new.id], new.id, words) for _, new, words in searched))
    for row, new, _ in searched:
        row.text_key = places[new.id]
    session.flush()


def _place(row: Published | None) -> Scope | None:
    return None if row is None else (row.section, row.language)


def _row(change: Change, new: Rendered, rendering: int, text_key: int | None) -> dict[str, object]:
    return {
        "kind": change.kind,
        "id": new.id,
        "seq": change.seq,
        "version": new.version,
        "reason": None,
        "detail": None,
        "changed_at": change.changed_at,
        "document": new.document,
        "etag": etag_of(new.document, new.version),
        "slug": new.slug,
        "section": new.section,
        "language": new.language,
        "source": new.source,
        "published_at": new.published_at,
        "updated_at": new.updated_at,
        "rendering": rendering,
        "card": new.card,
        "negative": new.negative,
        "expires_at": new.expires_at,
        "good_until": new.good_until,
        "text_key": text_key,
        "moves": change.moves,
    }


def _leave(session: Session, changes: Sequence[Change]) -> None:
    """Write the section and language that resources were in, so that followers of those get a removal."""
    rows = [
        {
            "kind": each.kind,
            "id": each.id,
            "section": each.before[0] or "",
            "language": each.before[1] or "",
            "until_seq": each.seq,
        }
        for each in changes
        if each.before is not None
    ]
    if rows:
        session.write(upsert(session, PublishedPast), rows)


def _former(session: Session, old: Published | None, new: Rendered | None) -> Facts | None:
    """Return what a public resource was before this transaction."""
    if old is None or old.reason is not None:
        return None
    terms = session.gathered.terms.get(old.id, frozenset() if new is None else new.terms)
    return Facts(old.section, old.language, old.source, tags_of(terms))


def _tell_again(session: Session, buried: Sequence[tuple[int, Published]]) -> None:
    """Raise the number of former states whose tombstone has a new reason, so that followers get it again."""
    for seq, old in buried:
        if old.reason is not None:
            ended = (
                col(PublishedFormer.kind) == str(old.kind),
                col(PublishedFormer.id) == old.id,
                col(PublishedFormer.until_seq) == old.seq,
            )
            session.execute(update(PublishedFormer).where(*ended).values(until_seq=seq))


def tags_of(terms: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the tags among the terms of an article."""
    return frozenset(value for field, value in terms if field == NameField.TAG)


def remember(session: Session, changes: Sequence[Change]) -> None:
    """Write what resources were, so that followers whose contract gave them get a removal."""
    rows = [
        {
            "kind": str(each.kind),
            "id": each.id,
            "section": each.former.section,
            "language": each.former.language,
            "source": each.former.source,
            "tags": "".join(f"\n{tag}\n" for tag in sorted(each.former.tags)),
            "mark": each.former.mark,
            "until_seq": each.seq,
        }
        for each in changes
        if each.former is not None
    ]
    if rows:
        session.write(upsert(session, PublishedFormer), rows)


def _bury(session: Session, removed: Removed, old: Published, seq: int) -> Change:
    document, at = b"{}", now()
    moved = _moved(session, old.kind, None, old)
    written = moves.write(seq, moved, old)
    TEXT.drop(session, old.text_keys if old.kind is Kind.ARTICLE else [])
    values = {
        "seq": seq,
        "version": removed.version,
        "reason": removed.reason,
        "detail": removed.detail,
        "changed_at": at,
        "document": document,
        "etag": etag_of(document, removed.version),
        "card": None,
        "negative": None,
        "text_key": None,
        "moves": written,
    }
    buried = update(Published).where(col(Published.kind) == old.kind, col(Published.id) == old.id)
    # Otherwise SQLAlchemy would try the condition on every row that the session holds, once for each removal.
    session.execute(buried.values(values), execution_options={"synchronize_session": False})
    place = (old.section, old.language)
    return Change(
        seq,
        old.kind,
        old.id,
        removed.version,
        removed.reason,
        removed.detail,
        at,
        document,
        place,
        place,
        _former(session, old, None) or Facts(*place, old.source),
        _former(session, old, None),
        moved,
        written,
    )


def _moved(session: Session, kind: Kind, new: Rendered | None, old: Published | None) -> frozenset[str]:
    """Return the keys of the lists that a resource alters as it goes from the published row `old` to `new`.

    A picture that alters articles which are rendered later alters everything.
    """
    if kind is not Kind.ARTICLE:
        is_wide = kind is Kind.IMAGE and session.gathered.alters_others
        return frozenset({keys.EVERYTHING} if is_wide else ())
    before: frozenset[str] = frozenset()
    if old is not None and old.reason is None:
        terms = session.gathered.terms.get(old.id, frozenset() if new is None else new.terms)
        if new is not None and not is_found_differently(new, old, terms):
            return before
        before = moves.lists_of(old.section, old.language, terms)
    return before if new is None else before | moves.lists_of(new.section, new.language, new.terms)
