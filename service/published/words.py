"""Full text: an index of words on SQLite (FTS5) and on PostgreSQL (tsvector), which finds the same on both.

Neither database cuts text or reads a query: both get words that are cut already. A headline's words are
indexed a second time, marked, so that hits in headlines are found without those in texts. Texts lie in the
order of a time, so that the newest hits are found without the others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from hashlib import blake2b
from uuid import UUID

import regex
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    TextClause,
    Uuid,
    bindparam,
    cast,
    column,
    exists,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.selectable import TextualSelect

from service.database import Session
from service.published.ahead import Premises
from service.published.cutting import BREAK, cut
from service.published.looks import Look, Within
from service.published.query import Phrase, Query

_IN_HEADLINE, _IS_LONG = "\ue001", "\ue002"
_KEPT = 20_000
MOST_INDEXED = 400_000
"""Bytes of a text that are searched: PostgreSQL refuses a vector of more than a megabyte, and one takes twice
its text.
"""
_LAST_POSITION, _MOST_POSITIONS = 16_383, 255
"""PostgreSQL tells no words apart that come later in a text, or more often."""
_SIGNS = regex.compile(r"[\p{M}\u19b0-\u19c9\u1cf2\u1cf3]")
_SIGN_OF_SQLITE = 0xF0000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_KEY = 2**63 - 1
_WIDER, _WIDEST = 4, 60
_MOST_SPELT_OUT = 64
_LAST_LETTER = "\U0010ffff"
_KNOWN = (
    # One step for each word, however many texts have it: no letter comes before char(1).
    "WITH RECURSIVE known(word) AS (SELECT (SELECT term FROM {0} WHERE term >= :begins LIMIT 1)"
    " UNION ALL SELECT (SELECT term FROM {0} WHERE term >= known.word || char(1) LIMIT 1) FROM known"
    " WHERE known.word < :ends) SELECT word FROM known LIMIT :most"
)


@dataclass(slots=True)
class Words:
    """The searched words of a text: its headline, and all else."""

    headline: str
    body: str
    _row: dict[str, str] | None = field(default=None, compare=False, repr=False)

    def row(self, *, is_sqlite: bool) -> dict[str, str]:
        """Return the words as a database's index takes them. They are cut once."""
        if self._row is None:
            self._row = _row_of_sqlite(self) if is_sqlite else _row_of_postgresql(self)
        return self._row


