"""A connection of the pool that its server has left is replaced before it is used, and no other is asked."""

from pathlib import Path

import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from service import engines
from tests import postgres
from tests.articles.newsroom import published
from tests.databases import migrate
from tests.serving import EDITOR, running, settings_for


@pytest.mark.slow
def test_a_connection_that_was_just_used_is_not_asked_whether_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "FRESH_SECONDS", 3600.0)
    with postgres.own_server() as server:
        url = server.create_database("store")
        migrate(url)
        with running(settings_for(url, tmp_path)) as store, store.client(*EDITOR) as editor:
            published(editor)
            asked: list[object] = []
            ping = PGDialect_psycopg.do_ping
            monkeypatch.setattr(
                PGDialect_psycopg, "do_ping", lambda *known: asked.append(known) or ping(*known)
            )
            published(editor)
            assert asked == []
            # A server that has ended says so, and its connections are replaced before they are used.
            server.restart()
            published(editor)
            assert asked
