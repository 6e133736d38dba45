"""Compile a statement that writes rows once, and give the driver what it takes.

SQLAlchemy keeps compiled statements too. To find one, and to prepare the values of a row, takes it longer
than SQLite takes to write the row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, TextClause, UpdateBase
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

Row = Mapping[str, Any]
MOST_KEPT = 256
"""Compiled statements that are kept: some 30 are in use."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A compiled statement. `names` are the names of its values, in order, for a driver that takes values by
    their place. `given` are the values that the statement brings itself. `processors` turn values into the
    driver's.
    """

    sql: str
    names: Sequence[str] | None
    given: Row
    processors: Mapping[str, Callable[[Any], Any]]

    def values(self, row: Row) -> tuple[Any, ...] | dict[str, Any]:
        """Return the values of a row as the driver takes them."""
        known = {**self.given, **row}
        for name, process in self.processors.items():
            known[name] = process(known[name])
        return known if self.names is None else tuple([known[name] for name in self.names])


def execute(
    connection: Connection,
    statement: UpdateBase | TextClause,
    rows: Sequence[Row],
    options: Mapping[str, Any],
) -> CursorResult[Any]:
    """Execute a statement for rows that all have the same members. It is kept, so it must be one of few.

    What it returns is as the driver has it.
    """
    prepared = _prepare(statement, connection.dialect, tuple(rows[0]))
    values: Any = [prepared.values(row) for row in rows]
    return connection.exec_driver_sql(prepared.sql, values if len(rows) > 1 else values[0], options)


@lru_cache(maxsize=MOST_KEPT)
def _prepare(statement: UpdateBase | TextClause, dialect: Dialect, columns: Sequence[str]) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(columns))
    assert isinstance(compiled, SQLCompiler)
    assert not compiled.prefetch, "a default of SQLAlchemy's own, which only its own way to execute fills in"
    found = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    return _Prepared(
        str(compiled),
        compiled.positiontup if compiled.positional else None,
        {name: compiled.params[name] for bind, name in compiled.bind_names.items() if not bind.required},
        {name: process for name, process in found.items() if process is not None},
    )