class TextIndex:
    """A table of words beside a table of texts, under integer keys in the order of the texts' times.

    Times are told apart by `tick`; within one, texts lie in any order. `tie_bits` are the bits of a key that
    tell the texts of one tick apart. Only a tick in which there are too many reaches into the next.
    """

    def __init__(self, table: str, *, tick: timedelta, tie_bits: int) -> None:
        self.table = table
        self._tick = tick
        self._tie_bits = tie_bits

    def place(
        self,
        session: Session,
        times: Mapping[UUID, datetime],
        *,
        left: Collection[tuple[int, UUID]] = (),
        premises: Premises | None = None,
    ) -> dict[UUID, int]:
        """Return a key that is free for each text, or that a text has left, by key and id, before it is put
        there. `premises` are told of it.
        """
        placed: dict[UUID, int] = {}
        waiting, taken, known = dict(times), set[int](), set[tuple[int, UUID]]()
        for spread in range(self._tie_bits, _WIDEST, _WIDER):
            wanted = {id_: self._key(id_, at, spread) for id_, at in waiting.items()}
            known |= self._known(session, wanted.values())
            taken |= {key for key, _ in known.difference(left)}
            for id_, key in wanted.items():
                if key not in taken:
                    placed[id_] = key
                    taken.add(key)
                    del waiting[id_]
            if not waiting:
                break
        if premises is not None:
            keys = set(placed.values())
            premises.note_texts(keys, [text for text in known if text[0] in keys])
        return placed

    def _key(self, id_: UUID, at: datetime, spread: int) -> int:
        ticks = (at - _EPOCH) // self._tick
        tie = int.from_bytes(blake2b(id_.bytes, digest_size=8).digest()) % (1 << spread)
        return max(-_LARGEST_KEY, min((ticks << self._tie_bits) + tie, _LARGEST_KEY))

    def _known(self, session: Session, keys: Collection[int]) -> set[tuple[int, UUID]]:
        if not keys:
            return set()
        found = session.connection().execute(
            _finding(self.table, self._key_column(session)), {"keys": list(keys)}
        )
        return {(key, id_) for key, id_ in found}

    def put(self, session: Session, texts: Iterable[tuple[int, UUID, Words]]) -> None:
        """Index texts, each under a key that is free."""
        is_sqlite = session.database.is_sqlite
        rows = [{"key": key, "id": id_.hex, **words.row(is_sqlite=is_sqlite)} for key, id_, words in texts]
        if rows:
            session.write(_inserting(self.table, is_sqlite=is_sqlite), rows)

    def drop(self, session: Session, texts: Collection[tuple[int, UUID]]) -> None:
        """Forget texts, by key and id. A key that is free, or another text's, is left alone."""
        if texts:
            dropped = _dropping(self.table, self._key_column(session))
            session.write(dropped, [{"key": key, "id": id_} for key, id_ in texts])

    def edge(self, at: datetime, *, last: bool) -> int:
        """Return the first or the last key of a time."""
        ticks = (at - _EPOCH) // self._tick
        key = (ticks << self._tie_bits) + ((1 << self._tie_bits) - 1) * last
        return max(-_LARGEST_KEY, min(key, _LARGEST_KEY))

    def time_of(self, key: int) -> datetime:
        """Return the time of a key: that of its text, or a little later."""
        return _EPOCH + self._tick * (key >> self._tie_bits)

    def matching(
        self,
        session: Session,
        query: Query,
        *,
        within: Within = Within.TEXTS,
        newest: int | None = None,
    ) -> TextualSelect:
        """Select the texts that a query finds, by `key` and `id`. `newest` bounds how many."""
        look = Look(self.table, session.database.is_sqlite, within, newest)
        return look.found({within.value: self.wanted(session, query, within)})

    def spelt_out(self, session: Session, query: Query) -> Query:
        """Return a query whose beginnings of words are the words that SQLite knows of them, unless there are
        many: of a beginning FTS5 reads every hit before the first, of a word only as many as are wanted.
        """
        if not session.database.is_sqlite:
            return query

        def of(phrases: list[Phrase]) -> list[Phrase]:
            return [each for phrase in phrases for each in self._words_of(session, phrase)]

        return Query([of(group) for group in query.groups], of(query.left_out))

    def _words_of(self, session: Session, phrase: Phrase) -> list[Phrase]:
        if not phrase.is_prefix:
            return [phrase]
        begins = _for_sqlite(phrase.words[-1])
        values = {"begins": begins, "ends": begins + _LAST_LETTER, "most": _MOST_SPELT_OUT + 1}
        found = (
            session.execute(text(_KNOWN.format(f"{self.table}_words")).bindparams(**values)).scalars().all()
        )
        words = [word for word in found if word is not None and word.startswith(begins)]
        if not words or len(words) > _MOST_SPELT_OUT:
            return [phrase]
        return [Phrase((*phrase.words[:-1], word)) for word in words]

    def among(self, query: Query, most: int) -> TextualSelect:
        """Select what a query finds among the newest texts of PostgreSQL, each of which is looked at."""
        look = Look(self.table, is_sqlite=False, most=most, is_among=True)
        return look.found({look.within.value: _as_tsquery(query, look.within)})

    def key_of(
        self, session: Session, number: int, *, begins: int | None = None, descending: bool = True
    ) -> int | None:
        """Return the key of the text of this number, from 1 on, among the next ones of PostgreSQL."""
        lies = _lying(begins, descending=descending)
        found = text(f"SELECT key FROM {self.table}{lies} LIMIT 1 OFFSET {number - 1:d}")
        key: int | None = session.execute(found).scalar()
        return key

    def size(self, session: Session) -> int:
        """Return about how many texts PostgreSQL has; very many where it has not counted them yet."""
        about = text(f"SELECT reltuples FROM pg_class WHERE oid = '{self.table}'::regclass")
        number = int(session.execute(about).scalar_one())
        return _LARGEST_KEY if number < 0 else number

    def has(
        self,
        session: Session,
        query: Query,
        key: ColumnElement[int] | Mapped[int],
        id_: Mapped[UUID],
        within: Within = Within.TEXTS,
    ) -> ColumnElement[bool]:
        """Return the condition that a query finds the text of a key and an id, which is looked up."""
        wanted = self.wanted(session, query, within)
        if session.database.is_sqlite:
            lies = table(self.table, column("rowid", BigInteger), column("id", Uuid()), column(self.table))
            is_hit = lies.c[self.table].op("MATCH")(literal(wanted))
            return exists().where(lies.c.rowid == key, is_hit, lies.c.id == id_)
        lies = table(self.table, column("key", BigInteger), column("id", Uuid()), column("words"))
        # The vector is looked up by its key, and never the keys by the index of words, for each article anew.
        words = select(lies.c.words).where(lies.c.key == key, lies.c.id == id_).scalar_subquery()
        return words.op("@@", return_type=Boolean())(cast(literal(wanted), TSQUERY))

    def wanted(self, session: Session, query: Query, within: Within) -> str:
        """Write a query down as the database reads it."""
        return (_as_fts5 if session.database.is_sqlite else _as_tsquery)(query, within)

    def _key_column(self, session: Session) -> str:
        return "rowid" if session.database.is_sqlite else "key"


