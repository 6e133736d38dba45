"""Others wait while a transaction holds the counter: what it publishes is compared before, and written in one go."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg.pq import PipelineStatus
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from tests.articles.newsroom import do, draft, edit, ids, mark, published
from tests.images.pictures import change, make_article, make_caption, make_own_image
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import EDITOR, Store, running, serving
from tests.sync.following import follow, now_at
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver

Act = Callable[[], object]


@pytest.fixture(scope="module")
def store(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store on PostgreSQL, which may send to loopback. On SQLite a writer is alone."""
    folder = tmp_path_factory.mktemp("store")
    with serving("postgresql", folder, sqlite_template, outbound_allow_loopback=True) as running_store:
        yield running_store


@pytest.fixture
def beside(store: Store) -> Iterator[httpx.Client]:
    """An editor at another process, whose writes share no commit with those of the first."""
    with running(store.settings) as other, other.client(*EDITOR, name="beside") as client:
        yield client


class Trips:
    """Ways there and back from the statement that locks the counter to the commit, which is one too, for each
    transaction that takes numbers.
    """

    def __init__(self) -> None:
        self.counted: list[int] = []
        self._begun: dict[object, int] = {}
        self._numbering: set[object] = set()

    def note(
        self, connection: Any, cursor: Any, statement: str, _values: Any, context: Any, _many: Any
    ) -> None:
        """Count a statement that is waited for."""
        driven = connection.connection.driver_connection
        if "published_sequence" in statement and "UPDATE" in statement:
            self._begun.setdefault(driven, 0)
        if statement.startswith("UPDATE published_sequence SET seq"):
            self._numbering.add(driven)
        is_sent = context.execution_options.get("copydesk_sent")
        is_waited_for = driven.info.pipeline_status is PipelineStatus.OFF or not is_sent
        if driven in self._begun and is_waited_for:
            self._begun[driven] += 1

    def end(self, connection: Any) -> None:
        """Count the commit."""
        driven = connection.connection.driver_connection
        trips = self._begun.pop(driven, 0) + 1
        if driven in self._numbering:
            self._numbering.remove(driven)
            self.counted.append(trips)


@contextmanager
def counting() -> Iterator[Trips]:
    """Count while the block lasts."""
    trips = Trips()
    listen(Engine, "before_cursor_execute", trips.note)
    listen(Engine, "commit", trips.end)
    try:
        yield trips
    finally:
        remove(Engine, "before_cursor_execute", trips.note)
        remove(Engine, "commit", trips.end)


def newly_illustrated(editor: httpx.Client) -> dict:
    """A draft with a picture that no article has shown yet."""
    image = make_own_image(editor)
    make_caption(editor, image)
    return make_article(editor, image, status="draft", tags=["ferries"], section="news")


def trips_of(act: Act) -> list[int]:
    """Count the ways there and back of a request."""
    with counting() as trips:
        act()
    return trips.counted


def test_a_publish_a_patch_and_a_withdrawal_take_two_ways_there_and_back_under_the_lock(
    editor: httpx.Client,
) -> None:
    article = newly_illustrated(editor)
    assert trips_of(lambda: do(editor, article, "publish")) == [2]
    now = editor.get(f"/v1/articles/{article['id']}").json()
    assert trips_of(lambda: edit(editor, now, tags=["trams"], section="sport", headline="Trams")) == [2]
    assert trips_of(lambda: do(editor, article, "withdraw", reason="A court order")) == [2]


def test_a_bulk_import_and_a_create_take_two_ways_there_and_back_under_the_lock(editor: httpx.Client) -> None:
    items = [
        {"source": mark(), "external_id": "1", "headline": "Quay", "status": "published"} for _ in range(5)
    ]
    assert trips_of(lambda: editor.post("/v1/articles/bulk", json=items).raise_for_status()) == [2]
    assert trips_of(lambda: published(editor, headline="At once", tags=["quay"])) == [2]
    assert trips_of(lambda: draft(editor, headline="Later")) == [2]


def test_with_webhooks_a_publish_takes_three(
    store: Store, editor: httpx.Client, admin: httpx.Client, partner: Receiver
) -> None:
    with webhook(admin, partner) as hook:
        article = draft(editor)
        assert trips_of(lambda: do(editor, article, "publish")) == [3]
        assert [each["type"] for each in deliveries(admin, hook)] == ["article.put"]


