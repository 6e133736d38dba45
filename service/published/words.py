"""Full text: one way to cut any language into words, and an index of them on SQLite (FTS5) and on PostgreSQL
(tsvector).

Cutting happens here, so that both databases find the same things: text is folded (NFKC, case, accents), split
into words, and each Chinese, Japanese or Korean character is a word of its own, searched as a phrase. No
stemming: a newsroom's texts are of many languages, and names matter more than inflections.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from sqlalchemy import BigInteger, TextClause, text
from sqlalchemy.sql.selectable import TextualSelect

from service.database import Session

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af\U00020000-\U0002fa1f"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_QUERY_PART = re.compile(r'"([^"]*)"|(\S+)')
_KEPT = 20_000
MOST_TERMS = 12
LONGEST_WORD = 255
"""Characters of a word that tell it from others: PostgreSQL refuses longer ones in a query."""
MOST_INDEXED = 400_000
"""Bytes of a text that are searched: PostgreSQL refuses a vector of more than a megabyte, and one takes twice
its text.
"""


@dataclass(frozen=True, slots=True)
class Words:
    """What of a text is searched: its headline, and all else."""

    headline: str
    body: str


def cut(value: str) -> list[str]:
    """Cut a text into the words that are indexed and searched."""
    folded = value.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize(
            "NFC", _NOT_ASCII.sub(_without_accent, unicodedata.normalize("NFKD", folded))
        )
    return [word[:LONGEST_WORD] for word in _WORD.findall(folded)]


def _without_accent(found: re.Match[str]) -> str:
    # Japanese voiced sound marks are no accents: they make another letter.
    character = found[0]
    return "" if unicodedata.combining(character) and not "\u3099" <= character <= "\u309a" else character


def phrases(query: str) -> list[list[str]]:
    """Read a reader's query: every word must be there, and what is in quotation marks as a phrase."""
    parts = (cut(quoted or word) for quoted, word in _QUERY_PART.findall(query))
    return [part for part in parts if part][:MOST_TERMS]


def _indexed(value: str) -> str:
    # An article's words are indexed twice, for the desk and for readers.
    return _indexed_lately(value) if len(value) < _KEPT else _indexed_lately.__wrapped__(value)


@lru_cache(maxsize=512)
def _indexed_lately(value: str) -> str:
    return " ".join(cut(value)).encode()[:MOST_INDEXED].decode(errors="ignore")


class TextIndex:
    """A table of words beside a table of texts, under integer keys."""

    def __init__(self, table: str) -> None:
        self.table = table

    def put(self, session: Session, texts: Iterable[tuple[int, UUID, Words]]) -> None:
        """Index texts, each under a new key."""
        rows = [
            {"key": key, "id": id_.hex, "headline": _indexed(words.headline), "body": _indexed(words.body)}
            for key, id_, words in texts
        ]
        if rows:
            session.execute(self._insert(session), rows)

    def drop(self, session: Session, keys: Collection[int]) -> None:
        """Forget texts."""
        if not keys:
            return
        column = "rowid" if session.database.is_sqlite else "key"
        session.execute(
            text(f"DELETE FROM {self.table} WHERE {column} = :key"), [{"key": key} for key in keys]
        )

    def _insert(self, session: Session) -> TextClause:
        if session.database.is_sqlite:
            return text(
                f"INSERT INTO {self.table} (rowid, id, headline, body) VALUES (:key, :id, :headline, :body)"
            )
        return text(
            f"INSERT INTO {self.table} (key, id, words) VALUES (:key, CAST(:id AS uuid),"
            " setweight(to_tsvector('simple', :headline), 'A') || setweight(to_tsvector('simple', :body), 'D'))"
        )

    def matching(
        self,
        session: Session,
        query: Sequence[Sequence[str]],
        *,
        headline: bool = False,
        newest: int | None = None,
    ) -> TextualSelect:
        """Select the keys of the texts that hold every phrase; in their headline only, or the newest few
        only, if asked.
        """
        if session.database.is_sqlite:
            found = " AND ".join(f'"{" ".join(phrase)}"' for phrase in query)
            wanted = f"headline : ({found})" if headline else found
            sql = f"SELECT rowid AS key FROM {self.table} WHERE {self.table} MATCH :wanted"
        else:
            mark = ":A" if headline else ""
            wanted = " & ".join("(" + " <-> ".join(word + mark for word in phrase) + ")" for phrase in query)
            sql = f"SELECT key FROM {self.table} WHERE words @@ to_tsquery('simple', :wanted)"
        name = "wanted_in_headline" if headline else "wanted"
        limit = "" if newest is None else f" ORDER BY key DESC LIMIT {newest:d}"
        statement = text(sql.replace(":wanted", f":{name}") + limit).bindparams(**{name: wanted})
        return statement.columns(key=BigInteger())
