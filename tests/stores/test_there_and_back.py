"""Every step of the chain goes down with data too: all that the older schema can hold stays, and a step that
would lose data refuses until it is told to.
"""

import inspect
import re
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy import inspect as inspected

from service.losing import WouldLose, refuse_to_lose
from service.rooms import open_database
from service.schema import migrations
from service.settings import Settings
from tests import postgres
from tests.serving import EDITOR, running, settings_for
from tests.stores import keeping
from tests.stores.opening import Opened, opened

LOST = {
    "0063": "when 1 articles under embargo were to be published",
    "0059": "resources were",
    "0046": "the contracts of 1 tokens",
    "0040": "what 1 webhooks warn of",
    "0029": "until when 1 articles may be shown",
    "0028": "the rights of 1 images",
    "0026": "who was sent which picture: 1 versions",
    "0025": "the 1 withdrawals of images",
    "0024": "that 1 images are withdrawn",
    "0017": "that 1 tokens are bound to a source",
    "0014": "the marks of 1 repeated decisions",
    "0013": "that 1 captions call their picture decorative",
    "0009": "the external ids of 1 images",
    "0007": "the record of who was sent what",
    "0006": "3 webhooks",
    "0005": "the reasons of 1 notices not to ask readers again",
    "0004": "the consent log of",
    "0003": "the former sections and languages of",
    "0002": "the dominant colours of",
}
"""What the newest kept store has that the schema below a revision cannot hold."""
NOTHING_LOST = {
    "0066": "which rights of pictures their files said, which is guessed again",
    "0065": "the hashes of spans with what has gone, which are made again when somebody asks",
    "0064": "the hashes of spans, which are made again when somebody asks",
    "0062": "an index less: the older one is built again",
    "0061": "an index",
    "0060": "which holders know that their contracts have ended: they are taken for holders again",
    "0058": "an index",
    "0054": "an index",
    "0053": "an index",
    "0052": "an index",
    "0051": "an index",
    "0049": "which store it mirrors: a mirror is filled anew",
    "0045": "counts by language, source and kind, which are counted again",
    "0044": "an index",
    "0043": "an index",
    "0042": "which followers it was told of that they stand still: it is told again",
    "0041": "which pictures it was warned of: it is warned again",
    "0039": "how far caches are purged: a newer version begins by purging everything",
    "0038": "which lists articles have moved in, after which caches drop everything once",
    "0037": "an index",
    "0036": "an index",
    "0035": "an index",
    "0034": "an index",
    "0033": "an index",
    "0032": "how far the clock had come, which matters once it is set back",
    "0031": "from when on pictures are not shown in articles that await their rendering: at once then",
    "0030": "until when rows are good, which is rendered again",
    "0027": "counts of sections, tags and authors, which are counted again",
    "0023": "addresses of previews, which end within a month",
    "0022": "how far the words of articles are indexed anew, which begins again",
    "0021": "the keys of texts, which go back to those of the version before",
    "0020": "the marks of epochs, without which cursors are refused more often",
    "0019": "cards and negatives, which are made again from the documents",
    "0018": "the mark of kept answers that are sealed: they cannot be replayed any more, and lapse in a day",
    "0016": "an index",
    "0012": "the claims of requests that have ended",
    "0011": "a queue that the log fills again",
    "0010": "indexes",
}
"""The steps that lose nothing, and what they drop."""
MADE_AGAIN = {"working_change", "published_sequence", "alembic_version"}
"""Tables that a step writes anew."""
KEPT_BY_FTS5 = re.compile(r"_text_(data|idx|content|docsize|config)$")
"""Tables in which SQLite keeps its index of words, in as many rows as it likes."""


@pytest.mark.parametrize("database", keeping.DATABASES)
def test_each_step_down_refuses_to_lose_data_and_keeps_the_rest(database: str, tmp_path: Path) -> None:
    newest = keeping.names()[-1]
    with opened(newest, database, tmp_path) as store:
        store.migrate()
        _use_what_is_new(store)
        chain = _chain(store.settings)
        shapes = _shapes_of_a_new_store(database, tmp_path, chain)
        refused = {}
        for above, below in pairwise(chain):
            before = _counts(store)
            done = store.copydesk("migrate", "--to", below)
            if isinstance(done.exception, WouldLose):
                refused[above] = " ".join(str(done.exception).split())
                assert _counts(store) == before
                store.migrate("--to", below, "--lose-data")
            assert _shape(store.settings) == shapes[below], below
            after = _counts(store)
            assert {name: before[name] for name in after} == after, below
        assert refused.keys() == LOST.keys()
        assert {above: refused[above] for above, said in LOST.items() if said not in refused[above]} == {}
        store.migrate()
        command.check(migrations(store.settings))