def at_once(store: Store, *acts: Act, meanwhile: Act = lambda: None) -> None:
    """Have several wait for the counter at the same time, each at a process of its own, and go on together."""
    url = store.settings.database_url
    with (
        psycopg.connect(url) as holder,
        psycopg.connect(url, autocommit=True) as looking,
        ThreadPoolExecutor() as pool,
    ):
        holder.execute("SELECT FROM published_sequence FOR UPDATE")
        acting = [pool.submit(act) for act in acts]
        wait_until(lambda: looking.execute(WAITING_FOR_A_LOCK).rowcount >= len(acts))
        meanwhile()
        holder.commit()
        for one in acting:
            one.result()


@pytest.mark.slow
def test_two_that_withdraw_the_last_articles_of_a_picture_at_the_same_time_take_the_picture_away(
    store: Store, client: httpx.Client, editor: httpx.Client, beside: httpx.Client
) -> None:
    image = make_own_image(editor)
    caption = make_caption(editor, image)
    first, second = (make_article(editor, image) for _ in range(2))
    place = now_at(client)
    at_once(
        store,
        lambda: do(editor, first, "withdraw", reason="A court order"),
        lambda: do(beside, second, "withdraw", reason="A court order"),
    )
    for path in (f"/v1/images/{image['id']}", f"/v1/captions/{caption['id']}"):
        wait_until(lambda path=path: client.get(path).status_code in (404, 410))
    told, _ = follow(client, place)
    assert {(entry["id"], entry["op"]) for entry in told} == {
        (id_, "remove") for id_ in (image["id"], caption["id"], first["id"], second["id"])
    }


@pytest.mark.slow
def test_a_picture_stays_public_when_one_article_loses_it_while_another_is_published(
    store: Store, client: httpx.Client, editor: httpx.Client, beside: httpx.Client
) -> None:
    image = make_own_image(editor)
    caption = make_caption(editor, image)
    first, second = make_article(editor, image), make_article(editor, image, status="draft")
    own = make_caption(editor, image, "The second's own.", article_id=second["id"])
    at_once(store, lambda: edit(editor, first, body=[]), lambda: do(beside, second, "publish"))
    wait_until(lambda: client.get(f"/v1/images/{image['id']}").status_code == 200)
    shown = client.get(f"/v1/images/{image['id']}").json()
    assert {each["id"] for each in shown["captions"]} == {caption["id"], own["id"]}
    assert client.get(f"/v1/captions/{own['id']}").status_code == 200
    assert client.get(f"/v1/articles/{second['id']}").json()["body"][0]["image"]["id"] == image["id"]


@pytest.mark.slow
def test_two_texts_of_one_moment_that_are_published_at_the_same_time_are_both_found(
    store: Store, client: httpx.Client, editor: httpx.Client, beside: httpx.Client
) -> None:
    word, at = mark(), "2024-03-01T06:00:00Z"
    drafts = [draft(editor, headline=f"Ice {word}", published_at=at) for _ in range(17)]

    def tie(article: dict) -> int:
        return blake2b(UUID(article["id"]).bytes, digest_size=8).digest()[-1] % 16

    # Of seventeen, two at least would lie at the same place.
    first, second = next(pair for pair in combinations(drafts, 2) if tie(pair[0]) == tie(pair[1]))
    at_once(store, lambda: do(editor, first, "publish"), lambda: do(beside, second, "publish"))
    wait_until(lambda: set(ids(client.get(f"/v1/articles?q={word}"))) == {first["id"], second["id"]})


@pytest.mark.slow
def test_a_webhook_that_is_made_while_a_publish_waits_is_sent_it(
    store: Store, editor: httpx.Client, admin: httpx.Client, partner: Receiver
) -> None:
    article = draft(editor)
    with webhook(admin, partner, enabled=False) as hook:
        at_once(
            store,
            lambda: do(editor, article, "publish"),
            meanwhile=lambda: change(admin, f"/v1/webhooks/{hook['id']}", {"enabled": True}),
        )
        assert [each["type"] for each in deliveries(admin, hook)] == ["article.put"]
