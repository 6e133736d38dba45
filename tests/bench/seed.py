"""A store of 10,000 published articles with two captioned pictures each, written once by the service's own rooms and then kept.

The kept store is named after the migrations and `SEED`: change either and it is written anew. A run works on a copy.
"""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from alembic import command
from sqlmodel import col, select

from service.articles import lifecycle
from service.articles.models import Article
from service.auth import Caller, Scope
from service.consent.defaults import ensure_defaults
from service.database import Database, Session, migrations
from service.settings import Settings
from tests.bench import news

SEED = 1
ARTICLES = 10_000
AT_ONCE = 250
WRITER = Caller(name="bench", scopes=frozenset({Scope.CONTENT_WRITE, Scope.CONTENT_PUBLISH}))
Tell = Callable[[int], None]


def key() -> str:
    """What the kept stores are named after."""
    written = b"".join(path.read_bytes() for path in sorted(Path("alembic/versions").glob("*.py")))
    return f"{hashlib.sha256(written).hexdigest()[:12]}-{SEED}"


def fill(settings: Settings, tell: Tell) -> None:
    """Migrate an empty database and write the articles, through the lifecycle and the rendering that requests go through."""
    command.upgrade(migrations(settings), "head")
    database = Database(settings)
    with database.writing() as session:
        ensure_defaults(session)
    for first in range(0, ARTICLES, AT_ONCE):
        with database.writing() as session:
            _write(session, range(first, first + AT_ONCE))
        tell(AT_ONCE)
    database.close()


def _write(session: Session, numbers: range) -> None:
    drawn = {number: news.pictures(number) for number in numbers}
    session.add_all(image for pictures in drawn.values() for image, _ in pictures)
    session.flush()
    session.add_all(caption for pictures in drawn.values() for _, caption in pictures)
    session.flush()
    for number, pictures in drawn.items():
        lifecycle.create(session, WRITER, news.article(number, [image.id for image, _ in pictures]))
