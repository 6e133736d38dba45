"""Read what a mirror needs of each entry: the document, and the values by which its row is found and cached.

None of it is secret: it is what lists, redirects, the feed's `keys` and the ETags of files show already. Of
what has gone it has no slug, but the masks by which a mirror knows each (`masked.py`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import TypeAdapter

from service.published import feed
from service.published.feed import Batch, ChangeEntry, Wanted
from service.published.masked import masked
from service.published.models import Kind
from service.published.reader import DatabaseReader, Record
from service.tables import Time, stored_time

EVERYTHING = Wanted((*feed.KINDS, Kind.NOTICE))
"""The filter of a mirror: notices too, because readers' pages show them."""
_ROWS = (
    "SELECT kind, id, seq, slug, section, language, source, published_at, updated_at, expires_at, good_until,"
    " moves, negative FROM published WHERE seq > %s AND seq <= %s"
)
_SLUGS = "SELECT article_id, slug FROM published_slug WHERE article_id IN ({}) ORDER BY slug"
_TERMS = "SELECT id, field, value FROM published_term WHERE id IN ({}) ORDER BY field, value"
_PAST = (
    "SELECT id, kind, section, language, until_seq FROM published_past"
    " WHERE kind IN ('article', 'caption', 'image', 'notice') AND id IN ({})"
)
_EPOCHS = "SELECT mark, from_seq FROM published_epoch ORDER BY number"
_DATA = b',"data":'


@dataclass(frozen=True, slots=True)
class ScopeLeft:
    """A section and language that a resource has left, and the number at which it did."""

    section: str
    language: str
    until_seq: int


@dataclass(frozen=True, slots=True)
class EpochBegun:
    """The mark of an epoch, and the number after which it began."""

    mark: str
    from_seq: int


@dataclass(frozen=True, slots=True)
class MirroredFacts:
    """The values of a published row beside its document, as one store tells them to another."""

    slug: str | None
    section: str | None
    language: str | None
    source: str | None
    published_at: Time
    updated_at: Time
    expires_at: Time | None
    good_until: Time | None
    moves: str | None
    negative: str | None
    slugs: tuple[str, ...]
    """The slugs of an article; of one that has gone, their masks."""
    terms: dict[str, list[str]]
    """The tags, authors and images by which an article is found."""
    past: tuple[ScopeLeft, ...]

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Return the terms as the published rows have them."""
        return frozenset((name, value) for name, values in self.terms.items() for value in values)


@dataclass(frozen=True, slots=True)
class StoreStand:
    """The facts of a store that are in no entry: its id, its numbers, and its epochs."""

    store: UUID
    head: int
    pruned: int
    epochs: tuple[EpochBegun, ...]


_FACTS, _STATE = TypeAdapter(MirroredFacts), TypeAdapter(StoreStand)


async def complete(reader: DatabaseReader, batch: Batch) -> Batch:
    """Add to each entry a member `row` with the facts. An entry whose row has changed meanwhile is left out,
    because it comes again under a later number.
    """
    if not batch.entries:
        return batch
    found = await reader.rows(_ROWS, (batch.entries[0].seq - 1, batch.entries[-1].seq))
    ids = list({id_ for _, id_, *_ in found})
    slugs, terms, past = [await _by_id(reader, statement, ids) for statement in (_SLUGS, _TERMS, _PAST)]
    # The row of a picture whose right has ended keeps what it was shown by, until the clock's job has run.
    gone = {entry.seq for entry in batch.entries if entry.gone}
    facts = {seq: _facts(row, slugs, terms, past, is_gone=seq in gone) for row in found if (seq := row[2])}
    entries = [_with_row(entry, facts[entry.seq]) for entry in batch.entries if entry.seq in facts]
    return replace(batch, entries=entries)


async def state(reader: DatabaseReader) -> bytes:
    """Return the state of the store as a further member of a page."""
    head = await feed.head(reader)
    epochs = await reader.rows(_EPOCHS)
    told = StoreStand(head.store, head.seq, head.pruned, tuple(EpochBegun(mark, seq) for mark, seq in epochs))
    return b',"state":%b' % _STATE.dump_json(told)


def _by_field(terms: Iterable[Record]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in terms:
        found.setdefault(name, []).append(value)
    return found


async def _by_id(reader: DatabaseReader, statement: str, ids: Sequence[str]) -> dict[UUID, list[Record]]:
    found: dict[UUID, list[Record]] = defaultdict(list)
    if ids:
        places = ", ".join(["%s"] * len(ids))
        for id_, *values in await reader.rows(statement.format(places), ids):
            found[UUID(str(id_))].append(tuple(values))
    return found


def _facts(
    row: Record,
    slugs: dict[UUID, list[Record]],
    terms: dict[UUID, list[Record]],
    past: dict[UUID, list[Record]],
    *,
    is_gone: bool,
) -> bytes:
    kind, key, _, slug, section, language, source, published_at, updated_at, *rest = row
    expires_at, good_until, moves, negative = rest
    id_ = UUID(str(key))
    names = [name for (name,) in slugs.get(id_, ())] if kind == Kind.ARTICLE else []
    facts = MirroredFacts(
        None if is_gone else slug,
        section,
        language,
        source,
        stored_time(published_at),
        stored_time(updated_at),
        None if expires_at is None else stored_time(expires_at),
        None if good_until is None else stored_time(good_until),
        moves,
        None if is_gone or negative is None else bytes(negative).decode(),
        tuple(sorted(map(masked, names)) if is_gone else names),
        _by_field(terms.get(id_, ())) if kind == Kind.ARTICLE else {},
        tuple(ScopeLeft(left, spoken, seq) for of, left, spoken, seq in past.get(id_, ()) if of == kind),
    )
    return _FACTS.dump_json(facts)


def _with_row(entry: ChangeEntry, facts: bytes) -> ChangeEntry:
    # No text can hold these bytes: its quotes are escaped.
    at = entry.body.index(_DATA)
    return replace(entry, body=b'%b,"row":%b%b' % (entry.body[:at], facts, entry.body[at:]))
