"""Find the changes of a narrowed feed along the indexes of sections and languages, so that a follower of a
rare section does not have the whole store read.

SQLite reads in the event loop: what a batch reads is bounded, and it may be empty though there is more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from service.published.models import Kind, all_but
from service.published.reader import DatabaseReader
from service.tables import ANY_LANGUAGE, is_in_range

MOST_READ = 2_000
"""Entries of an index that are read for a batch."""
MOST_LEFT = 500
"""Resources that have left a section or language since a follower began which are looked up one by one."""
MOST_WALKS = 50
"""Pieces of an index that are walked. Where there would be more, rows are read in their own order."""
_LANGUAGES = (
    "WITH RECURSIVE known(language) AS (SELECT min(language) FROM published WHERE kind = %s"
    " UNION ALL SELECT (SELECT min(p.language) FROM published p"
    " WHERE p.kind = %s AND p.language > known.language)"
    " FROM known WHERE known.language IS NOT NULL)"
    " SELECT language FROM known WHERE language IS NOT NULL LIMIT 1000"
)
_HAVE_LEFT = "SELECT until_seq FROM published_past WHERE until_seq > %s ORDER BY until_seq LIMIT 1 OFFSET %s"
Value = str | int
Condition = tuple[str, Sequence[Value]]
"""A condition in SQL, and the values in it."""
ANY: Condition = ("1 = 1", ())


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The kinds of a feed, and the sections and language ranges that it is narrowed to: none where it is
    not.
    """

    kinds: Sequence[Kind]
    sections: Sequence[str]
    languages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of some changes, in their order, and the number up to which there are no others."""

    numbers: list[int]
    end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of an index: the entries with one value in a column, or with none, of one kind or of all."""

    column: str
    value: str | None
    kind: Kind | None = None

    def page(self, met: Condition, start: int, end: int, most: int, skipped: int = 0) -> Condition:
        """Select numbers after `start` and up to `end` that meet a condition.

        Column and number are compared as one, and both are sorted by. For an equal value and a sorted number
        PostgreSQL may walk the numbers of all rows, because it expects to meet the value soon.
        """
        values: list[Value] = [] if self.kind is None else [self.kind.value]
        where = "kind = %s AND " if values else ""
        if self.value is None:
            where += f"{self.column} IS NULL AND seq > %s AND seq <= %s"
            values += [start, end]
        else:
            place = f"({self.column}, seq)"
            # The index of sections has those alone that there are.
            where += f"{self.column} IS NOT NULL AND {place} > (%s, %s) AND {place} <= (%s, %s)"
            values += [self.value, start, self.value, end]
        order = f"ORDER BY {self.column}, seq LIMIT %s OFFSET %s"
        return f"SELECT seq FROM published WHERE {where} AND {met[0]} {order}", [
            *values,
            *met[1],
            most,
            skipped,
        ]


async def find(
    reader: DatabaseReader, scope: Narrowing, start: int, base: int, last: int, limit: int
) -> Found:
    """Find the changes after `start` and up to `last`, one more than the limit where there are more. What
    left the scope by a change up to `base` is not among them.
    """
    pieces = await _pieces(reader, scope)
    if len(pieces) > MOST_WALKS or await reader.rows(_HAVE_LEFT, (base, MOST_LEFT)):
        return await _by_number(reader, scope, start, base, last, limit)
    met = _in_languages(scope, "language") if scope.sections and scope.languages else ANY
    end = await _end(reader, pieces, start, last) if met is not ANY else last
    found, values = _left(scope, start, base, end)
    for piece in pieces:
        page, its = piece.page(met, start, end, limit + 1)
        found += f" UNION SELECT seq FROM ({page}) AS walk"
        values += its
    rows = await reader.rows(f"{found} ORDER BY seq LIMIT %s", [*values, limit + 1])
    return Found([number for (number,) in rows], end)


