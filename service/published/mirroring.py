"""Write published rows as another store has them, under the numbers of that store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import delete, func, text, update
from sqlmodel import col, select

from service.contracts import Facts
from service.database import Session, insert, upsert
from service.http.conditional import etag_of
from service.published.mirrored import EpochBegun, MirroredFacts, StoreStand
from service.published.models import (
    Awaiting,
    Epoch,
    Kind,
    Published,
    PublishedFormer,
    PublishedPast,
    PublishedSequence,
    PublishedSlug,
    PublishedTerm,
    Reason,
)
from service.published.names import NONE, Names, count_changes, name_of_kind, names_of
from service.published.numbering import TEXT, put, remember, tags_of
from service.published.outcomes import Change, Rendered
from service.published.render import ABOVE_ALL, lock_counter, term_rows
from service.published.terms import SHOWS, Terms, terms_of
from service.published.words import Words
from service.tables import now

Key = tuple[Kind, UUID]
_NOTHING = b"{}"
_EMPTY: dict[str, object] = {"card": None, "negative": None, "text_key": None, "rendering": 0}
_ASIDE = -(2**62)
"""Below all numbers that a row may have otherwise."""
AT_ONCE = 200
"""Articles that are looked through for a picture at once."""
FORGOTTEN_AT_ONCE = 500
"""Rows of one table that a transaction forgets: others write nothing meanwhile."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A row of another store: a tombstone when there is a reason. `card` and `words` are an article's."""

    seq: int
    kind: Kind
    id: UUID
    version: int
    reason: Reason | None
    detail: str | None
    changed_at: datetime
    document: bytes
    facts: MirroredFacts
    card: bytes | None = None
    words: Words | None = None

    @property
    def key(self) -> Key:
        """Return what names the row."""
        return self.kind, self.id

    @property
    def rendered(self) -> Rendered:
        """Return the row as it would have been rendered here."""
        facts = self.facts
        return Rendered(
            self.id,
            self.version,
            self.document,
            facts.published_at,
            facts.updated_at,
            facts.slug,
            frozenset(),
            facts.section,
            facts.language,
            facts.source,
            facts.pairs,
            self.words,
            self.card,
            None if facts.negative is None else facts.negative.encode(),
            facts.expires_at,
            facts.good_until,
        )

    @property
    def change(self) -> Change:
        """Return what the other store has told of the row."""
        return Change(
            self.seq,
            self.kind,
            self.id,
            self.version,
            self.reason,
            self.detail,
            self.changed_at,
            self.document,
            (self.facts.section, self.facts.language),
            None,
            moves=self.facts.moves,
        )


def rows_of(session: Session, keys: Collection[Key]) -> dict[Key, Published]:
    """Return the rows that are there of these resources."""
    found: dict[Key, Published] = {}
    for kind in {kind for kind, _ in keys}:
        ids = [id_ for of, id_ in keys if of is kind]
        rows = select(Published).where(Published.kind == kind, col(Published.id).in_(ids))
        found |= {(kind, row.id): row for row in session.exec(rows.execution_options(populate_existing=True))}
    return found


def write(session: Session, rows: Sequence[Arrived]) -> None:
    """Write rows, whatever is here already.

    A number that another resource has here, because the copy is wrong, is taken from it: its row goes, and is
    mended under its own number.
    """
    latest = list({row.key: row for row in sorted(rows, key=lambda row: row.seq)}.values())
    before = rows_of(session, [row.key for row in latest])
    others = select(Published).where(col(Published.seq).in_([row.seq for row in latest]))
    remove(session, [row for row in session.exec(others) if (row.kind, row.id) not in before])
    articles = [row.id for row in latest if row.kind is Kind.ARTICLE]
    terms = terms_of(session, articles)
    counted = [(_names_before(before.get(row.key), terms), _names(row)) for row in latest]
    count_changes(session, [(had, has) for had, has in counted if had != has])
    TEXT.drop(session, [key for row in before.values() if row.kind is Kind.ARTICLE for key in row.text_keys])
    _forget_finding(session, articles)
    _free_numbers(session, latest, before)
    remember(session, _left(latest, before, terms))
    if live := [row for row in latest if row.reason is None]:
        put(session, [(row.change, row.rendered) for row in live])
    _bury(session, [row for row in latest if row.reason is not None])
    _find_again(session, latest)
    _keep_out(session, [row for row in latest if row.kind is Kind.IMAGE])


