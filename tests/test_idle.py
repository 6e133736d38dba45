"""On SQLite a service that nobody writes to asks what its jobs wait for in the event loop, and opens no
sessions for it.
"""

import re

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from service.articles import clock, indexing
from service.consent.audit import upkeep
from service.images import clock as licences
from service.published import backlog
from service.published.reader import SqliteReader
from service.webhooks import worker
from tests.patience import wait_until
from tests.serving import Store, another

TABLES = [
    re.compile(rf"FROM {table}\b")
    for table in (
        "article",
        "article_indexing",
        "consent_unsealed",
        "image",
        "published_awaiting",
        "webhook_delivery",
    )
]
"""The tables that the jobs look at again and again: each is the first of one of their questions."""
TIMES = 5


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs look a hundred times a second."""
    for module in (clock, licences, worker):
        monkeypatch.setattr(module, "LOOKS_EVERY", 0.01)
    monkeypatch.setattr(upkeep, "SEALS_EVERY", 0.01)
    for module in (indexing, backlog):
        monkeypatch.setattr(module, "LOOKS_EVERY", 0.01)
        monkeypatch.setattr(module, "LOOKS_EVERY_SECOND", 0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_jobs_that_find_nothing_open_no_sessions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    statements: list[str] = []
    rows = SqliteReader.rows

    async def noted(self, statement, values=()):
        questions.append(statement)
        return await rows(self, statement, values)

    def note(_connection, _cursor, statement, *_) -> None:
        statements.append(statement)

    def looks() -> int:
        """Return how often the job that has looked least has looked."""
        return min(sum(map(bool, map(question.search, questions))) for question in TABLES)

    monkeypatch.setattr(SqliteReader, "rows", noted)
    with another(store):
        wait_until(lambda: looks() >= TIMES)
        listen(Engine, "before_cursor_execute", note)
        try:
            seen = looks()
            wait_until(lambda: looks() >= seen + TIMES)
        finally:
            remove(Engine, "before_cursor_execute", note)
    assert [each for each in statements if any(table.search(each) for table in TABLES)] == []
