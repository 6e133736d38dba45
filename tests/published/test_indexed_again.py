"""Texts that an older version has cut into words are cut anew while the store serves."""

import httpx
import pytest
from sqlalchemy import text

from service.articles.indexing import Indexing
from service.database import Database
from service.published import rendering
from service.published.backlog import Backlog
from service.rooms import open_database
from service.settings import Settings
from tests.articles.newsroom import draft, edit, ids, published, trash
from tests.serving import EDITOR, running
from tests.sync.following import now_at, page

HINDI = "चुनाव आयोग"
WITHOUT_MARKS = "चन व आय ग"
OLD_TEXT = {
    "sqlite": "UPDATE {table} SET rowid = :key, headline = :words, body = :words WHERE id = :id",
    "postgresql": "UPDATE {table} SET key = :key, words = to_tsvector('simple', :words) WHERE id = CAST(:id AS uuid)",
}


def make_index_older(database: Database) -> None:
    """Index all articles as the version before did: without marks, readers' texts under their numbers."""
    statement = OLD_TEXT["sqlite" if database.is_sqlite else "postgresql"]
    with database.writing() as session:
        for table, keys in (
            ("published_text", "SELECT id, seq FROM published WHERE kind = 'article'"),
            ("article_text", "SELECT id, text_key FROM article"),
        ):
            for id_, key in session.execute(text(keys)).all():
                values = {"key": key, "id": id_, "words": WITHOUT_MARKS}
                session.execute(text(statement.format(table=table)), values)
        for older in (
            "UPDATE published SET text_key = NULL",
            "UPDATE published_rendering SET words = 0",
            "DELETE FROM article_indexing",
        ):
            session.execute(text(older))


def index_all(database: Database) -> None:
    """Do what the jobs of the service do until nothing is left."""
    rendering.begin(database)
    backlog, indexing = Backlog(database), Indexing(database)
    while works := backlog.next_of_older_rendering():
        for work in works:
            backlog.finish(work)
    indexing.begin()
    while waiting := indexing.waiting():
        indexing.finish(waiting)


def found(client: httpx.Client, q: str, view: str) -> set[str]:
    return set(ids(client.get("/v1/articles", params={"q": q, "limit": 100, "view": view})))


@pytest.mark.slow
def test_texts_that_an_older_version_has_cut_are_cut_anew(settings: Settings) -> None:
    with running(settings) as store, store.client(*EDITOR) as editor:
        shown = {published(editor, headline=HINDI)["id"] for _ in range(25)}
        drafts = {draft(editor, headline=HINDI)["id"]}
        edited, gone = published(editor, headline=HINDI), published(editor, headline=HINDI)
    database = open_database(settings)
    make_index_older(database)
    with running(settings) as store, store.client(*EDITOR) as editor, store.client() as reader:
        edit(editor, edited, headline="मौसम")
        trash(editor, gone)
        place = now_at(reader)
        index_all(database)
        assert page(reader, place)["items"] == []
        for client, view, expected in ((reader, "public", shown), (editor, "staff", shown | drafts)):
            assert found(client, "चुनाव", view) == found(client, "आयोग", view) == expected
            assert found(client, "मौसम", view) == {edited["id"]}
            assert found(client, "चन", view) == found(client, "चीन", view) == set()
    database.close()
