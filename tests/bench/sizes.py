"""Size: the CPU of each list, search, count and feed in stores of several sizes, over that in the smallest.

The stores are lean (`tests/lean.py`), and the questions those of which no statement may read many rows
(`tests/shapes.py`).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from uuid import UUID

import httpx
from sqlalchemy import update
from sqlmodel import col

from service.published.models import PublishedSequence
from service.rooms import open_database
from service.settings import Settings
from service.tables import now
from tests import lean, postgres, shapes
from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import PATIENCE, Served
from tests.bench.stand import SECRET, make_writer, served_store
from tests.images.pictures import picture
from tests.shapes import Shape

DEFAULT = "10k,100k"
SMALLEST = 1_000
"""Articles from which on each value of the lean store is in some."""
FLAT = 2.0
TIMES = 10
NOTES = (
    "size: the CPU of the service and of its database for one request with a token, of which nothing is kept, over the same in the smallest store;"
    " of each group the worst. Beside it: the median of the group's ratios, how many questions it has, its milliseconds in both stores, and the group's most.",
)


@dataclass(frozen=True, slots=True)
class _Store:
    """A served store, and what is asked of it."""

    articles: int
    served: Served
    database: Served | None
    client: httpx.Client
    asked: Sequence[Shape]
    costs: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """CPU milliseconds of a request, of each round, by the number of the question."""

    def ask(self, number: int) -> None:
        """Ask one question often enough to be measured."""
        path, parameters = self.asked[number]
        before = self._clocks()
        for _ in range(TIMES):
            self.client.get(path, params=parameters).raise_for_status()
        worked = sum(seconds - before.get(pid, 0) for pid, seconds in self._clocks().items())
        self.costs[number].append(worked / TIMES * 1_000)

    def cost(self, number: int) -> float:
        """Return the middle one of the rounds."""
        return median(self.costs[number])

    def _clocks(self) -> dict[int, float]:
        return self.served.clocks() | ({} if self.database is None else self.database.clocks())


def parse(said: str) -> list[int]:
    """Return the numbers of articles that `10k,100k,1m` says, the smallest first. Raises ValueError."""
    found = [re.fullmatch(r"(\d+)([km]?)", one.strip().lower()) for one in said.split(",")]
    factors = {"": 1, "k": 1_000, "m": 1_000_000}
    sizes = sorted({int(one[1]) * factors[one[2]] for one in found if one is not None})
    if None in found or len(sizes) < 2 or sizes[0] < SMALLEST:
        raise ValueError(f"{said!r} is not two sizes or more, each at least {SMALLEST:,}: 10k,100k,1m")
    return sizes


def costs(bench: Bench, empties: Sequence[Empty], sizes: Sequence[int]) -> Iterator[Figure]:
    """Compare the costs of each question in stores of several sizes."""
    for one in empties:
        with ExitStack() as stack:
            stores = [stack.enter_context(_filled(bench, one, size)) for size in sizes]
            numbers = range(len(stores[0].asked))
            for store in stores:
                for number in numbers:
                    store.client.get(store.asked[number][0], params=store.asked[number][1])
                store.served.settle()
            rounds = [number for _ in range(bench.rounds) for number in numbers]
            for number in bench.progress.track(rounds, description=f"size, {one.database}"):
                for store in stores:
                    store.ask(number)
        for store in stores[1:]:
            yield from _compare(one.database, stores[0], store)


def _compare(database: str, smallest: _Store, store: _Store) -> Iterator[Figure]:
    groups = defaultdict[str, list[tuple[float, int]]](list)
    for number, shape in enumerate(store.asked):
        groups[_group(shape)].append((store.cost(number) / smallest.cost(number), number))
    for group, found in groups.items():
        worst, number = max(found)
        address = httpx.URL(store.asked[number][0], params=store.asked[number][1])
        figure = Figure(
            f"size, {store.articles:,}: {group}; {address}", database, "times", FLAT, at_most=True
        )
        figure.note(
            worst,
            median_times=median(ratio for ratio, _ in found),
            questions=len(found),
            its_ms=store.cost(number),
            smallest_ms=smallest.cost(number),
            most_ms=max(store.cost(other) for _, other in found),
        )
        yield figure


def _group(shape: Shape) -> str:
    path, asked = shape
    place, name = path.split("/")[1:3]
    if path != "/v1/articles":
        return (name if name == "changes" else "names") if place == "v1" else place
    names = {name for name, _ in asked} - {"sort"}
    if names & {"view", "status"}:
        return "searches of the desk" if "q" in names else "lists of the desk"
    for name, group in (("related_to", "related articles"), ("count", "counts"), ("q", "searches")):
        if name in names:
            return group
    return "lists by two filters" if len(names) > 1 else "lists by one filter"


@contextmanager
def _filled(bench: Bench, empty: Empty, articles: int) -> Iterator[_Store]:
    """Serve a lean store."""
    with empty.served(bench) as (served, url, token), _client(served, token) as client:
        template = _write_one(client)
    lean.fill(url, template, articles)
    database = open_database(Settings(_env_file=None, database_url=url, secret_key=SECRET))
    with database.writing() as session:
        # A job would else count every name beside the first questions.
        session.execute(update(PublishedSequence).values({col(PublishedSequence.counted_at): now()}))
    database.close()
    readers = shapes.of_articles(articles, thorough=False), shapes.of_others(articles)
    asked = list(chain(*readers, shapes.of_editors(articles)))
    with served_store(bench, url) as served, _client(served, make_writer(url, reads=True)) as client:
        yield _Store(articles, served, _postgres() if url.startswith("postgresql") else None, client, asked)


def _client(served: Served, token: str) -> httpx.Client:
    address, headers = f"http://127.0.0.1:{served.port}", {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=address, headers=headers, timeout=PATIENCE)


def _write_one(client: httpx.Client) -> UUID:
    """Write the article that is multiplied, with a captioned picture; return its id."""
    file = client.post("/v1/images", content=picture(), headers={"Content-Type": "image/png"})
    image = file.raise_for_status().json()["id"]
    caption = {"image_id": image, "language": "en", "text": "The quay."}
    client.post("/v1/captions", json=caption).raise_for_status()
    article = {"headline": "The ferry", "status": "published", "lead_image_id": image, "tags": ["ferries"]}
    return UUID(client.post("/v1/articles", json=article).raise_for_status().json()["id"])


def _postgres() -> Served:
    """Return the server of the databases, whose processes work beside the service's."""
    server = postgres.server()
    pid = (server.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
    return Served(int(pid), server.port)
