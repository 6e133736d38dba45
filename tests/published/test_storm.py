"""Two processes write what belongs together at the same time: whatever comes first, readers get what there is."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlmodel import select

from service.articles.models import Article
from service.images.models import Caption, Image
from service.published.batches import prepare
from service.published.models import Kind
from service.rooms import open_database
from tests.images.pictures import make_article, make_caption, make_own_image
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import EDITOR, Store, running, serving

ARTICLES, IMAGES, WRITERS, ROUNDS, SEEDS = 3, 2, 3, 20, 3
TABLES: dict[Kind, type[Article | Image | Caption]] = {
    Kind.ARTICLE: Article,
    Kind.IMAGE: Image,
    Kind.CAPTION: Caption,
}
Act = Callable[[httpx.Client, random.Random, "Newsroom"], httpx.Response]
ANY = {"If-Match": "*"}


class Newsroom:
    """Articles that share pictures, and captions of these."""

    def __init__(self, editor: httpx.Client) -> None:
        self.images = [make_own_image(editor) for _ in range(IMAGES)]
        self.articles = [make_article(editor, *self.images[:2], status="published") for _ in range(ARTICLES)]
        self.captions = [make_caption(editor, image) for image in self.images]
        self.captions.append(
            make_caption(editor, self.images[0], "Its own.", article_id=self.articles[0]["id"])
        )


def _of_article(action: str, **members: Any) -> Act:
    def act(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
        article = chance.choice(room.articles)
        return client.post(f"/v1/articles/{article['id']}/{action}", json=members, headers=ANY)

    return act


def _show(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    images = chance.sample(room.images, chance.randrange(IMAGES + 1))
    body = [{"type": "image", "image_id": image["id"]} for image in images]
    patch = {"body": body, "tags": chance.sample(["ice", "port", "tram"], chance.randrange(3))}
    return client.patch(f"/v1/articles/{chance.choice(room.articles)['id']}", json=patch, headers=ANY)


def _trash(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    return client.delete(f"/v1/articles/{chance.choice(room.articles)['id']}", headers=ANY)


def _credit(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    patch = {"credit_line": f"Holt {chance.random()}"}
    return client.patch(f"/v1/images/{chance.choice(room.images)['id']}", json=patch, headers=ANY)


def _licence(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    until = chance.choice([None, "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"])
    image = chance.choice(room.images)
    return client.patch(f"/v1/images/{image['id']}", json={"usable_until": until}, headers=ANY)


def _kill(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    image, action = chance.choice(room.images), chance.choice(["withdraw", "reinstate"])
    return client.post(f"/v1/images/{image['id']}/{action}", json={"reason": "A court order"}, headers=ANY)


def _word(client: httpx.Client, chance: random.Random, room: Newsroom) -> httpx.Response:
    patch = {"text": f"Boats {chance.random()}"}
    return client.patch(f"/v1/captions/{chance.choice(room.captions)['id']}", json=patch, headers=ANY)


ACTS: list[Act] = [
    *[_of_article("publish")] * 4,
    _of_article("unpublish"),
    _of_article("restore"),
    *[_show] * 4,
    _trash,
    *[_credit] * 2,
    _licence,
    _kill,
    *[_word] * 3,
]


def differing(store: Store) -> list[str]:
    """Return what would be rendered otherwise than it was published."""
    database, found = open_database(store.settings), list[str]()
    with database.snapshot() as session:
        for kind, table in TABLES.items():
            batch = prepare(session, kind, list(session.exec(select(table.id))))
            found += [f"{kind} {new.id} is old" for _, new, _ in batch.changes.written]
            found += [f"{kind} {gone.id} is there" for gone, _ in batch.changes.removed]
            found += [f"{kind} {id_} is found by other terms" for id_ in batch.unusual]
    database.close()
    return found


def at_once(url: str, acts: Sequence[Callable[[], httpx.Response]], pool: ThreadPoolExecutor) -> list[int]:
    """Let writers go on together, once each waits for the counter or for another, or has ended."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as looking:
        holder.execute("SELECT FROM published_sequence FOR UPDATE")
        acting = [pool.submit(act) for act in acts]

        def are_ready() -> bool:
            waiting = looking.execute(WAITING_FOR_A_LOCK).rowcount
            return waiting + sum(one.done() for one in acting) >= len(acting)

        wait_until(are_ready)
        holder.commit()
        return [one.result().status_code for one in acting]


@pytest.fixture(scope="module")
def store(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on PostgreSQL. On SQLite a writer is alone."""
    with serving("postgresql", tmp_path_factory.mktemp("store"), sqlite_template) as running_store:
        yield running_store


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_processes_write_at_once_is_published_as_it_is(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(WRITERS))
        others = [stack.enter_context(running(store.settings)) for _ in range(WRITERS - 1)]
        clients = [
            stack.enter_context(each.client(*EDITOR, name=f"p{n}")) for n, each in enumerate([store, *others])
        ]
        room = Newsroom(clients[0])
        for _ in range(ROUNDS):
            acts = chance.choices(ACTS, k=WRITERS)
            chances = [random.Random(chance.random()) for _ in acts]
            works = [
                partial(act, client, own, room)
                for act, client, own in zip(acts, clients, chances, strict=True)
            ]
            assert max(at_once(store.settings.database_url, works, pool)) < 500
            wait_until(lambda: not differing(store))
