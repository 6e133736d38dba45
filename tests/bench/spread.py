"""Spread: a caption changes of a picture that 1, 100 and 5,000 articles show.

Told are the time of that change, the time until the oldest of the articles shows it, which is the last one,
and the longest that another writer waits meanwhile.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import orjson

from tests.bench import news
from tests.bench.bulk import send
from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import PATIENCE, Served
from tests.images.pictures import picture
from tests.patience import wait_until

SIZES = (1, 100, 5_000)
LONGEST_WAIT = 250.0
"""Milliseconds."""
NOTES = (
    "spread: another caption of a picture that so many articles show. Bar: the longest time in which another writer's article"
    " was created meanwhile; its median without that change stands beside. `all` is the time until the last of the"
    " articles shows the caption.",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture's caption, and the articles that show it, the oldest first."""

    caption: str
    articles: Sequence[str]


def waits(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """How long other writers wait, and readers for the last of the articles."""
    for one in empties:
        figures = [
            Figure(f"spread over {size:,}, longest wait", one.database, "ms", LONGEST_WAIT, at_most=True)
            for size in SIZES
        ]
        with one.served(bench) as (served, _, token), _writer(served, token) as client:
            shown = [_make(served, token, client, size) for size in SIZES]
            for number in bench.progress.track(range(bench.rounds), description=f"spread, {one.database}"):
                for figure, each in zip(figures, shown, strict=True):
                    _round(figure, client, each, f"As seen from the quay, for the {number}th time.")
        yield from figures


@contextmanager
def _writer(served: Served, token: str) -> Iterator[httpx.Client]:
    address, headers = f"http://127.0.0.1:{served.port}", {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE) as client:
        yield client


def _make(served: Served, token: str, client: httpx.Client, size: int) -> Shown:
    file = picture(colour=f"#{size:06x}")
    image = _id_of(client.post("/v1/images", content=file, headers={"Content-Type": "image/png"}))
    caption = _id_of(
        client.post("/v1/captions", json={"image_id": image, "language": "en", "text": "A quay."})
    )
    articles = (news.article(10 * size + number, [UUID(image)]) for number in range(size))
    lines = [orjson.dumps(each.model_dump(mode="json", exclude_none=True)) + b"\n" for each in articles]
    return Shown(caption, send(served, token, lines))


def _round(figure: Figure, client: httpx.Client, shown: Shown, text: str) -> None:
    usual: list[float] = []
    during: list[float] = []
    with _writing_beside(client, usual):
        time.sleep(1)
    with _writing_beside(client, during):
        began = time.perf_counter()
        client.patch(
            f"/v1/captions/{shown.caption}", json={"text": text}, headers={"If-Match": "*"}
        ).raise_for_status()
        change = time.perf_counter() - began
        wait_until(lambda: text in _text(client, f"/v1/articles/{shown.articles[0]}"))
        last = time.perf_counter() - began
    figure.note(
        max(during) * 1e3,
        change_ms=change * 1e3,
        all_ms=last * 1e3,
        usual_ms=sorted(usual)[len(usual) // 2] * 1e3,
    )


@contextmanager
def _writing_beside(client: httpx.Client, took: list[float]) -> Iterator[None]:
    """Create one article after the other beside the block, and note how long each takes, in seconds."""
    ends = threading.Event()

    def write() -> None:
        while not ends.is_set():
            began = time.perf_counter()
            article = {"headline": f"Beside {uuid4()}", "status": "published"}
            client.post("/v1/articles", json=article).raise_for_status()
            took.append(time.perf_counter() - began)

    with ThreadPoolExecutor(1) as beside:
        writing = beside.submit(write)
        try:
            yield
        finally:
            ends.set()
        writing.result()


def _id_of(made: httpx.Response) -> str:
    made.raise_for_status()
    return str(made.json()["id"])


def _text(client: httpx.Client, path: str) -> str:
    response = client.get(path)
    response.raise_for_status()
    return response.text
