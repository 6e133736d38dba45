"""A list reads no more of a large store than of a small one: no statement reads 2,500 rows.

SQLite counts the steps of its virtual machine, of which a row takes some forty, and eighty where it is looked
up, compared and sorted. PostgreSQL's auto_explain writes down how many rows each part of a plan has found and
thrown away.
"""

import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import psycopg
import pytest

from tests import lean, postgres, shapes
from tests.articles.newsroom import published
from tests.databases import migrate
from tests.effort import LONG
from tests.images.pictures import make_image
from tests.serving import EDITOR, running, settings_for
from tests.shapes import Shape

ARTICLES = 200_000 if LONG else 60_000
MOST = 2_500
"""Rows that a statement may read, of a list or for a count."""
STEPS = 80
EVERY = 200
"""Steps after which SQLite says how far it is."""
WHOLE = re.compile(
    r"published_awaiting\.|working_change|FROM pg_|alembic_version|published_rendering"
    r"|^SELECT count\(\*\) AS count_1, min\(anon_1\.at\) AS min_1 "
    r"|^SELECT anon_1\.at \nFROM \(SELECT published\.changed_at AS at"
    r"|^SELECT count\(\*\) AS count_1 \nFROM published(_term)? \nWHERE published(_term)?\.(kind|field) = [^\n]+$"
    r"|^SELECT published\.published_at, published\.id \nFROM published \n[\s\S]+OFFSET [^\n]+$"
)
"""Statements of jobs beside the requests (which look for what followers lack too), of tables that do not grow,
and the walk from one file of sitemaps to the next: of sections with more than 50,000 articles, and once for each
file. A file itself reads what it lists.
"""
CONTRACTS = (
    {"languages": ["en"], "early_hours": 2},
    {"languages": ["en", "zh"], "tags": ["ferries"], "early_hours": 2},
    {"sections": ["City"], "early_hours": 2},
    {"sections": ["news"], "languages": ["se"], "early_hours": 2},
    {"sections": ["news", "sport"], "early_hours": 2},
    {"kinds": ["image"], "sources": ["wire"]},
    {"pictures": "own", "early_hours": 2},
)
NAMES: list[Shape] = [
    (f"/v1/{kind}", parameters)
    for kind in ("sections", "tags", "authors")
    for parameters in ((), (("count", "true"), ("limit", "200")))
]
LISTS: list[Shape] = [
    ("/v1/articles", ()),
    ("/v1/articles", (("count", "true"),)),
    ("/v1/articles", (("language", "en"),)),
    ("/v1/articles", (("section", "culture"), ("count", "true"))),
    ("/v1/articles", (("sort", "-updated_at"),)),
    ("/v1/images", (("count", "true"),)),
    ("/v1/captions", (("count", "true"),)),
    ("/v1/articles", (("sort", "published_at"),)),
]
SEARCHES: list[Shape] = [
    ("/v1/articles", (("q", words), *also))
    for words in ("common", "middling", "rare", "never", "half tenth")
    for also in ((), (("sort", "-published_at"),), (("section", "news"), ("count", "true")))
]
"""Searches of those whose contract gives a part of the store."""
JOINED = re.compile(r"^WITH (hits|few|newest) AS MATERIALIZED")
"""Some thousand hits, or rows of one condition, that are looked up by the others: PostgreSQL may read all of a
table instead, as long as that is less work for it.
"""


class Reading:
    """The statements of a store's requests, each with the most that it has read, and for what."""

    def __init__(self) -> None:
        self.asked: Shape | None = None
        self.found: dict[str, tuple[float, Shape | None]] = {}

    def note(self, statement: str, rows: float) -> None:
        """Take down that a statement has read so many rows."""
        if not WHOLE.search(statement) and rows > self.found.get(statement, (0, None))[0]:
            self.found[statement] = (rows, self.asked)

    def faults(self) -> list[str]:
        """Return the statements that have read too much."""
        return [
            f"{rows:,.0f} rows, for {shape}:\n{statement[:3000]}"
            for statement, (rows, shape) in self.found.items()
            if rows > MOST
        ]


def of_partners(contract: Mapping[str, Any]) -> Iterator[Shape]:
    """Ask for all that a partner may ask for under a contract."""
    yield from [*NAMES, *LISTS, *SEARCHES]
    yield from shapes.of_others(ARTICLES)
    if "early_hours" in contract:
        yield "/v1/embargoed-articles", ()


def ask(client: httpx.Client, reading: Reading, asked: Iterable[Shape]) -> None:
    """Ask for lists."""
    for shape in asked:
        reading.asked = shape
        path, parameters = shape
        answer = client.get(path, params=parameters)
        # A contract may not give the article to which others are asked for.
        assert answer.is_success or (answer.status_code == 404 and "related_to" in dict(parameters)), shape


