"""Public changes take the next numbers of the one counter row, and are written and told in that order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from service.contracts import Facts
from service.database import Session, insert_new, upsert
from service.http.conditional import etag_of
from service.published import epochs, keys, moves, working
from service.published.ahead import noted_in
from service.published.models import (
    Kind,
    NameField,
    Published,
    PublishedFormer,
    PublishedPast,
    PublishedSlug,
)
from service.published.names import NONE, count_changes, name_of_kind
from service.published.outcomes import Change, Listener, Removed, Rendered, Scope, is_found_differently
from service.published.rendering import of_this_process
from service.published.terms import TermChanges
from service.published.words import TextIndex
from service.tables import now

TEXT = TextIndex("published_text", tick=timedelta(microseconds=1), tie_bits=4)
"""Articles lie in it in the order in which they were published."""


@dataclass(slots=True)
class Changes:
    """The differences from the published rows, with those rows; and the terms of articles."""

    written: list[tuple[Kind, Rendered, Published | None]] = field(default_factory=list)
    removed: list[tuple[Removed, Published]] = field(default_factory=list)
    terms: TermChanges = field(default_factory=TermChanges)
    places: dict[UUID, int] | None = None
    """The keys of texts, once they are chosen."""

    def put_before(self, others: "Changes") -> None:
        """Have other changes told after these: what is written is told from the last to the first."""
        self.written[:0] = others.written
        self.removed += others.removed
        self.terms.add(others.terms)

    def place_texts(self, session: Session) -> None:
        """Choose the keys of the texts, and cut these."""
        texts = [(new, new.words, old) for _, new, old in self.written if new.words is not None]
        left = [key for _, _, old in texts if old is not None for key in old.text_keys]
        times = {new.id: new.published_at for new, _, _ in texts}
        self.places = TEXT.place(session, times, left=left, premises=noted_in(session))
        for _, words, _ in texts:
            words.row(is_sqlite=session.database.is_sqlite)


def number_and_write(
    session: Session, changes: Changes, noted: Sequence[working.Key], listeners: Sequence[Listener]
) -> None:
    """Number and write the changes of public and of working resources; tell the listeners of public ones."""
    count = len(changes.written) + len(changes.removed) + len(noted)
    if count == 0:
        return
    if changes.places is None:
        changes.place_texts(session)
    last, is_heard = epochs.take(session, count)
    session.pipeline()
    changes.terms.write(session)
    _count_kinds(session, changes)
    # Captions and images before the articles that show them: a follower meets nothing that it does not know
    # yet.
    told = _write(session, changes.written[::-1], last - count, changes.places or {})
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
    for listener in listeners if told and is_heard else ():
        listener(session, told)
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
    session: Session,
    written: Sequence[tuple[Kind, Rendered, Published | None]],
    seq: int,
    places: Mapping[UUID, int],
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
    put(session, [(change, new) for change, (_, new, _) in zip(told, written, strict=True)], places)
    _leave(session, [change for change in told if change.before not in (None, change.place)])
    remember(session, [change for change in told if change.former not in (None, change.facts)])
    return told


def put(
    session: Session, told: Sequence[tuple[Change, Rendered]], places: Mapping[UUID, int] | None = None
) -> None:
    """Write published rows, each under its number, with the slugs and words that they are found by. The keys
    of texts are chosen unless they are given.
    """
    rendering = of_this_process(session)
    if places is None:
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
            session.write(update(PublishedFormer).where(*ended).values(until_seq=seq))


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
    session.write(buried.values(values))
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