def remove(session: Session, rows: Collection[Published]) -> None:
    """Remove rows without a trace, because the other store does not have them."""
    articles = [row.id for row in rows if row.kind is Kind.ARTICLE]
    terms = terms_of(session, articles)
    count_changes(session, [(_names_before(row, terms), NONE) for row in rows])
    TEXT.drop(session, [key for row in rows if row.kind is Kind.ARTICLE for key in row.text_keys])
    _forget_finding(session, articles)
    for row in rows:
        for table in (PublishedPast, PublishedFormer, Published):
            session.execute(delete(table).where(col(table.kind) == row.kind, col(table.id) == row.id))


def stand_at(session: Session, seq: int, state: StoreStand) -> None:
    """Set the store to a number and the epochs of its origin. What the origin has forgotten is forgotten
    afterwards (`forget_some`), because it may be a million removals at once.
    """
    epochs = session.execute(select(Epoch.mark, Epoch.from_seq).order_by(col(Epoch.number))).all()
    if [EpochBegun(*epoch) for epoch in epochs] != list(state.epochs):
        session.execute(delete(Epoch))
        for epoch in state.epochs:
            row = {"mark": epoch.mark, "from_seq": epoch.from_seq, "begun_at": now()}
            session.execute(insert(session, Epoch), [row])
    before = lock_counter(session)
    values = {"seq": seq, "pruned_seq": state.pruned, "store_id": state.store}
    session.execute(update(PublishedSequence).values(values))
    _tell(session, seq)
    session.gathered.sequence, session.gathered.is_set_back = seq, seq < before


def forget_some(session: Session, pruned: int) -> bool:
    """Forget some of the removals up to the number up to which the origin has forgotten them; return whether
    there are more. Cursors from before that number are refused already.
    """
    lock_counter(session)
    buried = select(Published.seq).where(
        col(Published.reason).is_not(None),
        col(Published.reason) != Reason.WITHDRAWN,
        col(Published.seq).between(1, pruned),
    )
    numbers = session.exec(buried.order_by(col(Published.changed_at)).limit(FORGOTTEN_AT_ONCE)).all()
    session.execute(delete(Published).where(col(Published.seq).in_(numbers)))
    has_more = len(numbers) == FORGOTTEN_AT_ONCE
    for table in (PublishedPast, PublishedFormer):
        left = select(table.until_seq).where(col(table.until_seq) <= pruned).order_by(col(table.until_seq))
        last = session.exec(left.offset(FORGOTTEN_AT_ONCE - 1).limit(1)).first()
        session.execute(delete(table).where(col(table.until_seq) <= (pruned if last is None else last)))
        has_more |= last is not None
    return has_more


def begin_anew(session: Session) -> None:
    """Take the numbers from all rows, because the origin counts from the beginning again. Readers still get
    the rows until they arrive again, or until `end_anew`.
    """
    least = session.execute(select(func.min(Published.seq))).scalar_one() or 0
    below = min(least, 0)
    numbered = update(Published).where(col(Published.seq) > 0)
    session.execute(numbered.values(seq=below - col(Published.seq)))
    session.execute(delete(PublishedPast))
    session.execute(delete(PublishedFormer))
    session.execute(update(PublishedSequence).values(seq=0, pruned_seq=0))
    _tell(session, 0)
    session.gathered.sequence, session.gathered.is_set_back = 0, True


def _tell(session: Session, seq: int) -> None:
    """Have other processes hear of the number once it is committed."""
    if not session.database.is_sqlite:
        session.execute(text("SELECT pg_notify('copydesk_published', :seq)"), {"seq": str(seq)})


def end_anew(session: Session) -> int:
    """Remove the rows that did not arrive again. Return how many there were."""
    left = session.exec(select(Published).where(col(Published.seq) < 0)).all()
    remove(session, left)
    return len(left)


def _left(rows: Sequence[Arrived], before: Mapping[Key, Published], terms: Terms) -> list[Change]:
    """Return the changes of what rows are, as contracts judge it, each with what the row was."""
    changes = []
    for row in rows:
        old = before.get(row.key)
        if old is None or old.reason is not None:
            continue
        former = Facts(old.section, old.language, old.source, tags_of(terms.get(old.id, ())))
        facts = Facts(row.facts.section, row.facts.language, row.facts.source, tags_of(row.facts.pairs))
        if row.reason is not None or facts != former:
            changes.append(replace(row.change, facts=facts, former=former))
    return changes


def _names(row: Arrived) -> Names:
    if row.reason is not None:
        return NONE
    if row.kind is not Kind.ARTICLE:
        return name_of_kind(row.kind)
    facts = row.facts
    return names_of(facts.section, facts.language, facts.source, facts.pairs)


