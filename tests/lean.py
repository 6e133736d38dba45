"""Fill a store with many lean articles in seconds: one that the service has written, multiplied by SQL.

The articles are spread as in a newsroom: sections, tags, authors, languages and sources that many, some or
hardly any of them have, words that are in all, in half, in one of a hundred or in twenty, and a picture that
a tenth of them show. Those of rare values are the oldest, so that a walk from the newest meets them last.
"""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from sqlalchemy.engine import make_url

from service.articles import desk
from service.published import numbering
from service.published.names import COUNTED_AS
from service.published.terms import SHOWS
from service.published.words import TextIndex
from service.tables import Table

BEGINS = datetime(2020, 9, 13, tzinfo=UTC)
"""When the first article was published; each later one follows a minute after."""
LOGO, OTHER_PICTURE = UUID(int=(2 << 120) + 1), UUID(int=(2 << 120) + 7)
"""A picture that a tenth of the articles show, and one that ten do."""
Words = Sequence[tuple[str, str]]
"""Words as SQL, each with the articles that have it: `i` is an article's number from 1, the oldest, on, and
`m` one of a thousand remainders.
"""
_ALL = "1 = 1"
_HEADLINE: Words = (
    ("'ferry'", _ALL),
    ("'harbour'", "i % 2 = 0"),
    ("'quay'", "m % 100 = 7"),
    ("'h' || (i % 50)", _ALL),
)
_BODY: Words = (
    ("'common'", _ALL),
    ("'half'", "i % 2 = 1"),
    ("'tenth'", "m % 10 = 2"),
    ("'middling'", "m % 100 = 11"),
    ("'seldom'", "m = 13"),
    ("'rare'", "i <= 20"),
    ("'w' || (i % 1000)", _ALL),
    ("'x' || (i / 7 % 5000)", _ALL),
)
_TERMS: Mapping[str, Words] = {
    "tag": (
        ("'popular'", "m % 5 = 0"),
        ("'middling'", "m % 100 = 3"),
        ("'rare'", "i <= 20"),
        ("'t' || (i % 1000)", _ALL),
    ),
    "author": (
        ("'Ana'", "m % 4 = 1"),
        ("'Bo'", "m % 200 = 9"),
        ("'Cy'", "i <= 15"),
        ("'a' || (i % 300)", _ALL),
    ),
}
_MARK = "\ue001"
_SECTION = (
    "CASE WHEN i <= 30 THEN 'oldest' WHEN m >= 990 THEN NULL WHEN m < 400 THEN 'news' WHEN m < 600 THEN 'sport'"
    " WHEN m < 700 THEN 'culture' WHEN m < 705 THEN 'chess' ELSE 's' || (m % 20) END"
)
_LANGUAGE = "CASE WHEN i <= 25 THEN 'se' WHEN m % 20 = 0 THEN 'fi' WHEN m % 50 = 7 THEN 'sv' ELSE 'en' END"
_SOURCE = "CASE WHEN i BETWEEN 10 AND 30 THEN 'rare-wire' WHEN m % 3 = 0 THEN 'wire' WHEN m % 97 = 1 THEN 'agency' END"
_STATUS = "CASE WHEN m IN (777, 779) THEN 'draft' WHEN m = 778 THEN 'scheduled' ELSE 'published' END"
_PUBLISHED = "m NOT IN (777, 778, 779)"
_LIVE = f"{_PUBLISHED} AND m <> 500"
_OF_PICTURE = "CASE WHEN i % 20 = 0 THEN 'fi' ELSE 'en' END"


def moment(part: float, articles: int) -> str:
    """Return the time at which a part of the articles were published, and the others not."""
    return (BEGINS + int(part * articles) * timedelta(minutes=1)).isoformat()


