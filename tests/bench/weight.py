"""Weight: the bytes that readers are sent, and the CPU that goes into writing them.

The article has nine paragraphs and two pictures with files and captions. The list has twenty such articles,
the search finds twenty. The front page is the demo's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from io import StringIO
from uuid import UUID

import httpx
from rich.console import Console

from service.demo.load import load
from service.rooms import open_database
from service.settings import Settings
from tests.bench import news
from tests.bench.empty import Empty
from tests.bench.figures import Figure
from tests.bench.measure import Bench
from tests.bench.served import PATIENCE, Served
from tests.bench.stand import SECRET, make_writer, served_store
from tests.images.pictures import picture

WARM_UP, TIMES = 20, 100
COLOURS = ("teal", "olive")
ARTICLE, LIST, FRONT_PAGE = 9, 30, 4
"""The most kilobytes of each."""
NOTES = (
    "weight: bytes of what readers get; packed with Brotli, as a browser asks. Beside: the CPU of the server's processes for one request that nothing is"
    " kept of, and the bytes of the database for each article (SQLite).",
)
Work = Callable[[int], httpx.Response]


def bytes_and_work(bench: Bench, empties: Sequence[Empty]) -> Iterator[Figure]:
    """What an article, a list and a front page weigh."""
    for one in empties:
        article = Figure("article, two pictures", one.database, "kB", ARTICLE, at_most=True)
        cards = Figure("list of 20 cards", one.database, "kB", LIST, at_most=True)
        with one.served(bench) as (served, url, token), _client(served, token) as client:
            _round(served, client, article, cards, _size_of(url))
        yield from (article, cards)
    yield _front_page(bench, empties[0])


def _client(served: Served, token: str | None = None) -> httpx.Client:
    headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.Client(base_url=f"http://127.0.0.1:{served.port}", headers=headers, timeout=PATIENCE)


def _round(
    served: Served, client: httpx.Client, article: Figure, cards: Figure, size: Callable[[], int]
) -> None:
    images = [_picture(client, number) for number in range(len(COLOURS))]

    def create(number: int, *, published: bool) -> httpx.Response:
        made = news.article(number, images, published=published)
        return client.post("/v1/articles", json=made.model_dump(mode="json", exclude_none=True))

    drafts = [create(number, published=False).json()["id"] for number in range(WARM_UP + TIMES)]
    publishing = _cpu(served, lambda number: client.post(f"/v1/articles/{drafts[number]}/publish"))
    before = size()
    creating = _cpu(served, lambda number: create(1_000 + number, published=True))
    grown = (size() - before) / (WARM_UP + TIMES)
    newest = client.get("/v1/articles?limit=1").json()["items"][0]["slug"]
    article.note(
        len(client.get(f"/v1/articles/{newest}?body=blocks").content) / 1_000,
        bytes_packed=_packed(client, f"/v1/articles/{newest}"),
        create_ms=creating,
        publish_ms=publishing,
        **({"database_bytes": grown} if before else {}),
    )
    found = client.get("/v1/articles?q=off").json()["items"]
    assert len(found) == 20 and all("<mark>" in item["snippet"] for item in found)
    cards.note(
        len(client.get("/v1/articles").content) / 1_000,
        bytes_packed=_packed(client, "/v1/articles"),
        # With a token nothing is kept between requests.
        miss_ms=_cpu(served, lambda _: client.get("/v1/articles")),
        search_ms=_cpu(served, lambda _: client.get("/v1/articles?q=off")),
        page_of_100_changes_ms=_cpu(served, lambda _: client.get("/v1/changes?kind=article&limit=100")),
    )


def _picture(client: httpx.Client, number: int) -> UUID:
    made = client.post(
        "/v1/images",
        files={"file": ("picture.jpg", picture("JPEG", (1600, 1067), COLOURS[number]))},
        data={"credit_line": "Ana Lind/Harbour Press"},
    )
    id_ = made.raise_for_status().json()["id"]
    words = {"text": "The swing bridge at first light.", "alt_text": "A low bridge over calm water at dawn"}
    client.post("/v1/captions", json={"image_id": id_, "language": "en", **words}).raise_for_status()
    return UUID(id_)


def _cpu(served: Served, work: Work) -> float:
    """Return the CPU milliseconds that the server takes for one request."""
    for number in range(WARM_UP):
        work(number).raise_for_status()
    served.settle()
    before = served.cpu()
    for number in range(WARM_UP, WARM_UP + TIMES):
        work(number).raise_for_status()
    return (served.cpu() - before) / TIMES * 1_000


def _packed(client: httpx.Client, path: str) -> int:
    connection = HTTPConnection(client.base_url.host, client.base_url.port or 80, timeout=PATIENCE)
    connection.request("GET", path, headers={"Accept-Encoding": "br"})
    answer = connection.getresponse()
    size = len(answer.read())
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "br")
    connection.close()
    return size


def _size_of(url: str) -> Callable[[], int]:
    """Return what measures a database; 0 for one that is not a file of its own."""
    settings = Settings(_env_file=None, database_url=url, secret_key=SECRET)

    def size() -> int:
        if not url.startswith("sqlite"):
            return 0
        with open_database(settings).reading() as session:
            pages, bytes_of_page = (
                session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("page_count", "page_size")
            )
            return int(pages) * int(bytes_of_page)

    return size


def _front_page(bench: Bench, empty: Empty) -> Figure:
    figure = Figure("demo's front page, packed", empty.database, "kB", FRONT_PAGE, at_most=True)
    url = empty.made()
    media = f"file:{bench.folder / 'media'}"
    database = open_database(Settings(_env_file=None, database_url=url, media_url=media, secret_key=SECRET))
    load(database, Console(file=StringIO()))
    database.close()
    with ExitStack() as stack:
        served = stack.enter_context(served_store(bench, url))
        client = stack.enter_context(_client(served, make_writer(url)))
        plain = len(client.get("/v1/articles").content)
        figure.note(_packed(client, "/v1/articles") / 1_000, bytes_plain=plain)
    return figure
