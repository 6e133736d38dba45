"""A pooler in transaction mode between the service and PostgreSQL changes no answer, and hides no change."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from configparser import ConfigParser
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from service.engines import postgres_engine
from service.schema import migrations
from service.settings import Settings
from tests.articles.newsroom import draft, edit, mark, published
from tests.cluster.pooling import FILE, IS_INSTALLED, Pooler, pooler
from tests.databases import empty_database, migrate
from tests.everywhere.test_metrics import samples
from tests.patience import wait_until
from tests.serving import EDITOR, Store, running, settings_for

WRITERS = 8


@pytest.fixture
def direct(tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """The address of an empty store, past the pooler."""
    with empty_database("postgresql", tmp_path, sqlite_template) as url:
        yield url


@pytest.fixture
def between(direct: str, tmp_path: Path) -> Iterator[Pooler]:
    """The pooler in front of that store."""
    if not IS_INSTALLED:
        pytest.skip("pgbouncer is not installed")
    with pooler(tmp_path, {name_of(direct): make_url(direct).port}) as made:
        yield made


@pytest.fixture
def settings(direct: str, between: Pooler, tmp_path: Path) -> Settings:
    """Settings of a service behind the pooler, which is told the way past it."""
    return settings_for(between.url(name_of(direct)), tmp_path, database_listen_url=direct)


def name_of(url: str) -> str:
    return str(make_url(url).database)


def test_writers_and_readers_share_connections_of_a_pooler(store: Store, settings: Settings) -> None:
    with running(settings) as other, other.client() as reader, ThreadPoolExecutor(WRITERS) as pool:
        made = list(pool.map(write, [store] * WRITERS))
        for article in made:
            address = f"/v1/articles/{article['id']}"
            wait_until(lambda address=address: reader.get(address).status_code == 200)
            wait_until(lambda address=address: reader.get(address).json()["headline"] == "Twice")
        listed = reader.get("/v1/articles", params={"section": "Pool", "sort": "-published_at"}).json()
        assert {one["id"] for one in listed["items"]} == {one["id"] for one in made}
        # More often than a driver waits before it prepares a statement by itself.
        assert [reader.get("/health/ready").json()["status"] for _ in range(12)] == ["ready"] * 12


def write(store: Store) -> dict[str, str]:
    """Publish an article under a key, and edit it, among drafts."""
    with store.client(*EDITOR) as editor:
        for _ in range(6):
            draft(editor, external_id=mark(), source="pool")
        article = published(editor, section="Pool")
        return edit(editor, article, headline="Twice")


@pytest.mark.parametrize("only_reads", [False, True])
def test_each_transaction_has_the_limits_that_a_connection_has_elsewhere(
    store: Store, settings: Settings, *, only_reads: bool
) -> None:
    engine = postgres_engine(settings, serves=True)
    options = {"isolation_level": "AUTOCOMMIT", "copydesk_read_only": True} if only_reads else {}
    with engine.connect().execution_options(**options) as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in (
                "lock_timeout",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "enable_seqscan",
                "timezone",
            )
        ]
    assert shown == ["5s", "20s", "20s", "off", "UTC"]
    engine.dispose()
    with psycopg.connect(settings.database_url, autocommit=True) as other:
        assert other.execute("SHOW enable_seqscan").fetchone() == ("on",)


def test_a_statement_that_only_reads_and_fails_behind_a_pooler_spoils_no_other(
    store: Store, settings: Settings
) -> None:
    engine = postgres_engine(settings, serves=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with pytest.raises(ProgrammingError, match="nowhere"):
            connection.exec_driver_sql("SELECT 1 FROM nowhere")
        found = connection.exec_driver_sql("SELECT n FROM generate_series(1, 3) n WHERE n > %s", (1,))
        assert found.scalars().all() == [2, 3]
    engine.dispose()


def test_a_change_of_another_process_is_heard_past_the_pooler(store: Store, settings: Settings) -> None:
    with store.client() as reader:
        wait_until(lambda: reader.get("/health/ready").json()["changes"] == "ok")
        assert samples(reader)["copydesk_database_polling", ()] == 0


def test_where_no_notice_comes_back_changes_are_asked_for_and_that_is_said(
    direct: str, between: Pooler, tmp_path: Path
) -> None:
    through = between.url(name_of(direct))
    deaf = settings_for(through, tmp_path, database_listen_url=through)
    with (
        running(deaf) as store,
        running(settings_for(direct, tmp_path)) as other,
        store.client() as reader,
        other.client(*EDITOR) as editor,
    ):
        wait_until(lambda: reader.get("/health/ready").json()["changes"].startswith("polled"))
        assert reader.get("/health/ready").status_code == 200
        assert samples(reader)["copydesk_database_polling", ()] == 1
        article = published(editor)
        wait_until(lambda: reader.get(f"/v1/articles/{article['id']}").status_code == 200)


def test_a_migration_goes_past_the_pooler(direct: str, between: Pooler, tmp_path: Path) -> None:
    settings = settings_for(between.url(name_of(direct)), tmp_path, database_listen_url=direct)
    command.downgrade(migrations(settings), "-1")
    command.upgrade(migrations(settings), "head")
    migrate(direct)


def test_eight_machines_with_eight_workers_stay_below_two_hundred_connections() -> None:
    machines = workers = 8
    said = ConfigParser(inline_comment_prefixes=(";",))
    said.read_string(FILE.read_text())
    pool = {name: int(value) for name, value in said["pgbouncer"].items() if value.isdigit()}
    listeners = 1
    assert machines * (pool["default_pool_size"] + workers * listeners) < 200
    assert Settings(_env_file=None).most_connections == 22
    assert workers * (Settings(_env_file=None).most_connections - listeners) <= pool["max_client_conn"]


def test_no_process_has_more_connections_than_its_settings_say(direct: str, tmp_path: Path) -> None:
    settings = settings_for(direct, tmp_path, database_pool_size=3)
    with running(settings) as store, store.client() as reader, ThreadPoolExecutor(WRITERS) as pool:
        for article in pool.map(write, [store] * WRITERS):
            list(pool.map(reader.get, [f"/v1/articles/{article['id']}?body=text"] * 4))
        reader.get("/health/ready")
        store.database.close()  # It has made the writers' tokens.
        counted = samples(reader)["copydesk_database_open", ()]
        assert 0 < counted <= settings.most_connections == 8
        wait_until(lambda: open_to(direct) <= counted)


def open_to(url: str) -> int:
    """Return how many connections of the service PostgreSQL has."""
    with psycopg.connect(url) as connection:
        (found,) = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND starts_with(application_name, 'copydesk')"
        ).fetchone()
    return found