def fill(url: str, template: UUID, articles: int) -> None:
    """Multiply the one article of a store, which shows a captioned picture, to so many articles."""
    database: _Database = _Sqlite(url, template) if url.startswith("sqlite") else _Postgres(url, template)
    database.run(list(_statements(database, articles, articles // 10)))


class _Database(ABC):
    """The expressions that the two databases write differently."""

    def __init__(self, url: str, template: UUID) -> None:
        self.url = url
        self.template = template

    @abstractmethod
    def run(self, statements: Sequence[str]) -> None:
        """Carry statements out."""

    @abstractmethod
    def numbers(self, last: int) -> str:
        """Return a table of the numbers up to `last`, `i`, and of their remainders, `m`."""

    @abstractmethod
    def id_of(self, kind: int, number: str = "i") -> str:
        """Return the id of an article (1), image (2) or caption (3)."""

    @abstractmethod
    def named(self, id_: str) -> str:
        """Return an id as text."""

    @abstractmethod
    def time(self, seconds: str) -> str:
        """Return the time so many seconds of Unix after its epoch."""

    @abstractmethod
    def texts(self, table: str, key: str, rows: str) -> str:
        """Insert texts under their keys."""

    def copies(self, table: str, of: str, numbers: str, where: str, changed: Mapping[str, str]) -> str:
        """Insert copies of the row that `of` finds, with other values in some columns."""
        columns = [column.name for column in Table.metadata.tables[table].columns]
        values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
        return (
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {numbers},"
            f" (SELECT * FROM {table} WHERE {of} LIMIT 1) AS t WHERE {where}"
        )


class _Sqlite(_Database):
    def run(self, statements: Sequence[str]) -> None:
        with closing(sqlite3.connect(make_url(self.url).database or "", isolation_level=None)) as database:
            for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
                database.execute(f"PRAGMA {pragma}")
            database.execute("BEGIN")
            for statement in statements:
                database.execute(statement)
            database.execute("COMMIT")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def numbers(self, last: int) -> str:
        return (
            "(WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted"
            f" WHERE i < {last}) SELECT i, (i * 7919) % 1000 AS m FROM counted) AS n"
        )

    def id_of(self, kind: int, number: str = "i") -> str:
        return f"printf('%02x%030x', {kind}, {number})"

    def named(self, id_: str) -> str:
        parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        dash = " || '-' || "
        return dash.join(f"substr({id_}, {first}, {length})" for first, length in parts)

    def time(self, seconds: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {seconds}, 'unixepoch')"

    def texts(self, table: str, key: str, rows: str) -> str:
        headline = _joined([(f"'{_MARK}' || {word} || ' '", when) for word, when in _HEADLINE])
        body = _joined([(f"{word} || ' '", when) for word, when in (*_HEADLINE, *_BODY)])
        return (
            f"INSERT INTO {table} (rowid, id, headline, body)"
            f" SELECT {key}, {self.id_of(1)}, {headline}, {body} FROM {rows}"
        )


class _Postgres(_Database):
    def run(self, statements: Sequence[str]) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for statement in statements:
                connection.execute(statement.encode())
            connection.execute("VACUUM ANALYZE")

    def numbers(self, last: int) -> str:
        return (
            f"(SELECT i, (i * 7919) % 1000 AS m FROM generate_series(1::bigint, {last}) AS counted(i)) AS n"
        )

    def id_of(self, kind: int, number: str = "i") -> str:
        return f"('{kind:02x}' || lpad(to_hex({number}), 30, '0'))::uuid"

    def named(self, id_: str) -> str:
        return f"{id_}::text"

    def time(self, seconds: str) -> str:
        return f"to_timestamp({seconds})"

    def texts(self, table: str, key: str, rows: str) -> str:
        marked = [(f"'{_MARK}' || {word}", when) for word, when in _HEADLINE]
        placed = [*enumerate(marked, 1), *enumerate((*_HEADLINE, *_BODY), 1)]
        words = _joined(
            [(f"chr(39) || {word} || chr(39) || ':{place} '", when) for place, (word, when) in placed]
        )
        return f"INSERT INTO {table} (key, id, words) SELECT {key}, {self.id_of(1)}, ({words})::tsvector FROM {rows}"


def _joined(words: Words) -> str:
    return " || ".join(f"CASE WHEN {when} THEN {word} ELSE '' END" for word, when in words)


_SECONDS = f"({int(BEGINS.timestamp())} + i * 60)"
_LATER = f"({_SECONDS} + m * 3600)"


def _key(index: TextIndex) -> str:
    """Return the key of an article's text: the first of its time."""
    first = index.edge(BEGINS, last=False)
    return f"({first} + i * {index.edge(BEGINS + timedelta(minutes=1), last=False) - first})"


def _statements(database: _Database, articles: int, images: int) -> Iterator[str]:
    numbers = database.numbers(articles)
    yield from _of_pictures(database, database.numbers(images))
    yield _of_desk(database, numbers)
    for table, where in (("article_term", _ALL), ("published_term", _LIVE)):
        yield from _of_terms(database, table, f"{numbers} WHERE {where}")
    yield from _of_uses(database, numbers, images)
    for table, where in (("article_slug", _ALL), ("published_slug", _PUBLISHED)):
        yield f"INSERT INTO {table} (slug, article_id) SELECT 'a-' || i, {database.id_of(1)} FROM {numbers} WHERE {where}"
    yield database.texts("article_text", _key(desk.TEXT), f"{numbers} WHERE {_ALL}")
    yield database.texts("published_text", _key(numbering.TEXT), f"{numbers} WHERE {_LIVE}")
    yield from _of_readers(database, numbers, database.numbers(images))
    yield from _of_counts(database)


def _of_pictures(database: _Database, numbers: str) -> Iterator[str]:
    at = database.time(_SECONDS)
    times = {"created_at": at, "updated_at": at}
    source = {
        "source": "CASE WHEN i % 3 = 0 THEN 'wire' END",
        "external_id": "'x' || i",
        "source_url": "NULL",
    }
    own = {"id": database.id_of(2), "digest": "'lean' || i", **source, **times}
    yield database.copies("image", _ALL, numbers, _ALL, own)
    words = {"id": database.id_of(3), "image_id": database.id_of(2), "article_id": "NULL"}
    yield database.copies("caption", _ALL, numbers, _ALL, {**words, "language": _OF_PICTURE, **times})


def _of_desk(database: _Database, numbers: str) -> str:
    at, later = database.time(_SECONDS), database.time(_LATER)
    published = f"CASE WHEN {_PUBLISHED} THEN {at} END"
    own = {
        "id": database.id_of(1),
        "slug": "'a-' || i",
        "section": _SECTION,
        "language": _LANGUAGE,
        "source": _SOURCE,
        "external_id": "'x' || i",
        "status": _STATUS,
        "scheduled_for": f"CASE WHEN m = 778 THEN {database.time('4000000000 + i')} END",
        "published_at": published,
        "first_published_at": published,
        "created_at": at,
        "listed_at": at,
        "updated_at": later,
        "deleted_at": f"CASE WHEN m = 779 THEN {later} END",
        "text_key": _key(desk.TEXT),
    }
    return database.copies("article", f"id = '{database.template.hex}'", numbers, _ALL, own)


def _of_terms(database: _Database, table: str, rows: str) -> Iterator[str]:
    is_public = table == "published_term"
    columns = "field, value, id, published_at" if is_public else "field, value, article_id"
    also = f", {database.time(_SECONDS)}" if is_public else ""
    for field, terms in _TERMS.items():
        for value, when in terms:
            yield (
                f"INSERT INTO {table} ({columns}) SELECT '{field}', {value}, {database.id_of(1)}{also}"
                f" FROM {rows} AND {when}"
            )


def _of_uses(database: _Database, numbers: str, images: int) -> Iterator[str]:
    own, logo = database.id_of(2, f"i % {images} + 1"), database.id_of(2, "1")
    for image, when in ((own, _ALL), (logo, f"m % 10 = 4 AND i % {images} <> 0")):
        yield (
            "INSERT INTO published_term (field, value, id, published_at)"
            f" SELECT '{SHOWS}', {database.named(image)}, {database.id_of(1)}, {database.time(_SECONDS)}"
            f" FROM {numbers} WHERE {when} AND {_LIVE}"
        )
        yield (
            "INSERT INTO image_use (image_id, article_id, slug, headline, status)"
            f" SELECT {image}, {database.id_of(1)}, 'a-' || i, 'The ferry', {_STATUS}"
            f" FROM {numbers} WHERE {when} AND m <> 779"
        )


def _of_readers(database: _Database, numbers: str, pictures: str) -> Iterator[str]:
    at, later = database.time(_SECONDS), database.time(_LATER)
    own = {
        "id": database.id_of(1),
        "seq": "1000 + i * 40",
        "slug": "'a-' || i",
        "section": _SECTION,
        "language": _LANGUAGE,
        "source": _SOURCE,
        "reason": "CASE WHEN m = 500 THEN 'unpublished' END",
        "published_at": at,
        "updated_at": later,
        "changed_at": later,
        "text_key": _key(numbering.TEXT),
        "etag": "'lean' || i",
    }
    yield database.copies("published", "kind = 'article'", numbers, _PUBLISHED, own)
    times = {"published_at": at, "updated_at": at, "changed_at": at}
    for number, kind, language in ((2, "image", "NULL"), (3, "caption", _OF_PICTURE)):
        its = {"id": database.id_of(number), "seq": f"1000 + i * 400 + {number}", "language": language}
        yield database.copies("published", f"kind = '{kind}'", pictures, _ALL, its | times)
    yield (
        "INSERT INTO published_past (kind, id, section, language, until_seq)"
        f" SELECT 'article', {database.id_of(1)}, 'oldest', 'en', 1000 + i * 40"
        f" FROM {numbers} WHERE m = 501 AND i > 30"
    )
    yield "DELETE FROM working_change"
    yield "INSERT INTO working_change (kind, id, seq, changed_at) SELECT kind, id, seq, changed_at FROM published"


def _of_counts(database: _Database) -> Iterator[str]:
    yield "DELETE FROM published_name"
    counted = "INSERT INTO published_name (field, value, count) SELECT"
    for field in ("section", "language", "source"):
        yield (
            f"{counted} '{field}', {field}, count(*) FROM published"
            f" WHERE kind = 'article' AND reason IS NULL AND {field} IS NOT NULL GROUP BY {field}"
        )
    yield f"{counted} 'kind', kind, count(*) FROM published WHERE reason IS NULL GROUP BY kind"
    yield f"{counted} field, value, count(*) FROM published_term WHERE field IN ('tag', 'author') GROUP BY field, value"
    yield (
        "UPDATE published_sequence SET seq = (SELECT max(seq) FROM published),"
        f" counted_at = {database.time('1600000000')}, counted_as = {COUNTED_AS}"
    )
