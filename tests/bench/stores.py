"""The databases under measurement: filled once, kept in var/bench, and copied for each run, which may write into its copies."""

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from rich.progress import Progress

from tests import postgres
from tests.bench import seed
from tests.bench.cores import Unfit
from tests.bench.served import ROOT

KEPT = ROOT / "var" / "bench"


class Stores:
    """Where the filled databases of this run are; `postgres` is None when it is not to be measured."""

    def __init__(self, folder: Path, postgres_url: str | None) -> None:
        self.folder = folder
        self.postgres = postgres_url

    def sqlite(self, name: str) -> str:
        """The address of another copy of the filled SQLite store: SQLite is served by one process."""
        path = self.folder / f"{name}.db"
        shutil.copyfile(_kept("db"), path)
        return f"sqlite:///{path}"

    def slugs(self) -> list[str]:
        """The slug of every article, in an order that follows neither their ages nor the alphabet; the same in both databases."""
        with closing(sqlite3.connect(_kept("db"))) as connection:
            slugs = [slug for (slug,) in connection.execute("SELECT slug FROM published WHERE kind = 'article' ORDER BY slug")]
        random.Random(0).shuffle(slugs)
        return slugs


@contextmanager
def filled(folder: Path, progress: Progress, *, with_postgres: bool, fresh: bool) -> Iterator[Stores]:
    """Filled stores for one run; the PostgreSQL server lives as long as this process."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in KEPT.glob("*.*"):
        if fresh or not path.name.startswith(_key()) or path.suffix not in (".db", ".dump"):
            path.unlink()
    url = postgres.server().create_database("bench") if with_postgres else None
    _fill(_missing(url), progress)
    if url is not None:
        _take_up(url)
    yield Stores(folder, url)


def _key() -> str:
    """What kept stores are named after: the migrations, and what is written into them."""
    written = b"".join(path.read_bytes() for path in sorted((ROOT / "alembic" / "versions").glob("*.py")))
    return f"{hashlib.sha256(written).hexdigest()[:12]}-{seed.VERSION}"


def _kept(suffix: str) -> Path:
    return KEPT / f"{_key()}.{suffix}"


def _missing(postgres_url: str | None) -> list[str]:
    urls = [] if _kept("db").exists() else [f"sqlite:///{_kept('part')}"]
    return urls if postgres_url is None or _kept("dump").exists() else [*urls, postgres_url]


def _fill(urls: Sequence[str], progress: Progress) -> None:
    """Fill databases at the same time, each by a process of its own, and keep them."""
    with ThreadPoolExecutor() as beside:
        for done in [beside.submit(_fill_one, url, progress) for url in urls]:
            done.result()


def _fill_one(url: str, progress: Progress) -> None:
    name = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    bar = progress.add_task(f"writing {seed.ARTICLES:,} articles, once: {name}", total=seed.ARTICLES)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.seed", url], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    for line in process.stdout:
        progress.advance(bar, int(line))
    said = process.communicate()[1]
    if process.returncode:
        raise Unfit(f"{name} could not be filled:\n{said[-3000:]}")
    progress.remove_task(bar)
    if name == "SQLite":
        _kept("part").rename(_kept("db"))
    else:
        _run("pg_dump", "--format=custom", "--compress=1", f"--file={_kept('part.dump')}", url)
        _kept("part.dump").rename(_kept("dump"))


def _take_up(url: str) -> None:
    """Bring the kept content into an empty database; then let the server write as one does that must lose nothing."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('published')").fetchone() == (None,):
            _run("pg_restore", "--no-owner", f"--dbname={url}", str(_kept("dump")))
        connection.execute("ANALYZE")
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = on")
        connection.execute("CHECKPOINT")
        connection.execute("SELECT pg_reload_conf()")


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([postgres._programs() / program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"{program} failed: {done.stderr[-3000:]}")