@cache
def _finding(table: str, key: str) -> TextualSelect:
    found = text(f"SELECT {key} AS key, id FROM {table} WHERE {key} IN :keys")
    return found.bindparams(bindparam("keys", expanding=True)).columns(
        column("key", BigInteger), column("id", Uuid())
    )


@cache
def _inserting(table: str, *, is_sqlite: bool) -> TextClause:
    if is_sqlite:
        return text(f"INSERT INTO {table} (rowid, id, headline, body) VALUES (:key, :id, :headline, :body)")
    return text(
        f"INSERT INTO {table} (key, id, words) VALUES (:key, CAST(:id AS uuid), CAST(:words AS tsvector))"
    )


@cache
def _dropping(table: str, key: str) -> TextClause:
    return text(f"DELETE FROM {table} WHERE {key} = :key AND id = :id").bindparams(
        bindparam("id", type_=Uuid())
    )


def _lying(begins: int | None, *, descending: bool) -> str:
    where = "" if begins is None else f" WHERE key {'<=' if descending else '>='} {begins:d}"
    return f"{where} ORDER BY key {'DESC' if descending else 'ASC'}"


def is_in_headline(query: Query, headline: str) -> bool:
    """Return whether a headline has all that is searched for."""
    words = f" {' '.join(cut(headline))} "
    return all(any(_row(phrase) in words for phrase in group) for group in query.groups)


def _row(phrase: Phrase) -> str:
    return f" {' '.join(phrase.words)}{'' if phrase.is_prefix else ' '}"


def _cut(value: str) -> tuple[str, ...]:
    # An article's words are indexed twice, for the desk and for readers.
    return _cut_lately(value) if len(value) < _KEPT else _cut_lately.__wrapped__(value)


@lru_cache(maxsize=512)
def _cut_lately(value: str) -> tuple[str, ...]:
    words = cut(value)
    if len(value) * 4 < MOST_INDEXED:
        return tuple(words)
    kept, size = [], 0
    for word in words:
        size += len(word.encode()) + 1
        if size > MOST_INDEXED:
            break
        kept.append(word)
    return tuple(kept)


