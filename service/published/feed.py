"""The change feed: everything public in the order of its last change, and what has gone, as bytes that are
written out already.

A published row is its own entry: `seq > place` is all that has to be asked. An entry that a filter leaves out
is a removal to whoever may have it from before: of what has left a section or language, `published_past`
holds when it did.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from service.ages import earliest
from service.published import keys, moves, narrowed
from service.published.models import Kind, Reason
from service.published.narrowed import Narrowing
from service.published.reader import DatabaseReader, Record
from service.published.withdrawn import PICTURES_SQL, WAITING_SQL, Gone, by_id, until, without
from service.tables import is_in_range, stored_time, write_time

KINDS = (Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION)


class Followed(enum.StrEnum):
    """A kind of resource that can be followed."""

    ARTICLE = Kind.ARTICLE.value
    IMAGE = Kind.IMAGE.value
    CAPTION = Kind.CAPTION.value


LEFT_SCOPE = "left_scope"
_HEAD = (
    "SELECT store_id, seq, pruned_seq, (SELECT max(seq) FROM published),"
    " (SELECT mark FROM published_epoch WHERE number = (SELECT max(number) FROM published_epoch))"
    " FROM published_sequence"
)
_COLUMNS = (
    "p.seq, p.kind, p.id, p.version, p.reason, p.detail, p.changed_at, p.document, p.section, p.language,"
    f" p.expires_at, p.moves, {WAITING_SQL}"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the store: its id, its last number, the highest pruned number, the number of the last
    public change, and the mark of its epoch.
    """

    store: UUID
    seq: int
    pruned: int
    public: int
    epoch: bytes


@dataclass(frozen=True, slots=True)
class FollowerPlace:
    """The place of a follower. `base` is a number up to which no tombstone need be sent any more: the store's
    number when the follower began, or was last caught up.
    """

    seq: int
    base: int
    epoch: bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of a follower. A section or language leaves out the kinds that have none."""

    kinds: tuple[Kind, ...] = KINDS
    sections: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Return whether nothing is left out but notices, of which there are few."""
        return {*self.kinds} >= {*KINDS} and not self.sections and not self.languages

    def holds(self, section: str | None, language: str | None) -> bool:
        """Return whether this section and language are asked for."""
        return (not self.sections or section in self.sections) and (
            not self.languages or is_in_range(language, self.languages)
        )


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """One entry: the resource and its change, and `body`, the JSON of the entry."""

    seq: int
    kind: str
    id: UUID
    version: int
    gone: bool
    body: bytes
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some entries in their order, the place of the follower behind them, and whether that is the end of the
    feed.
    """

    entries: list[ChangeEntry]
    place: FollowerPlace
    caught_up: bool

    @property
    def until(self) -> datetime | None:
        """Return the time from which the same entries must be written without pictures whose licence has
        ended.
        """
        return earliest(*(each.until for each in self.entries))


async def head(reader: DatabaseReader) -> Head:
    """Read the store's id, its last number and its epoch."""
    store, seq, pruned, public, epoch = (await reader.rows(_HEAD))[0]
    return Head(UUID(str(store)), seq, pruned, public or 0, bytes.fromhex(epoch))


def beginning(head: Head) -> FollowerPlace:
    """Return the place at which a new follower begins. It needs no removals from before, because it has
    nothing yet.
    """
    return FollowerPlace(0, head.seq, head.epoch)


async def batch(
    reader: DatabaseReader, wanted: Wanted, place: FollowerPlace, head: Head, limit: int
) -> Batch:
    """Return the next entries after a place, up to a head that was read before, so that later commits come
    later.
    """
    end = head.seq
    scope = Narrowing(wanted.kinds, wanted.sections, wanted.languages)
    if wanted.is_all:
        of_kinds, kinds = narrowed.of_kinds(scope, "p")
        where = f"p.seq > %s AND p.seq <= %s AND {of_kinds}"
        rows, gone = await _rows(reader, where, [place.seq, end, *kinds, limit + 1])
    else:
        changes = await narrowed.find(reader, scope, place.seq, place.base, head.seq, limit)
        end, numbers = changes.end, changes.numbers
        where = f"p.seq IN ({', '.join(['%s'] * len(numbers))})"
        rows, gone = await _rows(reader, where, [*numbers, limit + 1]) if numbers else ([], Gone())
    found = [_read(row, wanted, gone, place.seq) for row in rows]
    if len(found) > limit:
        del found[limit:]
        return Batch(found, replace(place, seq=found[-1].seq, epoch=head.epoch), caught_up=False)
    if end < head.seq:
        return Batch(found, replace(place, seq=end, epoch=head.epoch), caught_up=False)
    return Batch(found, FollowerPlace(end, end, head.epoch), caught_up=True)


async def _rows(reader: DatabaseReader, where: str, values: Sequence[str | int]) -> tuple[list[Record], Gone]:
    """Read rows in the order of their numbers, and which pictures in them have gone."""
    statement = f"SELECT {_COLUMNS} FROM published p WHERE {where} ORDER BY p.seq LIMIT %s"
    rows = await reader.rows(statement, values)
    if not (rows and rows[0][-1]):
        return rows, Gone()
    gone = by_id(await reader.rows(PICTURES_SQL))
    return await reader.rows(statement, values), gone


def _read(row: Record, wanted: Wanted, gone: Gone, since: int) -> ChangeEntry:
    *told, section, language, ends, written, waiting = row
    holds = wanted.holds(section, language)
    return entry_of((*told, ends, written, waiting), gone, since, holds=holds)


def entry_of(row: Sequence[Any], gone: Gone, since: int, *, holds: bool) -> ChangeEntry:
    """Return the entry of a row. `holds` says that a row that is no tombstone is what is asked for."""
    (
        seq,
        kind,
        id_,
        version,
        reason,
        detail,
        changed_at,
        document,
        expires_at,
        written,
        _,
    ) = row
    key = UUID(id_) if isinstance(id_, str) else id_
    at = stored_time(changed_at)
    if reason is None and not holds:
        reason = LEFT_SCOPE
    ends = None if expires_at is None else stored_time(expires_at)
    if reason is None and ends is not None and ends <= gone.at:
        reason, ends = str(Reason.EXPIRED), None
    document = without(bytes(document), gone) if kind == Kind.ARTICLE else bytes(document)
    concerned = keys.of_change(kind, key, moves.since(written, seq, since))
    body = entry(seq, kind, key, version, at, document, reason=reason, detail=detail, concerned=concerned)
    good_until = None if reason is not None else earliest(ends, until(document, gone))
    return ChangeEntry(seq, kind, key, version, reason is not None, body, good_until)


def entry(
    seq: int,
    kind: str,
    id_: UUID,
    version: int,
    changed_at: datetime,
    document: bytes,
    *,
    reason: str | None,
    detail: str | None,
    concerned: Sequence[str],
) -> bytes:
    """Return one entry as JSON: a put with its document, or with a reason a removal without; `concerned` are
    the keys of all answers that it changes.
    """
    gone = reason is not None
    return (
        b'{"seq":%d,"kind":"%b","id":"%b","op":"%b","reason":%b,"detail":%b,"version":%d,"changed_at":"%b","keys":%b,"data":%b}'
    ) % (
        seq,
        kind.encode(),
        str(id_).encode(),
        b"remove" if gone else b"put",
        orjson.dumps(reason),
        orjson.dumps(detail),
        version,
        write_time(changed_at).encode(),
        orjson.dumps(concerned),
        b"null" if gone else document,
    )