async def _pieces(reader: DatabaseReader, scope: Narrowing) -> list[_Piece]:
    """Return the pieces of an index, each in the order of the numbers, in which all of the scope is."""
    if scope.sections:
        is_asked = Kind.ARTICLE in scope.kinds  # No other kind has a section.
        return [_Piece("section", section) for section in dict.fromkeys(scope.sections) if is_asked]
    pieces: list[_Piece] = []
    for kind in scope.kinds:
        known = [language for (language,) in await reader.rows(_LANGUAGES, (kind.value, kind.value))]
        wanted = [one for one in known if not scope.languages or is_in_range(one, scope.languages)]
        pieces += [_Piece("language", language, kind) for language in wanted]
        if not scope.languages:
            pieces.append(_Piece("language", None, kind))
    return pieces


async def _end(reader: DatabaseReader, pieces: Sequence[_Piece], start: int, last: int) -> int:
    """Return the number up to which all pieces may be read."""
    ends = [last]
    for piece in pieces:
        entry = piece.page(ANY, start, last, 1, MOST_READ // len(pieces) - 1)
        ends += [number for (number,) in await reader.rows(*entry)]
    return min(ends)


def _left(scope: Narrowing, start: int, base: int, end: int) -> tuple[str, list[Value]]:
    """Select what has left the scope since a number."""
    where, values = _all([("q.until_seq > %s", (base,)), of_kinds(scope, "q"), *_in_scope(scope, "q")])
    # One look-up for each: in a join, either database may read all rows to see which has left.
    number = "(SELECT p.seq FROM published p WHERE p.kind = q.kind AND p.id = q.id) AS seq"
    left = f"SELECT {number} FROM published_past q WHERE {where}"
    return f"SELECT seq FROM ({left}) AS gone WHERE seq > %s AND seq <= %s", [*values, start, end]


async def _by_number(
    reader: DatabaseReader, scope: Narrowing, start: int, base: int, last: int, limit: int
) -> Found:
    """Find changes among the next ones of all: where too much has left to be looked up, or a scope is
    wide.
    """
    window = "SELECT seq FROM published WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT 1 OFFSET %s"
    ends = await reader.rows(window, (start, last, MOST_READ - 1))
    end = ends[0][0] if ends else last
    here, values = _all(
        [("p.seq > %s AND p.seq <= %s", (start, end)), of_kinds(scope, "p"), *_in_scope(scope, "p")]
    )
    left, its = _all(
        [
            ("q.until_seq > %s AND p.seq + 0 > %s AND p.seq + 0 <= %s", (base, start, end)),
            of_kinds(scope, "p"),
            *_in_scope(scope, "q"),
        ]
    )
    within = f"EXISTS (SELECT 1 FROM published_past q WHERE q.kind = p.kind AND q.id = p.id AND {left})"
    rows = await reader.rows(
        f"SELECT p.seq FROM published p WHERE {here} UNION SELECT p.seq FROM published p"
        f" WHERE p.seq > %s AND p.seq <= %s AND {within} ORDER BY seq LIMIT %s",
        [*values, start, end, *its, limit + 1],
    )
    return Found([number for (number,) in rows], end)


def _all(conditions: Sequence[Condition]) -> tuple[str, list[Value]]:
    return " AND ".join(where for where, _ in conditions), [value for _, its in conditions for value in its]


def of_kinds(scope: Narrowing, table: str) -> Condition:
    """Return the condition that a row is of the kinds of a scope, by leaving out the others."""
    others = [kind.value for kind in all_but(scope.kinds)]
    return (f"{table}.kind NOT IN ({', '.join(['%s'] * len(others))})" if others else "1 = 1"), others


def _in_scope(scope: Narrowing, table: str) -> list[Condition]:
    """Return the conditions that a row is in the sections and languages of a scope."""
    found: list[Condition] = []
    if scope.sections:
        found.append((f"{table}.section IN ({', '.join(['%s'] * len(scope.sections))})", scope.sections))
    if scope.languages:
        found.append(_in_languages(scope, f"{table}.language"))
    return found


def _in_languages(scope: Narrowing, column: str) -> Condition:
    if ANY_LANGUAGE in scope.languages:
        return f"{column} IS NOT NULL AND {column} <> ''", ()
    in_range = f"({column} = %s OR substr({column}, 1, %s) = %s)"
    values: list[Value] = []
    for language in scope.languages:
        values += [language, len(language) + 1, f"{language}-"]
    return f"({' OR '.join([in_range] * len(scope.languages))})", values