def _row_of_sqlite(words: Words) -> dict[str, str]:
    headline = _cut(words.headline)
    return {
        "headline": _for_sqlite(" ".join(_IN_HEADLINE + word for word in headline)),
        "body": _for_sqlite(" ".join((*headline, BREAK, *_cut(words.body)))),
    }


def _for_sqlite(words: str) -> str:
    """Write every sign as a character of private use, because FTS5 would end a word at a sign.

    Signs that are written alike this way are of scripts that are not written together.
    """
    if words.isascii():
        return words
    return _SIGNS.sub(lambda sign: chr(_SIGN_OF_SQLITE + (ord(sign[0]) & 0xFFFF)), words)


def _row_of_postgresql(words: Words) -> dict[str, str]:
    """Write a vector out, so that PostgreSQL need not tell what is a word."""
    headline = _cut(words.headline)
    positions: dict[str, list[int]] = {}
    for number, word in enumerate((*headline, BREAK, *_cut(words.body)), 1):
        positions.setdefault(word, []).append(number)
    del positions[BREAK]
    is_long = any(
        len(places) > _MOST_POSITIONS or places[-1] > _LAST_POSITION for places in positions.values()
    )
    for number, word in enumerate(headline, 1):
        positions.setdefault(_IN_HEADLINE + word, []).append(number)
    found = [f"'{word}':{','.join(map(str, places[:_MOST_POSITIONS]))}" for word, places in positions.items()]
    return {"words": " ".join([*found, *([f"'{_IS_LONG}'"] if is_long else [])])}


def _as_fts5(query: Query, within: Within) -> str:
    if within is Within.BODIES:
        return f"({_as_fts5(query, Within.TEXTS)}) NOT ({_as_fts5(query, Within.HEADLINES)})"
    mark = _IN_HEADLINE if within is Within.HEADLINES else ""
    groups = (" OR ".join(_phrase_of_fts5(phrase, mark) for phrase in group) for group in query.groups)
    left_out = " OR ".join(_phrase_of_fts5(phrase) for phrase in query.left_out)
    wanted = " AND ".join(f"({group})" for group in groups)
    return f"({wanted}) NOT ({left_out})" if left_out else wanted


def _phrase_of_fts5(phrase: Phrase, mark: str = "") -> str:
    words = _for_sqlite(" ".join(mark + word for word in phrase.words))
    return f'"{words}"{"*" if phrase.is_prefix else ""}'


def _as_tsquery(query: Query, within: Within) -> str:
    if within is Within.BODIES:
        return f"{_as_tsquery(query, Within.TEXTS)} & !({_as_tsquery(query, Within.HEADLINES)})"
    mark = _IN_HEADLINE if within is Within.HEADLINES else ""
    groups = (" | ".join(_phrase_of_tsquery(phrase, mark) for phrase in group) for group in query.groups)
    left_out = " | ".join(_phrase_of_tsquery(phrase) for phrase in query.left_out)
    wanted = " & ".join(f"({group})" for group in groups)
    return f"{wanted} & !({left_out})" if left_out else wanted


def _phrase_of_tsquery(phrase: Phrase, mark: str = "") -> str:
    *first, last = (f"'{mark}{word}'" for word in phrase.words)
    words = [*first, f"{last}:*" if phrase.is_prefix else last]
    if not first:
        return words[0]
    row, distance = words[0], 1
    for word, written in zip(phrase.words[1:], words[1:], strict=True):
        if word == BREAK:
            distance += 1
        else:
            row += f" <{distance}> {written}"
            distance = 1
    beside = " & ".join(written for word, written in zip(phrase.words, words, strict=True) if word != BREAK)
    return f"({row} | '{_IS_LONG}' & {beside})"
