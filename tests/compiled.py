"""Compile a statement once for all stores of a test process, as a service does that has run for a minute, and
ask a server what it can do once.

SQLAlchemy keeps compiled statements by engine and by dialect. Each store has engines of its own, and a test
asks each of its statements once or twice: compiling took as long as all else that it did. Each engine also
asks PostgreSQL six questions before its first statement, of which new connections of a new database know nothing.
"""

import pytest
from sqlalchemy import Connection, Engine, event

from service import engines

_known: dict[str, Engine] = {}
"""By the name of a dialect the first engine of this process that has connected."""


def share_compiled(patched: pytest.MonkeyPatch) -> None:
    """Give each engine that is made from now on the compiled statements of the first of its kind."""
    make = engines.create_engine

    def make_engine(*address: object, **options: object) -> Engine:
        engine = make(*address, **options)
        first = _known.get(engine.dialect.name)
        if first is None:
            event.listen(engine, "first_connect", lambda *_: _known.setdefault(engine.dialect.name, engine))
        else:
            # The pool keeps the dialect that was made with it, and prepares connections by that one.
            engine.dialect.initialize = _know_already
            engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache
        return engine

    patched.setattr(engines, "create_engine", make_engine)


def _know_already(_connection: Connection) -> None:
    """Ask nothing: the first engine of this kind has."""
