"""The databases under measurement: filled once, kept in var/bench, and copied for each run, which may write
into its copies.
"""

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from rich.progress import Progress

from tests import postgres
from tests.bench import readers, seed
from tests.bench.cores import Unfit
from tests.bench.served import ROOT

KEPT = ROOT / "var" / "bench"


@dataclass(frozen=True, slots=True)
class Content:
    """What fills a store: a module that writes it into the database that it is told, and prints how much it
    has written.
    """

    name: str
    module: str
    version: int
    amount: int

    def kept(self, suffix: str) -> Path:
        """Where a filled database is kept: named after the migrations, and after what is written
        into them.
        """
        written = b"".join(path.read_bytes() for path in sorted((ROOT / "alembic" / "versions").glob("*.py")))
        return KEPT / f"{hashlib.sha256(written).hexdigest()[:12]}-{self.name}-{self.version}.{suffix}"


ARTICLES = Content("articles", "tests.bench.seed", seed.VERSION, seed.ARTICLES)
READERS = Content("readers", "tests.bench.readers", readers.VERSION, readers.READERS)


class Stores:
    """Where the filled databases of this run are; `postgres` is None when it is not to be measured."""

    def __init__(self, folder: Path, content: Content, postgres_url: str | None) -> None:
        self.folder = folder
        self.content = content
        self.postgres = postgres_url

    def sqlite(self, name: str) -> str:
        """The address of another copy of the filled SQLite store: SQLite is served by one process."""
        path = self.folder / f"{name}.db"
        shutil.copyfile(self.content.kept("db"), path)
        return f"sqlite:///{path}"

    def slugs(self) -> list[str]:
        """The slug of every article, in an order that follows neither their ages nor the alphabet; the same
        in both databases.
        """
        with closing(sqlite3.connect(self.content.kept("db"))) as connection:
            slugs = [
                slug
                for (slug,) in connection.execute(
                    "SELECT slug FROM published WHERE kind = 'article' ORDER BY slug"
                )
            ]
        random.Random(0).shuffle(slugs)
        return slugs


@contextmanager
def filled(
    folder: Path, progress: Progress, content: Content, *, with_postgres: bool, fresh: bool
) -> Iterator[Stores]:
    """Filled stores for one run; the PostgreSQL server lives as long as this process."""
    current = {one.kept(suffix) for one in (ARTICLES, READERS) for suffix in ("db", "dump")}
    for path in KEPT.glob("*.*"):
        if path not in current or (fresh and path.stem == content.kept("db").stem):
            path.unlink()
    url = postgres.server().create_database(f"bench_{content.name}") if with_postgres else None
    _fill(content, _missing(content, url), progress)
    if url is not None:
        _take_up(content, url)
    yield Stores(folder, content, url)


def _missing(content: Content, postgres_url: str | None) -> list[str]:
    urls = [] if content.kept("db").exists() else [f"sqlite:///{content.kept('part')}"]
    return urls if postgres_url is None or content.kept("dump").exists() else [*urls, postgres_url]


def _fill(content: Content, urls: Sequence[str], progress: Progress) -> None:
    """Fill databases at the same time, each by a process of its own, and keep them."""
    with ThreadPoolExecutor() as beside:
        for done in [beside.submit(_fill_one, content, url, progress) for url in urls]:
            done.result()


def _fill_one(content: Content, url: str, progress: Progress) -> None:
    name = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    bar = progress.add_task(f"writing {content.amount:,} {content.name}, once: {name}", total=content.amount)
    process = subprocess.Popen(
        [sys.executable, "-m", content.module, url],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    for line in process.stdout:
        progress.advance(bar, int(line))
    said = process.communicate()[1]
    if process.returncode:
        raise Unfit(f"{name} could not be filled:\n{said[-3000:]}")
    progress.remove_task(bar)
    if name == "SQLite":
        content.kept("part").rename(content.kept("db"))
    else:
        _run("pg_dump", "--format=custom", "--compress=1", f"--file={content.kept('part.dump')}", url)
        content.kept("part.dump").rename(content.kept("dump"))


def _take_up(content: Content, url: str) -> None:
    """Bring the kept content into an empty database, and make it durable."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('published')").fetchone() == (None,):
            _run("pg_restore", "--no-owner", f"--dbname={url}", str(content.kept("dump")))
        connection.execute("ANALYZE")
    make_durable(url)


def make_durable(url: str) -> None:
    """Have the server of the tests write as one does that must lose nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = on")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_reload_conf()")


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [postgres._programs() / program, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unfit(f"{program} failed: {done.stderr[-3000:]}")
