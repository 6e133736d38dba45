"""A store that was set back by its database's own tools tells followers of the lost history to
start again.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from service.settings import Settings
from tests import postgres
from tests.articles.newsroom import problem, published, trash
from tests.databases import KINDS, empty_database
from tests.serving import EDITOR, Store, another, running, settings_for
from tests.sync.following import follow, now_at


@contextmanager
def set_back(settings: Settings, folder: Path) -> Iterator[tuple[object, Settings]]:
    """A way to keep a store as it is now, and the settings of the store that is restored from it later."""
    if settings.is_sqlite:
        later = folder / "later.db"

        def keep() -> None:
            source, target = sqlite3.connect(settings.sqlite_path), sqlite3.connect(later)
            source.backup(target)
            source.close()
            target.close()

        yield keep, settings.model_copy(update={"database_url": f"sqlite:///{later}"})
        return
    server, name, dump = postgres.server(), f"later_{uuid4().hex}", folder / "dump"
    url = server.create_database(name)

    def keep_dump() -> None:
        dump.write_bytes(server.dump(make_url(settings.database_url).database))
        server.fill(name, dump)

    yield keep_dump, settings.model_copy(update={"database_url": url})
    server.drop_database(name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_of_a_lost_history_is_refused_even_when_the_numbers_have_caught_up(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with empty_database(kind, tmp_path, sqlite_template) as url:
        settings = settings_for(url, tmp_path)
        with set_back(settings, tmp_path) as (keep, restored):
            with running(settings) as store, store.client(*EDITOR) as editor, store.client() as reader:
                kept = [published(editor)["id"] for _ in range(3)]
                before = now_at(reader)
                keep()
                lost = [published(editor)["id"] for _ in range(3)]
                after = now_at(reader)
            with (
                running(settings) as store,
                store.client() as reader,
            ):  # The lost history went on for a while.
                after_a_restart = now_at(reader)
            with running(restored) as store, store.client(*EDITOR) as editor, store.client() as reader:
                for stale in (after, after_a_restart):
                    problem(reader.get(stale), 410, "start-again")
                others = [published(editor)["id"] for _ in range(8)]  # Now the numbers have caught up.
                for stale in (after, after_a_restart):
                    refused = problem(reader.get(stale), 410, "start-again")
                    assert {entry["id"] for entry in follow(reader, refused["start"])[0]} == {*kept, *others}
                assert {entry["id"] for entry in follow(reader, before)[0]} == set(others)
                assert not {entry["id"] for entry in follow(reader)[0]} & set(lost)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[Store]:
    with (
        empty_database(request.param, tmp_path, sqlite_template) as url,
        running(settings_for(url, tmp_path)) as running_store,
    ):
        yield running_store


@pytest.mark.slow
def test_a_cursor_lives_through_restarts_and_other_processes(store: Store) -> None:
    with store.client(*EDITOR) as editor, store.client() as reader:
        first = published(editor)
        place, staff_place = now_at(reader), now_at(editor, "&view=staff")
        for _ in range(3):
            with another(store):
                pass
        article = published(editor)
        trash(editor, first)
        for client, since in ((reader, place), (editor, staff_place)):
            assert {entry["id"] for entry in follow(client, since)[0]} == {first["id"], article["id"]}
        with another(store) as second, second.client() as other:
            assert {entry["id"] for entry in follow(other, place)[0]} == {first["id"], article["id"]}


def test_a_standby_that_lacked_commits_begins_an_epoch_with_its_first_change(store: Store) -> None:
    """The running service finds another timeline, or numbers that are gone, in the transaction of
    a change.
    """
    with store.client(*EDITOR) as editor, store.client() as reader:
        published(editor)
        kept = now_at(reader)
        with store.database.reading() as session:
            last = session.execute(text("SELECT seq FROM published_sequence")).scalar_one()
        lost = [published(editor) for _ in range(2)]
        gone = now_at(reader)
        with store.database.engine.begin() as connection:
            for article in lost:
                connection.execute(
                    text("DELETE FROM published WHERE slug = :slug"), {"slug": article["slug"]}
                )
            number = "rowid" if store.settings.is_sqlite else "key"
            connection.execute(text(f"DELETE FROM published_text WHERE {number} > :last"), {"last": last})
            connection.execute(text("DELETE FROM working_change WHERE seq > :last"), {"last": last})
            connection.execute(text("UPDATE published_sequence SET seq = :last"), {"last": last})
            if not store.settings.is_sqlite:
                connection.execute(text("UPDATE published_sequence SET timeline = '00000099'"))
        others = [published(editor)["id"] for _ in range(6)]
        problem(reader.get(gone), 410, "start-again")
        assert {entry["id"] for entry in follow(reader, kept)[0]} == set(others)
        with store.database.reading() as session:
            began = session.execute(text("SELECT count(*) FROM published_epoch")).scalar_one()
        assert began == 2  # One with the process, one with the loss.
