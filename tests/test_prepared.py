"""A statement that goes past SQLAlchemy's own preparation writes what SQLAlchemy would have written."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import bindparam, select, update
from sqlmodel import col

from service.database import Session, insert, insert_new, upsert
from service.http.idempotency import KeptAnswer
from tests.serving import Store
from tests.sharing import store

__all__ = ["store"]
TEXTS = some.text(some.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
ANSWERS = some.fixed_dictionaries(
    {
        "body_digest": TEXTS,
        "claimed_at": some.datetimes(timezones=some.just(UTC)),
        "owner": some.uuids(),
        "status": some.none() | some.integers(100, 599),
        "headers": some.dictionaries(TEXTS, TEXTS, max_size=3),
        "body": some.binary(max_size=20),
        "is_sealed": some.booleans(),
    }
)
_STATEMENTS = {"plain": insert, "if new": insert_new, "or update": upsert}
_RENAMED = (
    update(KeptAnswer)
    .where(col(KeptAnswer.key_digest) == bindparam("of"))
    .values(body_digest=bindparam("named"), body=b"always", status=None)
)


def _rows(session: Session, key: str) -> list[tuple[Any, ...]]:
    """The rows whose keys begin so, without their keys."""
    columns = [column for column in KeptAnswer.__table__.c if column.name != "key_digest"]
    found = session.execute(
        select(*columns).where(col(KeptAnswer.key_digest).startswith(key)).order_by(KeptAnswer.key_digest)
    )
    return [tuple(row) for row in found]


@pytest.mark.parametrize("kind", _STATEMENTS)
@given(answers=some.lists(ANSWERS, min_size=1, max_size=3))
def test_rows_come_out_as_sqlalchemy_writes_them(
    store: Store, kind: str, answers: list[dict[str, Any]]
) -> None:
    def keyed(key: str) -> list[dict[str, Any]]:
        return [{"key_digest": f"{key} {number}", **each} for number, each in enumerate(answers)]

    with store.database.rehearsing() as session:
        statement = _STATEMENTS[kind](session, KeptAnswer)
        session.write(statement, keyed("ours"))
        session.connection().execute(statement, keyed("theirs"))
        assert _rows(session, "ours") == _rows(session, "theirs")
        assert len(_rows(session, "ours")) == len(answers)


def test_a_statement_keeps_the_values_that_it_has_of_itself(store: Store) -> None:
    answer = {
        "key_digest": "one",
        "body_digest": "before",
        "claimed_at": datetime(2026, 1, 1, tzinfo=UTC),
        "owner": UUID(int=1),
        "status": 200,
        "headers": {},
        "body": b"before",
        "is_sealed": False,
    }
    with store.database.rehearsing() as session:
        session.write(insert(session, KeptAnswer), [answer])
        session.write(_RENAMED, [{"of": "one", "named": "after"}])
        kept = session.get(KeptAnswer, "one")
        assert kept is not None
        assert (kept.body_digest, kept.body, kept.status) == ("after", b"always", None)