def _use_what_is_new(store: Opened) -> None:
    """Put into the store what the version that made it did not know."""
    twice = {"notice_key": "default", "notice_version": 1, "consent_id": "twice"}
    with running(store.settings) as served, served.client(*EDITOR) as editor:
        served.token("content:write", source="wire.example")
        served.token(contract={"sections": ["Sport"]})
        image = editor.get("/v1/images?limit=1").json()["items"][0]["id"]
        decorates = {"image_id": image, "language": "nl", "decorative": True}
        assert editor.post("/v1/captions", json=decorates).status_code == 201
        hook = {"url": "https://desk.example/hook", "kinds": [], "notices": ["image.expiring"]}
        with served.client("admin") as admin:
            assert admin.post("/v1/webhooks", json=hook).status_code == 201
        rights = {"usable_until": "2099-01-01T00:00:00Z"}
        assert editor.post("/v1/images", json=rights).status_code == 201
        assert editor.post("/v1/articles", json=rights | {"headline": "Ends"}).status_code == 201
        held = {"headline": "Held", "embargoed_until": "2099-01-01T00:00:00Z"}
        held_id = editor.post("/v1/articles", json=held).json()["id"]
        at = {"at": "2098-01-01T00:00:00Z"}
        assert editor.post(f"/v1/articles/{held_id}/publish", json=at).status_code == 200
        leaves = {"headline": "Leaves", "status": "published"}
        left = editor.post("/v1/articles", json=leaves).json()["id"]
        assert editor.post(f"/v1/articles/{left}/unpublish").status_code == 200
        wrong = editor.post("/v1/images", json={"credit_line": "Nobody"}).json()["id"]
        assert editor.post(f"/v1/images/{wrong}/withdraw", json={"reason": "Altered."}).status_code == 200
        assert editor.get("/v1/changes?kind=image&limit=1").json()["items"] != []
        for action in ("accept_all", "reject_all"):
            with served.client() as reader:
                assert reader.post("/v1/consents", json=twice | {"action": action}).status_code == 201


def test_every_step_down_asks_whether_it_would_lose_data(tmp_path: Path) -> None:
    scripts = ScriptDirectory.from_config(migrations(settings_for("sqlite:///unused", tmp_path)))
    silent = [
        script.revision
        for script in scripts.walk_revisions()
        if refuse_to_lose.__name__ not in inspect.getsource(script.module.downgrade)
    ]
    assert silent == list(NOTHING_LOST)


def test_wrong_words_change_nothing(tmp_path: Path) -> None:
    with opened(keeping.names()[0], "sqlite", tmp_path) as store:
        before = _counts(store)
        assert isinstance(store.copydesk("migrate", "--to", "9999").exception, CommandError)
        assert store.copydesk("migrate", "--lose-data").exit_code == 2
        assert _counts(store) == before


def _chain(settings: Settings) -> list[str]:
    """Return all revisions, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(migrations(settings)).walk_revisions()]


def _counts(store: Opened) -> dict[str, int]:
    """Return how many rows each table has, without those that a step writes anew."""
    database = open_database(store.settings)
    with database.engine.connect() as connection:
        names = set(inspected(connection).get_table_names()) - MADE_AGAIN
        names = {name for name in names if not KEPT_BY_FTS5.search(name)}
        found = {
            name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names
        }
    database.close()
    return found


def _shapes_of_a_new_store(database: str, folder: Path, chain: list[str]) -> dict[str, set[str]]:
    """Return the shape that the chain gives to an empty database, by revision."""
    if database == "sqlite":
        return _climb(f"sqlite:///{folder / 'new.db'}", folder, chain)
    server, name = postgres.server(), f"new_{uuid4().hex}"
    shapes = _climb(server.create_database(name), folder, chain)
    server.drop_database(name)
    return shapes


def _climb(url: str, folder: Path, chain: list[str]) -> dict[str, set[str]]:
    settings, shapes = settings_for(url, folder), {}
    for revision in reversed(chain):
        command.upgrade(migrations(settings), revision)
        shapes[revision] = _shape(settings)
    return shapes


def _shape(settings: Settings) -> set[str]:
    """Return a line for each column, index, constraint and trigger."""
    database = open_database(settings)
    with database.engine.connect() as connection:
        lines = _of_sqlite(connection) if settings.is_sqlite else _of_postgresql(connection)
    database.close()
    return lines


def _of_sqlite(connection: Connection) -> set[str]:
    made = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE '%_text_%'"
    )
    lines = set()
    for type_, name, table, sql in made:
        if type_ == "table":
            columns = connection.exec_driver_sql(f"PRAGMA table_info({name})")
            lines |= {f"{name}.{column}" for _, *column in columns}
            lines |= {f"{name} {sorted(map(str, key[2:]))}" for key in _keys(connection, name)}
        else:
            # A trigger names the columns in the order that the table has them, which may change.
            lines.add(f"{type_} {table} {name} {sorted(sql.split())}")
    return lines


def _keys(connection: Connection, table: str) -> list[tuple[object, ...]]:
    return [tuple(key) for key in connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})")]


def _of_postgresql(connection: Connection) -> set[str]:
    questions = (
        "SELECT table_name || column_name || data_type || is_nullable || coalesce(column_default, '')"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    # A dump writes the casts of a check otherwise than the statement that made it.
    return {
        re.sub(r"::[a-z ]+(\[\])?|[()]", "", line)
        for question in questions
        for (line,) in connection.exec_driver_sql(question)
    }
