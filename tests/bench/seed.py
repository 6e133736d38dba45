"""A store of 10,000 published articles with two captioned pictures each, written by the service's own rooms.

`python -m tests.bench.seed DATABASE_URL` fills an empty database and prints a line for each batch: it is a
process of its own, so that two databases can be filled at the same time.
"""

import sys

import anyio
from alembic import command

from service.articles import lifecycle
from service.articles.indexing import Indexing
from service.consent.notices.defaults import ensure_defaults
from service.database import Database, Session
from service.http.callers import Caller
from service.published.counting import LOOKS_EVERY, Counting
from service.rooms import open_database
from service.schema import migrations
from service.scopes import Scope
from service.settings import Settings
from service.tables import new_id
from tests.bench import news

VERSION = 2
"""Raise it when news.py or this file writes something else: kept stores are then written anew."""
ARTICLES = 10_000
AT_ONCE = 250
WRITER = Caller(new_id(), "bench", frozenset({Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH}))


def fill(settings: Settings) -> None:
    """Migrate an empty database and write the articles, through the lifecycle and the rendering that requests
    go through.
    """
    command.upgrade(migrations(settings), "head")
    database = open_database(settings)
    with database.writing() as session:
        ensure_defaults(session)
    _begin(database)
    for first in range(0, ARTICLES, AT_ONCE):
        with database.writing() as session:
            _write(session, range(first, first + AT_ONCE))
        sys.stdout.write(f"{AT_ONCE}\n")
        sys.stdout.flush()
    database.close()


def _begin(database: Database) -> None:
    """Do what jobs do once in a store, while it is empty. Otherwise each bench would measure them, because they
    would begin anew in each copy.
    """
    indexing, counting = Indexing(database), Counting(database)
    indexing.begin()
    while waiting := indexing.waiting():
        indexing.finish(waiting)
    while anyio.run(counting.step) < LOOKS_EVERY:
        pass


def _write(session: Session, numbers: range) -> None:
    drawn = {number: news.pictures(number) for number in numbers}
    for kind in (0, 1):
        # Images before the captions that refer to them, which no relationship tells the session.
        session.add_all(pair[kind] for pictures in drawn.values() for pair in pictures)
        session.flush()
    for number, pictures in drawn.items():
        lifecycle.create(session, WRITER, news.article(number, [image.id for image, _ in pictures]))


if __name__ == "__main__":
    fill(
        Settings(
            _env_file=None,
            database_url=sys.argv[1],
            secret_key="a secret of the benchmark, which guards nothing",
        )
    )
