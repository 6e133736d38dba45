"""Look texts up in an index of words, by statements that are kept put together."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sqlalchemy import BigInteger, TextClause, Uuid, text
from sqlalchemy.sql.selectable import TextualSelect

BEGINS = "begins"
"""The parameter of a statement that says from which key on texts are looked at."""
Values = dict[str, str | int]
"""The words, and the key from which on: the parameters of a statement, by name."""


class Within(enum.Enum):
    """The texts that a query finds: all, those in whose headlines it finds its words, or the others."""

    TEXTS = "wanted"
    HEADLINES = "wanted_in_headlines"
    BODIES = "wanted_in_bodies"


@dataclass(frozen=True, slots=True)
class Look:
    """A way to look for texts in a table, but for the words.

    `most` bounds how many are found, the newest or the oldest ones; of a look `among` texts, which is one of
    PostgreSQL, how many are looked at. One that `begins` is given the key from which on.
    """

    table: str
    is_sqlite: bool
    within: Within = Within.TEXTS
    most: int | None = None
    begins: bool = False
    descending: bool = True
    is_among: bool = False

    def found(self, values: Mapping[str, str | int] | None = None) -> TextualSelect:
        """Select the texts that are found, by `key` and `id`. Without values, these come with the
        execution.
        """
        clause = _clause(self)
        if values is not None:
            clause = clause.bindparams(**values)
        return clause.columns(key=BigInteger(), id=Uuid())

    @property
    def key(self) -> str:
        """Return the column of keys."""
        return "rowid" if self.is_sqlite else "key"


@cache
def _clause(look: Look) -> TextClause:
    key, wanted = look.key, f":{look.within.value}"
    order = f"{key} {'DESC' if look.descending else 'ASC'}"
    lies = f"{key} {'<=' if look.descending else '>='} :{BEGINS}" if look.begins else ""
    limit = "" if look.most is None else f" LIMIT {look.most:d}"
    is_hit = f"words @@ CAST({wanted} AS tsquery)"
    if look.is_among:
        # PostgreSQL carries no condition into a query with a limit.
        where = f" WHERE {lies}" if lies else ""
        lately = f"SELECT key, id, words FROM {look.table}{where} ORDER BY {order}{limit}"
        return text(f"SELECT key, id FROM ({lately}) AS lately WHERE {is_hit}")
    if look.is_sqlite:
        is_hit = f"{look.table} MATCH {wanted}"
    elif limit:
        # By the bare key, PostgreSQL would take a word to be as common everywhere, and read all texts for a
        # rarer one.
        order = f"{key} + 0 {'DESC' if look.descending else 'ASC'}"
    where = " AND ".join(filter(None, [is_hit, lies]))
    sorted_ = f" ORDER BY {order}{limit}" if limit else ""
    return text(f"SELECT {key} AS key, id FROM {look.table} WHERE {where}{sorted_}")
