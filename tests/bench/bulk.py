"""Bulk: articles a second through `POST /v1/articles/bulk` as a ratio to the bare `executemany` of the rows
that they became.

The rows are read back from the store, out of all the tables that it wrote, and put by the database's own
driver into an empty store with the same schema and indexes, in one transaction. Both sides make what they
write durable.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from itertools import islice

import orjson
import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy.engine import make_url

from tests.bench import news
from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import Served
from tests.bench.wrk import BadAnswers

TABLES = (
    "article",
    "article_slug",
    "article_version",
    "article_term",
    "article_text",
    "published",
    "published_slug",
    "published_term",
    "published_text",
    "working_change",
)
"""What an article without pictures is written into, each table after those that it refers to."""
WARM_UP, ITEMS = 500, 3_000
SIZES = (10_000, 50_000, 100_000)
LOOKS_EVERY = 250
RATIO, FLAT = 0.15, 1.1
NOTES = (
    "bulk: articles of nine paragraphs; articles a second through the API over those of a bare executemany of the same rows, in all tables and"
    " full text, by the database's own driver in one transaction. CPU: the server's processes over this one, PostgreSQL's left out.",
    "bulk-memory: what the server has of its own (RssAnon, without the pages of SQLite's file that it has mapped) at its peak, over that at 10,000.",
)
Rows = dict[str, list[tuple[object, ...]]]


def ratios(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """How bulk compares with bare inserts, of drafts and of published articles."""
    rounds = max(bench.rounds - 2, 1)
    for published in (False, True):
        kind = "published" if published else "drafts"
        figures = {one.database: Figure(f"bulk, {kind}", one.database, "of bare", RATIO) for one in empties}
        bar = bench.progress.add_task(f"bulk, {kind}", total=rounds * len(empties))
        for _ in range(rounds):
            for one in empties:
                _round(bench, one, figures[one.database], published=published)
                bench.progress.advance(bar)
        yield from figures.values()


def _round(bench: Bench, empty: Empty, figure: Figure, *, published: bool) -> None:
    items = [_item(number, published=published) for number in range(WARM_UP + ITEMS)]
    with empty.served(bench) as (served, url, token):
        send(served, token, items[:WARM_UP])
        cpu, began = served.cpu(), time.perf_counter()
        send(served, token, items[WARM_UP:])
        seconds, cpu = (time.perf_counter() - began) / ITEMS, (served.cpu() - cpu) / ITEMS
        rows = _rows_of_sqlite(url) if url.startswith("sqlite") else _rows_of_postgres(url)
    assert len(rows["article"]) == len(items)
    into, cpu_before, began = empty.made(), time.process_time(), time.perf_counter()
    (_put_into_sqlite if into.startswith("sqlite") else _put_into_postgres)(into, rows)
    bare, bare_cpu = (
        (time.perf_counter() - began) / len(items),
        (time.process_time() - cpu_before) / len(items),
    )
    figure.note(
        bare / seconds,
        articles_a_s=1 / seconds,
        bare_a_s=1 / bare,
        CPU_µs=cpu * 1e6,
        ratio_of_CPU=bare_cpu / cpu,
    )


def memory(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """The most that the server takes while 10,000, 50,000 and 100,000 items come in one request each."""
    for one in empties:
        figure = Figure(
            "bulk, memory at 100,000 items", one.database, "of that at 10,000", FLAT, at_most=True
        )
        bar = bench.progress.add_task("bulk-memory", total=sum(SIZES))
        with one.served(bench) as (served, _, token):
            items = (_item(number, published=False) for number in range(WARM_UP + sum(SIZES)))
            send(served, token, islice(items, WARM_UP))
            peaks = {
                size: _peak(served, token, islice(items, size), partial(bench.progress.advance, bar))
                for size in SIZES
            }
        figure.note(
            peaks[SIZES[-1]] / peaks[SIZES[0]],
            **{f"MiB_at_{size}": peak / (1 << 20) for size, peak in peaks.items()},
        )
        yield figure


def _peak(served: Served, token: str, items: Iterable[bytes], advance: Callable[[float], None]) -> int:
    seen = [served.memory()]

    def watched() -> Iterator[bytes]:
        for place, item in enumerate(items, 1):
            if place % LOOKS_EVERY == 0:
                seen.append(served.memory())
                advance(LOOKS_EVERY)
            yield item

    send(served, token, watched())
    return max(*seen, served.memory())


def _item(number: int, *, published: bool) -> bytes:
    article = news.article(number, [], published=published)
    return orjson.dumps(article.model_dump(mode="json", exclude_none=True)) + b"\n"


def send(served: Served, token: str, items: Iterable[bytes]) -> list[str]:
    """Send items as they come; return the ids of the articles. Raises BadAnswers unless every one
    was made.
    """
    connection = HTTPConnection("127.0.0.1", served.port, timeout=600)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    connection.request("POST", "/v1/articles/bulk", _chunks(items), headers, encode_chunked=True)
    answer, made = connection.getresponse(), []
    for line in answer:
        if answer.status != 200 or (result := orjson.loads(line))["status"] != 201:
            raise BadAnswers(f"POST /v1/articles/bulk: {answer.status} {line[:400]!r}")
        made.append(result["id"])
    connection.close()
    return made


def _chunks(items: Iterable[bytes]) -> Iterator[bytes]:
    rest = iter(items)
    while together := b"".join(islice(rest, 20)):
        yield together


def _rows_of_sqlite(url: str) -> Rows:
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        return {
            table: connection.execute(
                f"SELECT {'rowid, ' * table.endswith('_text')}* FROM {_of_articles(table)}"
            ).fetchall()
            for table in TABLES
        }


def _rows_of_postgres(url: str) -> Rows:
    with psycopg.connect(url) as connection:
        # As text: what a driver makes of JSON is no part of a bare insert.
        connection.adapters.register_loader("jsonb", TextLoader)
        return {
            table: connection.execute(f"SELECT * FROM {_of_articles(table)}").fetchall() for table in TABLES
        }


def _of_articles(table: str) -> str:
    return "published WHERE kind = 'article'" if table == "published" else table


def _put_into_sqlite(url: str, rows: Rows) -> None:
    with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as connection:
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "mmap_size=268435456"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        for table, theirs in rows.items():
            into = f"{table} (rowid, id, headline, body)" if table.endswith("_text") else table
            if theirs:
                connection.executemany(
                    f"INSERT INTO {into} VALUES ({', '.join('?' * len(theirs[0]))})", theirs
                )
        connection.execute("COMMIT")


def _put_into_postgres(url: str, rows: Rows) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        for table, theirs in rows.items():
            if theirs:
                cursor.executemany(
                    f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(theirs[0]))})", theirs
                )