def _names_before(row: Published | None, terms: Terms) -> Names:
    if row is None or row.reason is not None:
        return NONE
    if row.kind is not Kind.ARTICLE:
        return name_of_kind(row.kind)
    return names_of(row.section, row.language, row.source, terms.get(row.id, frozenset()))


def _free_numbers(session: Session, rows: Sequence[Arrived], before: Mapping[Key, Published]) -> None:
    """Let no two of these rows meet at one number while they are written."""
    wanted = {row.seq: row.key for row in rows}
    for key, row in before.items():
        if wanted.get(row.seq, key) != key:
            moved = update(Published).where(col(Published.kind) == row.kind, col(Published.id) == row.id)
            session.execute(moved.values(seq=_ASIDE - row.seq))


def _forget_finding(session: Session, articles: Collection[UUID]) -> None:
    session.execute(delete(PublishedTerm).where(col(PublishedTerm.id).in_(articles)))
    session.execute(delete(PublishedSlug).where(col(PublishedSlug.article_id).in_(articles)))


def _find_again(session: Session, rows: Sequence[Arrived]) -> None:
    terms = [term for row in rows for term in term_rows(row.rendered) if row.reason is None]
    if terms:
        session.execute(insert(session, PublishedTerm), terms)
    slugs = [{"slug": slug, "article_id": row.id} for row in rows for slug in row.facts.slugs]
    if slugs:
        session.execute(upsert(session, PublishedSlug), slugs)
    past = [
        {
            "kind": row.kind,
            "id": row.id,
            "section": left.section,
            "language": left.language,
            "until_seq": left.until_seq,
        }
        for row in rows
        for left in row.facts.past
    ]
    if past:
        session.execute(upsert(session, PublishedPast), past)


def _bury(session: Session, rows: Sequence[Arrived]) -> None:
    values = [
        {
            "kind": row.kind,
            "id": row.id,
            "seq": row.seq,
            "version": row.version,
            "reason": row.reason,
            "detail": row.detail,
            "changed_at": row.changed_at,
            "document": _NOTHING,
            "etag": etag_of(_NOTHING, row.version),
            "slug": row.facts.slug,
            "section": row.facts.section,
            "language": row.facts.language,
            "source": row.facts.source,
            "published_at": row.facts.published_at,
            "updated_at": row.facts.updated_at,
            "expires_at": row.facts.expires_at,
            "good_until": row.facts.good_until,
            "moves": row.facts.moves,
        }
        for row in rows
    ]
    if values:
        session.execute(upsert(session, Published), [_EMPTY | each for each in values])


def _keep_out(session: Session, pictures: Sequence[Arrived]) -> None:
    """Hide withdrawn and expired pictures in the articles that show them, until those articles arrive without
    them.
    """
    ids = [row.id for row in pictures]
    session.execute(delete(Awaiting).where(col(Awaiting.image_id).in_(ids)))
    for row in pictures:
        if row.reason in (Reason.WITHDRAWN, Reason.EXPIRED):
            why = row.detail if row.reason is Reason.WITHDRAWN else str(Reason.EXPIRED)
            session.add(Awaiting(image_id=row.id, below=ABOVE_ALL, withdrawn_for=why or ""))
    session.flush()


def let_in(session: Session) -> None:
    """Stop hiding pictures that no article shows any more."""
    for awaiting in session.exec(select(Awaiting)).all():
        if not _is_shown(session, awaiting.image_id):
            session.delete(awaiting)
    session.flush()


def _is_shown(session: Session, picture: UUID) -> bool:
    after = UUID(int=0)
    while True:
        found = (
            select(Published.id, Published.document)
            .join(PublishedTerm, col(PublishedTerm.id) == col(Published.id))
            .where(
                Published.kind == Kind.ARTICLE,
                PublishedTerm.field == SHOWS,
                PublishedTerm.value == str(picture),
                col(Published.reason).is_(None),
                col(Published.id) > after,
            )
        )
        rows = session.exec(found.order_by(col(Published.id)).limit(AT_ONCE)).all()
        if any(_shows(document, str(picture)) for _, document in rows):
            return True
        if len(rows) < AT_ONCE:
            return False
        after = rows[-1][0]


def _shows(document: bytes, picture: str) -> bool:
    article = orjson.loads(document)
    blocks = (block for block in article.get("body", ()) if block["type"] == "image")
    lead = article.get("lead_image")
    return (lead is not None and lead["id"] == picture) or any(
        block["image_id"] == picture and block["image"] is not None for block in blocks
    )
