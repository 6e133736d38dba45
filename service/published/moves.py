"""Remember which lists a published article has joined, left or moved in, each with the number of the last
such change.

A row of the feed is what a resource is now; where it was is gone with the change that follows. Caches in
front must drop the lists of before as well, therefore the row says it, in short keys. What is written is the
number of the row and then `key:number` of each list: a row that says another number, or nothing, was written
by a version that knows no moves, and everything counts as moved.
"""

from collections.abc import Iterable

from service.published import keys
from service.published.models import NameField, Published

_TERMS = (NameField.TAG, NameField.AUTHOR)
MOST_KEPT = 64
"""Lists that a row remembers, beside those of its last change. Of more, those of the oldest changes count as
everything.
"""


def lists_of(section: str | None, language: str | None, terms: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the keys of all lists that an article may be in."""
    found = {keys.LISTED}
    if section is not None:
        found.add(keys.of_name(NameField.SECTION, section))
    if language is not None:
        parts = language.split("-")
        found |= {keys.of_language("-".join(parts[: count + 1])) for count in range(len(parts))}
    named = {keys.of_name(NameField(field), value) for field, value in terms if field in _TERMS}
    return frozenset(found | named)


def write(seq: int, moved: Iterable[str], old: Published | None) -> str:
    """Return what the row under a number says, given the row of before."""
    known = {keys.EVERYTHING: old.seq} if old is not None and not _is_told(old.moves, old.seq) else _read(old)
    now = dict.fromkeys(moved, seq)
    kept = sorted((known | now).items(), key=lambda each: each[1], reverse=True)
    most = max(MOST_KEPT, len(now))
    if len(kept) > most:
        forgotten = max(kept[most][1], (known | now).get(keys.EVERYTHING, 0))
        kept = [each for each in kept[:most] if each[0] != keys.EVERYTHING]
        kept.append((keys.EVERYTHING, forgotten))
    return " ".join([str(seq), *(f"{key}:{number}" for key, number in kept)])


def since(written: str | None, seq: int, place: int) -> list[str]:
    """Return the keys of the lists that the row under `seq` tells of, as far as they were altered after a
    place.
    """
    if not _is_told(written, seq):
        return [keys.EVERYTHING]
    return [key for key, number in _members(written or "") if number > place]


def _is_told(written: str | None, seq: int) -> bool:
    return written is not None and written.partition(" ")[0] == str(seq)


def _read(old: Published | None) -> dict[str, int]:
    return {} if old is None else dict(_members(old.moves or ""))


def _members(written: str) -> list[tuple[str, int]]:
    pairs = (member.rpartition(":") for member in written.split(" ")[1:])
    return [(key, int(number)) for key, _, number in pairs]
