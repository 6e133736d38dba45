"""Render published resources again, some at a time: outside of the counter's lock, and written under it.

A batch is rendered from one snapshot of the store. Under the lock, what the snapshot did not see is left out:
whoever has changed a resource meanwhile has rendered it, or has had it await its rendering.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast
from uuid import UUID

from sqlalchemy import bindparam, update
from sqlalchemy.orm import QueryableAttribute, defer
from sqlmodel import col, select

from service.database import Session
from service.published.models import Kind, Published, PublishedSequence, WorkingChange
from service.published.numbering import Changes, index_again, number_and_write
from service.published.outcomes import Outcome, Rendered
from service.published.render import differences, lock_counter, publishing, touch
from service.published.rendering import of_this_process, with_words_of_today
from service.published.terms import SHOWS, Terms

Key = tuple[Kind, UUID]
Part = TypeVar("Part")
MOST_MOVED = 2_000
"""More changes than this since a snapshot are not told apart: the whole batch is rendered again later."""
_MARK = (
    update(Published.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it
    .where(
        col(Published.kind) == bindparam("its_kind"),
        col(Published.id) == bindparam("its_id"),
        col(Published.seq) == bindparam("its_seq"),
    )
    .values(
        rendering=bindparam("its_rendering"), card=bindparam("its_card"), negative=bindparam("its_negative")
    )
)
_WITHOUT_DOCUMENTS = [
    defer(cast("QueryableAttribute[bytes]", column))
    for column in (Published.document, Published.card, Published.negative)
]


@dataclass(frozen=True, slots=True)
class Same:
    """A row, under its number, whose document came out as it was; its text may have been cut by
    older words.
    """

    seq: int
    rendered: Rendered
    is_indexed: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Resources of one kind as they were rendered from a snapshot, the number of which is `seq`.

    `same` are rows whose document came out as it was. `unusual` are resources that are no longer public, or
    are found by other terms: they are published as after any change.
    """

    seq: int
    kind: Kind
    changes: Changes = field(default_factory=Changes)
    same: list[Same] = field(default_factory=list)
    unusual: set[UUID] = field(default_factory=set)

    def parts(self, size: int) -> Iterator["Batch"]:
        """Part the batch, so that no transaction writes many documents, or indexes many texts, under the
        counter's lock. Rows are marked in transactions of their own, which do not need it.
        """
        if indexed := [each for each in self.same if each.is_indexed]:
            yield Batch(self.seq, self.kind, same=indexed)
        for same in _parts([each for each in self.same if not each.is_indexed], size):
            yield Batch(self.seq, self.kind, same=same)
        unusual = self.unusual
        for written in _parts(self.changes.written, size) or [[]] * bool(unusual):
            yield Batch(self.seq, self.kind, Changes(written), unusual=unusual)
            unusual = set()


def _parts(values: list[Part], size: int) -> list[list[Part]]:
    return [values[first : first + size] for first in range(0, len(values), size)]


@dataclass(frozen=True, slots=True)
class Settled:
    """Counts of a batch's rows: those that came out as they were, those that came out otherwise, and those to
    be rendered again.
    """

    same: int
    changed: int
    moved: int


def prepare(session: Session, kind: Kind, ids: Collection[UUID]) -> Batch:
    """Render resources from a snapshot, which `session` reads."""
    batch = Batch(session.exec(select(PublishedSequence.seq)).one(), kind)
    found, terms = differences(session, kind, ids, batch.changes)
    batch.unusual.update(_unusual(batch.changes, found, terms))
    differing = {new.id for _, new, _ in batch.changes.written}
    indexed = with_words_of_today(session)
    for outcome, row in found:
        if isinstance(outcome, Rendered) and row is not None and outcome.id not in differing | batch.unusual:
            batch.same.append(Same(row.seq, outcome, outcome.words is None or row.rendering in indexed))
    return batch


