"""Publishers: sixteen clients publish at once, over two processes on one PostgreSQL, while four read.

Told are publishes a second as a ratio to what a bare driver commits, and how long readers wait beside them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from itertools import count
from statistics import quantiles

import orjson
import psycopg

from tests.bench import news
from tests.bench.bulk import send
from tests.bench.cores import Cores
from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import Served
from tests.bench.stand import make_writer, served_store
from tests.bench.wrk import BadAnswers

PROCESSES, PUBLISHERS, READERS = 2, 16, 4
ARTICLES = 640
"""Drafts that each round publishes."""
WARM_UP = 10_000_000
"""The number of the first article of those that nothing is measured with."""
REST = 0.02
"""Seconds between two questions of a reader."""
SECONDS = 4.0
STATEMENTS = 12
"""Statements of a bare transaction that takes the next number, and writes as many rows as a publish does."""
RATIO, HURT = 0.25, 4.0
NOTES = (
    "publishers: 640 drafts published by 16 clients over two processes with one PostgreSQL; publishes a second over the transactions a second of"
    f" {PROCESSES} bare drivers that lock the counter and send {STATEMENTS} statements under it. `shared` is how many publishes share a commit.",
    "readers beside publishers: the 99th percentile of a miss of four readers while sixteen publish, over that while nobody does.",
)


@dataclass(frozen=True, slots=True)
class _House:
    """Two processes that serve one store, and a token that may publish."""

    served: Sequence[Served]
    url: str
    token: str

    def cpu(self) -> float:
        """Return CPU seconds so far, of both processes."""
        return sum(one.cpu() for one in self.served)

    def drafts(self, number: int, how_many: int) -> list[str]:
        """Make drafts, and return their ids."""
        articles = (news.article(number + each, [], published=False) for each in range(how_many))
        lines = (orjson.dumps(each.model_dump(mode="json", exclude_none=True)) + b"\n" for each in articles)
        return send(self.served[0], self.token, lines)


def together(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """Compare sixteen publishers with a bare driver, and readers beside them with readers alone."""
    for one in empties:
        if one.database == "SQLite":
            continue
        rate = Figure("sixteen publishers, two processes", one.database, "of bare", RATIO)
        hurt = Figure("readers beside publishers, p99", one.database, "of alone", HURT, at_most=True)
        numbers = count(0, ARTICLES)
        with _house(bench, one) as house:
            _publish(house, house.drafts(WARM_UP, ARTICLES))
            for _ in bench.progress.track(range(bench.rounds), description="publishers"):
                _round(house, house.drafts(next(numbers), ARTICLES), rate)
                _beside(house, house.drafts(next(numbers), ARTICLES), hurt)
        yield from (rate, hurt)


@contextmanager
def _house(bench: Bench, empty: Empty) -> Iterator[_House]:
    url = empty.made()
    cores = sorted({bench.cores.server, *bench.cores.others})
    with ExitStack() as stack:
        served = [
            stack.enter_context(served_store(replace(bench, cores=Cores(core, bench.cores.others)), url))
            for core, _ in zip(cores, range(PROCESSES), strict=False)
        ]
        yield _House(served, url, make_writer(url))


def _round(house: _House, drafts: Sequence[str], figure: Figure) -> None:
    before, cpu, backend, began = (
        _commits(house.url),
        house.cpu(),
        _backend_cpu(house.url),
        time.perf_counter(),
    )
    _publish(house, drafts)
    seconds = time.perf_counter() - began
    rate, commits = len(drafts) / seconds, _commits(house.url) - before
    figure.note(
        rate / _bare_rate(house.url),
        publishes_a_s=rate,
        CPU_ms=(house.cpu() - cpu) / len(drafts) * 1e3,
        PostgreSQL_CPU_ms=(_backend_cpu(house.url) - backend) / len(drafts) * 1e3,
        shared=len(drafts) / commits,
    )


def _publish(house: _House, drafts: Sequence[str]) -> None:
    left = iter(drafts)
    taking = threading.Lock()

    def work(served: Served) -> None:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        headers = {"Authorization": f"Bearer {house.token}", "If-Match": "*"}
        while True:
            with taking:
                draft = next(left, None)
            if draft is None:
                break
            connection.request("POST", f"/v1/articles/{draft}/publish", headers=headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise BadAnswers(f"publish: {answer.status} {said[:400]!r}")
        connection.close()

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        list(pool.map(work, (house.served[each % len(house.served)] for each in range(PUBLISHERS))))


def _commits(url: str) -> int:
    """Return how many transactions have taken numbers."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pg_stat_get_tuples_updated('published_sequence'::regclass)"
        ).fetchone()
    assert found is not None
    return int(found[0])


def _backend_cpu(url: str) -> float:
    """Return CPU seconds so far of the PostgreSQL processes that serve this store."""
    with psycopg.connect(url) as connection:
        pids = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    return sum(time.clock_gettime(~pid << 3 | 2) for (pid,) in pids)


def _bare_rate(url: str) -> float:
    """Return the transactions a second of bare drivers that lock the counter for some statements."""
    ends = time.monotonic() + SECONDS / 2

    def work(_number: int) -> int:
        made = 0
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() < ends:
                with connection.transaction():
                    connection.execute("SELECT seq FROM published_sequence FOR UPDATE")
                    for _ in range(STATEMENTS - 2):
                        connection.execute("SELECT count FROM published_name WHERE value = %s", ("none",))
                    connection.execute("UPDATE published_sequence SET store_id = store_id")
                made += 1
        return made

    with ThreadPoolExecutor(PROCESSES) as pool:
        return sum(pool.map(work, range(PROCESSES))) / (SECONDS / 2)


def _beside(house: _House, drafts: Sequence[str], figure: Figure) -> None:
    alone = _read_for(house, lambda: time.sleep(SECONDS))
    during = _read_for(house, lambda: _publish(house, drafts))
    figure.note(
        _p99(during) / _p99(alone),
        p99_alone_ms=_p99(alone) * 1e3,
        p99_ms=_p99(during) * 1e3,
        p50_alone_ms=sorted(alone)[len(alone) // 2] * 1e3,
        p50_ms=sorted(during)[len(during) // 2] * 1e3,
        reads=len(during),
    )


def _p99(took: Sequence[float]) -> float:
    return quantiles(took, n=100)[-1]


def _read_for(house: _House, block: Callable[[], None]) -> list[float]:
    """Read misses for as long as the block lasts; return the seconds that each took."""
    ends, took = threading.Event(), list[float]()
    numbers = count(time.monotonic_ns())

    def read(served: Served) -> None:
        connection = HTTPConnection("127.0.0.1", served.port, timeout=60)
        while not ends.is_set():
            number = next(numbers)
            # An address of its own each time, which the cache cannot have.
            path = "/v1/articles?limit=5&source=nobody-" if number % 2 else "/v1/articles/none-"
            began = time.perf_counter()
            connection.request("GET", f"{path}{number}")
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            if answer.status not in (200, 404):
                raise BadAnswers(f"GET {path}: {answer.status}")
            time.sleep(REST)
        connection.close()

    with ThreadPoolExecutor(READERS) as pool:
        reading = [pool.submit(read, house.served[each % len(house.served)]) for each in range(READERS)]
        try:
            block()
        finally:
            ends.set()
        for one in reading:
            one.result()
    return took