@pytest.mark.timeout(900)
def test_no_list_reads_many_rows_on_sqlite(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reading = tmp_path / "lean.db", Reading()
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    fill(url, tmp_path)
    with counting_steps(monkeypatch, reading), running(settings_for(url, tmp_path)) as store:
        ask(store.client(), reading, shapes.of_articles(ARTICLES, thorough=LONG))
        ask(store.client(), reading, shapes.of_others(ARTICLES))
        ask(store.client("content:read", name="desk"), reading, shapes.of_editors(ARTICLES))
        for contract in CONTRACTS:
            with store.client(contract=contract) as partner:
                ask(partner, reading, of_partners(contract))
    assert len(reading.found) > 50
    assert not reading.faults(), "\n\n".join(reading.faults())


@pytest.mark.timeout(900)
def test_no_list_reads_many_rows_on_postgresql(tmp_path: Path) -> None:
    with postgres.own_server() as server:
        url, reading = server.create_database("lean"), Reading()
        migrate(url)
        fill(url, tmp_path)
        explain(url)
        with (
            standing_in_the_middle(url),
            running(settings_for(url, tmp_path)) as store,
            (server.folder / "log").open() as log,
        ):
            for shape in chain(shapes.of_articles(ARTICLES, thorough=False), shapes.of_others(ARTICLES)):
                ask(store.client(), reading, [shape])
                read_plans(log.read(), reading)
            for contract in CONTRACTS:
                with store.client(contract=contract) as partner:
                    for shape in of_partners(contract):
                        ask(partner, reading, [shape])
                        read_plans(log.read(), reading)
    reading.found = {each: found for each, found in reading.found.items() if not JOINED.search(each)}
    assert len(reading.found) > 20
    assert not reading.faults(), "\n\n".join(reading.faults())


def fill(url: str, folder: Path) -> None:
    """Write one article as an editor does, and multiply it."""
    with running(settings_for(url, folder)) as store, store.client(*EDITOR, name="editor") as editor:
        picture = make_image(editor)
        caption = {"image_id": picture["id"], "language": "en", "text": "The quay."}
        assert editor.post("/v1/captions", json=caption).is_success
        article = published(editor, lead_image_id=picture["id"], tags=["ferries"])
    lean.fill(url, UUID(article["id"]), ARTICLES)


@contextmanager
def counting_steps(monkeypatch: pytest.MonkeyPatch, reading: Reading) -> Iterator[None]:
    """Have SQLite say with each statement how many steps it has taken."""
    connect = sqlite3.connect

    def listening(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection, steps, now = connect(*args, **kwargs), Counter[str](), [""]

        def begin(statement: str) -> None:
            # What full text does within a statement is a part of it.
            if not statement.startswith("--"):
                now[0] = statement
                steps[statement] = 0
                reading.note(statement, 1)

        def step() -> int:
            steps[now[0]] += EVERY
            reading.note(now[0], steps[now[0]] / STEPS)
            return 0

        connection.set_trace_callback(begin)
        connection.set_progress_handler(step, EVERY)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", listening)
        patched.setattr(sqlite3.dbapi2, "connect", listening)
        yield


def explain(url: str) -> None:
    """Have PostgreSQL write down what each statement reads."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER DATABASE lean SET session_preload_libraries = 'auto_explain'")
        for name, value in (("min_duration", "0"), ("analyze", "on"), ("timing", "off"), ("format", "json")):
            connection.execute(f"ALTER DATABASE lean SET auto_explain.log_{name} = '{value}'")


@contextmanager
def standing_in_the_middle(url: str) -> Iterator[None]:
    """Have somebody else scan half of the table: PostgreSQL would begin other scans where that one stands."""
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off")
        connection.execute("DECLARE scan CURSOR FOR SELECT etag FROM published")
        connection.execute(f"MOVE {ARTICLES * 3 // 4} IN scan")
        yield


def read_plans(log: str, reading: Reading) -> None:
    """Take down what the plans in a log have read."""
    for found in re.finditer(r"plan:\n(\t\{\n(?:\t.*\n)+)", log):
        said = orjson.loads(found[1])
        reading.note(said["Query Text"], rows_of(said["Plan"]))


def rows_of(plan: dict[str, Any]) -> float:
    """Return how many rows the parts of a plan have read from tables and indexes."""
    within = sum(map(rows_of, plan.get("Plans", ())))
    if "Scan" not in plan["Node Type"] or plan["Node Type"] in {"CTE Scan", "Subquery Scan"}:
        return within
    if plan["Node Type"] == "Bitmap Heap Scan":
        within = 0  # Its index has found the same rows.
    removed = sum(plan.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return within + (plan["Actual Rows"] + removed) * plan["Actual Loops"]