def _unusual(
    changes: Changes, found: Sequence[tuple[Outcome, Published | None]], terms: Terms
) -> Iterator[UUID]:
    yield from (removed.id for removed, _ in changes.removed)
    for outcome, row in found:
        if isinstance(outcome, Rendered) and (
            row is None
            or row.reason is not None
            or row.published_at != outcome.published_at
            or (outcome.terms != terms.get(outcome.id, frozenset()))
        ):
            yield outcome.id


def settle(session: Session, batch: Batch, *, noted: Collection[UUID] = (), tells: bool) -> Settled:
    """Write what differs, and mark what does not. `noted` are articles whose working content has changed too.

    Listeners hear of it if `tells` is true. Lock order: the counter before any published row, as everybody
    who publishes does. Only a transaction that does nothing but mark rows takes no counter, and waits for no
    row.
    """
    only_marks = not (batch.changes.written or batch.unusual or noted) and all(
        each.is_indexed for each in batch.same
    )
    if not only_marks:
        lock_counter(session)
    same = _mark(session, batch, waits=not only_marks)
    if not batch.changes.written and not batch.unusual and not noted:
        return Settled(same, 0, 0)
    moved = _changed_since(session, batch.seq)
    written = [each for each in batch.changes.written if each[1].id not in batch.unusual]
    if moved is None:
        return Settled(same, 0, len(written))
    kept = [each for each in written if moved.isdisjoint(_needs(each[0], each[1]))]
    touch(session, batch.kind, *batch.unusual)
    keys = [(Kind.ARTICLE, id_) for id_ in noted if (Kind.ARTICLE, id_) not in moved]
    session.gathered.noted.clear()
    number_and_write(session, Changes(kept), keys, publishing(session).listeners if tells else ())
    return Settled(same, len(kept) + len(batch.unusual), len(written) - len(kept))


def _mark(session: Session, batch: Batch, *, waits: bool) -> int:
    """Mark rows whose document came out the same as of this rendering, unless they have changed since. Return
    how many.

    Without `waits`, rows that others have locked are left for later. A caller that waits holds the counter's
    lock.
    """
    if not batch.same:
        return 0
    still = _still_standing(session, batch, waits=waits)
    unindexed = [(row, each.rendered) for row, each in still if not each.is_indexed]
    if unindexed:
        index_again(session, unindexed)
    rendering = of_this_process(session)
    rows = [
        {
            "its_kind": batch.kind,
            "its_id": row.id,
            "its_seq": row.seq,
            "its_rendering": rendering,
            "its_card": each.rendered.card,
            "its_negative": each.rendered.negative,
        }
        for row, each in still
    ]
    if rows:
        session.connection().execute(_MARK, rows)
    return len(rows)


def _still_standing(session: Session, batch: Batch, *, waits: bool) -> list[tuple[Published, Same]]:
    """Lock those of the rows that came out as they were that still have their numbers."""
    same = {each.rendered.id: each for each in batch.same}
    known = (
        select(Published)
        .where(Published.kind == batch.kind, col(Published.id).in_(same))
        .order_by(col(Published.id))
        .options(*_WITHOUT_DOCUMENTS)
        .with_for_update(skip_locked=not waits)
    )
    return [(row, same[row.id]) for row in session.exec(known) if row.seq == same[row.id].seq]


def _needs(kind: Kind, new: Rendered) -> set[Key]:
    """Return the resources that a document is made of, as far as a change of them is numbered."""
    return {(kind, new.id)} | {(Kind.IMAGE, UUID(value)) for name, value in new.terms if name == SHOWS}


def _changed_since(session: Session, seq: int) -> set[Key] | None:
    """Return the resources that changed after a number, drafts included, or None when there are too many to
    list.
    """
    found: set[Key] = set()
    for kinds, ids, numbers in (
        (Published.kind, Published.id, Published.seq),
        (WorkingChange.kind, WorkingChange.id, WorkingChange.seq),
    ):
        rows = session.exec(select(kinds, ids).where(col(numbers) > seq).limit(MOST_MOVED + 1))
        found.update((Kind(kind), id_) for kind, id_ in rows)
    return found if len(found) <= MOST_MOVED else None
