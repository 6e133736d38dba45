"""Whatever is locked, cut, delayed or killed: n tries of one Idempotency-Key take effect at most once."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, text
from sqlmodel import select

from service.articles.previews import Preview
from service.settings import Settings
from tests.articles.newsroom import mark, problem, published
from tests.effort import LONG
from tests.faults.breaking import cut_connections, let_claims_lapse, locked
from tests.patience import wait_until
from tests.serving import EDITOR, Store, another, serving, settings_for

DEADLINE = 1.2
SEEDS = range(300) if LONG else range(3)
AGAIN = (409, 503)
"""What is answered while nobody can say, or while another try runs: the same request is to be sent again."""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, request_deadline=DEADLINE)


@dataclass(frozen=True)
class Effect:
    """A POST about a thing, and how often it has taken effect."""

    thing: Callable[[httpx.Client], str]
    post: Callable[[httpx.Client, str, str], httpx.Response]
    count: Callable[[Store, httpx.Client, str], int]


def _create(client: httpx.Client, key: str, section: str) -> httpx.Response:
    body = {"headline": "Once", "section": section}
    return client.post("/v1/articles", json=body, headers={"Idempotency-Key": key})


def _count_articles(_: Store, client: httpx.Client, section: str) -> int:
    asked = {"section": section, "count": "true", "status": "draft"}
    return int(client.get("/v1/articles", params=asked).json()["total"])


def _correct(client: httpx.Client, key: str, article: str) -> httpx.Response:
    return client.post(
        f"/v1/articles/{article}/corrections", json={"text": "Once"}, headers={"Idempotency-Key": key}
    )


def _count_corrections(_: Store, client: httpx.Client, article: str) -> int:
    return len(client.get(f"/v1/articles/{article}").json()["corrections"])


def _preview(client: httpx.Client, key: str, article: str) -> httpx.Response:
    return client.post(f"/v1/articles/{article}/previews", json={}, headers={"Idempotency-Key": key})


def _count_previews(store: Store, _: httpx.Client, article: str) -> int:
    with store.database.reading() as session:
        made = select(func.count()).select_from(Preview).where(Preview.article_id == UUID(article))
        return session.exec(made).one()


def _article(client: httpx.Client) -> str:
    return str(published(client)["id"])


EFFECTS = {
    # Many of these share a transaction.
    "create": Effect(lambda _: mark(), _create, _count_articles),
    "correct": Effect(_article, _correct, _count_corrections),
    # Each of these has a transaction of its own.
    "preview": Effect(_article, _preview, _count_previews),
}


def settle(effect: Effect, client: httpx.Client, key: str, thing: str) -> httpx.Response:
    """Send a request again, as clients are told to, until it has another answer than to send it again."""

    def answered() -> httpx.Response | None:
        answer = effect.post(client, key, thing)
        assert answer.status_code not in AGAIN or answer.headers["retry-after"]
        return None if answer.status_code in AGAIN else answer

    return wait_until(answered, "the request was never answered")


@pytest.mark.parametrize("kind", EFFECTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_tries_of_one_key_take_effect_once(store: Store, kind: str, seed: int) -> None:
    chance, effect = random.Random(f"{seed} {kind}"), EFFECTS[kind]

    def attempt(key: str, waits: float) -> httpx.Response:
        time.sleep(waits)
        return effect.post(chance.choice(clients), key, keys[key])

    with _clients(store) as clients, _patient(store) as desk, ThreadPoolExecutor(20) as pool:
        for client in clients:
            # The framework makes a route ready at its first request.
            effect.post(client, mark(), effect.thing(desk))
        keys = {mark(): effect.thing(desk) for _ in range(3)}
        tries = [
            (key, pool.submit(attempt, key, chance.uniform(0, 1.5 * DEADLINE)))
            for key in keys
            for _ in range(5)
        ]
        _disturb(store, chance)
        answers = [(key, answer.result()) for key, answer in tries]
        for key, thing in keys.items():
            last = settle(effect, clients[0], key, thing)
            assert last.status_code == 201
            assert effect.count(store, desk, thing) == 1
            made = [answer for tried, answer in answers if tried == key and answer.status_code == 201]
            assert {answer.content for answer in made} <= {last.content}
    assert {answer.status_code for _, answer in answers} <= {201, *AGAIN}


@contextmanager
def _patient(store: Store) -> Iterator[httpx.Client]:
    """An editor whose requests have the time that they take on a busy machine."""
    with another(store) as roomy, roomy.client(*EDITOR) as desk:
        yield desk


@contextmanager
def _clients(store: Store) -> Iterator[list[httpx.Client]]:
    """Clients with one token: of this process, and on PostgreSQL of another one too."""
    token = {"Authorization": f"Bearer {store.token(*EDITOR)}"}
    with store.client() as here:
        here.headers.update(token)
        if store.settings.is_sqlite:
            yield [here]
            return
        with another(store, request_deadline=DEADLINE) as second, second.client() as there:
            there.headers.update(token)
            yield [here, there]


def _disturb(store: Store, chance: random.Random) -> None:
    for _ in range(3):
        time.sleep(chance.uniform(0, DEADLINE / 4))
        if chance.random() < 0.3 and not store.settings.is_sqlite:
            cut_connections(store.settings)
            continue
        with locked(store.settings, "article"):
            time.sleep(chance.uniform(0, DEADLINE / 2))
            if chance.random() < 0.7 and not store.settings.is_sqlite:
                let_claims_lapse(store)
                time.sleep(chance.uniform(0, DEADLINE / 4))
        if store.settings.is_sqlite and chance.random() < 0.7:
            let_claims_lapse(store)


def test_creates_behind_a_lock_are_refused_and_made_once_after_it(store: Store) -> None:
    keys = {mark(): mark() for _ in range(12)}
    create = EFFECTS["create"]
    with store.client(*EDITOR) as editor, _patient(store) as desk, ThreadPoolExecutor(12) as pool:
        with locked(store.settings, "article"):
            refused = list(pool.map(lambda key: create.post(editor, key, keys[key]), keys))
        for answer in refused:
            problem(answer, 503, "unavailable")
            assert answer.headers["retry-after"]
        # The keys are free at once.
        made = list(pool.map(lambda key: create.post(desk, key, keys[key]), keys))
        assert {answer.status_code for answer in made} == {201}
        assert [create.count(store, desk, thing) for thing in keys.values()] == [1] * 12


def test_a_request_that_has_lost_its_claim_takes_no_effect(tmp_path: Path, sqlite_template: Path) -> None:
    preview, key = EFFECTS["preview"], mark()
    with (
        serving("postgresql", tmp_path, sqlite_template, request_deadline=20) as store,
        store.client(*EDITOR) as editor,
        ThreadPoolExecutor(2) as pool,
    ):
        article = preview.thing(editor)
        with locked(store.settings, "article"):
            known = _owners(store)
            first = pool.submit(preview.post, editor, key, article)
            known = _wait_for_another_claim(store, known)
            let_claims_lapse(store)
            second = pool.submit(preview.post, editor, key, article)
            _wait_for_another_claim(store, known)
        answers = {answer.result().status_code: answer.result() for answer in (first, second)}
        problem(answers[409], 409, "still-running")
        assert preview.count(store, editor, article) == 1
        assert preview.post(editor, key, article).content == answers[201].content


def _wait_for_another_claim(store: Store, known: set[str]) -> set[str]:
    """Wait until a claim has an owner that is not known."""
    return wait_until(lambda: (owners := _owners(store)) - known and owners, "nobody claimed the key")


def _owners(store: Store) -> set[str]:
    with store.database.reading() as session:
        return {str(owner) for owner in session.execute(text("SELECT owner FROM kept_answer")).scalars()}
