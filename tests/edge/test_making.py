"""Large answers are made a few at a time. Whoever asks for a small one meanwhile is answered."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from threading import get_ident

import pytest
from anyio import sleep_forever
from starlette.types import Message

from service.edge import making as edge_making
from service.edge.cache import WireCache
from service.edge.codings import compress
from service.edge.making import AT_ONCE, LARGE_BODY, MOST, MOST_PER_NETWORK, Making, is_large
from tests.articles.newsroom import published
from tests.edge.asking import Answered, scope_of
from tests.patience import PATIENCE
from tests.serving import EDITOR, Store, settings_for

Asked = tuple[str, str, str, str]
"""The address of a client, a path, a query, and a token or none."""


def ask_together(store: Store, asked: list[Asked]) -> list[Answered]:
    """Send requests while no large answer can be made. Each is answered or waits before one of
    those can be.
    """

    async def ask(client: str, path: str, query: str, token: str) -> Answered:
        sent: list[Message] = []
        requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []

        async def receive() -> Message:
            return requests.pop() if requests else await sleep_forever()

        async def send(message: Message) -> None:
            sent.append(message)

        await store.app(scope_of("GET", path, query, headers, client=(client, 1)), receive, send)
        start, *bodies = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answered(start["status"], told, b"".join(message["body"] for message in bodies))

    async def together() -> list[Answered]:
        assert isinstance(store.app, WireCache)
        making, asking = store.app.making, list[asyncio.Task[Answered]]()
        async with AsyncExitStack() as held:
            for number in range(AT_ONCE):
                other = scope_of("GET", "/v1/articles", "limit=200", client=(f"203.0.113.{number}", 1))
                await held.enter_async_context(making.turn(other))
            asking += [asyncio.create_task(ask(*one)) for one in asked]
            async with asyncio.timeout(PATIENCE):
                while making.count - AT_ONCE + sum(one.done() for one in asking) < len(asked):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        return await asyncio.gather(*asking)

    return store.portal.call(together)


def statuses(answers: list[Answered]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def large(client: str, count: int, token: str = "", view: str = "public") -> list[Asked]:
    """Ask for so many large lists, each another one."""
    return [
        (client, "/v1/articles", f"limit=200&body=html&view={view}&section={client}-{number}", token)
        for number in range(count)
    ]


def test_one_network_has_a_few_large_lists_made_and_others_are_answered_meanwhile(store: Store) -> None:
    with store.client(*EDITOR) as editor:
        slug = published(editor)["slug"]
    small = [("192.0.2.1", f"/v1/articles/{slug}", "", ""), ("192.0.2.1", "/health/live", "", "")]
    answers = ask_together(store, [*large("192.0.2.1", 40), *large("192.0.2.2", 3), *small])
    assert statuses(answers[:40]) == {200: MOST_PER_NETWORK, 503: 40 - MOST_PER_NETWORK}
    assert statuses(answers[40:]) == {200: 5}
    refused = next(answer for answer in answers if answer.status == 503)
    assert refused.headers["retry-after"] == "2"
    assert b"/problems/too-much-to-make" in refused.body


@pytest.mark.slow
def test_all_networks_together_have_a_bounded_number_made(store: Store) -> None:
    clients = [f"198.51.100.{number}" for number in range(20)]
    answers = ask_together(store, [one for client in clients for one in large(client, 4)])
    most = MOST - AT_ONCE
    assert statuses(answers) == {200: most, 503: 80 - most}


def test_staffs_large_lists_are_bounded_alike(store: Store) -> None:
    token = store.token(*EDITOR)
    answers = ask_together(store, large("192.0.2.3", 30, token, "staff"))
    assert statuses(answers) == {200: MOST_PER_NETWORK, 503: 30 - MOST_PER_NETWORK}


def test_who_waits_for_changes_takes_no_turn(store: Store) -> None:
    with store.client() as reader:
        page = reader.get("/v1/changes?limit=200").json()
        while not page["caught_up"]:
            page = reader.get(page["next"]).json()
    query = f"limit=200&wait=1&{page['next'].partition('?')[2]}"
    waits = [("192.0.2.5", "/v1/changes", query, "")] * (MOST_PER_NETWORK + 4)
    assert 503 not in statuses(ask_together(store, waits))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (b"limit=200", True),
        (b"body=html&limit=51", True),
        (b"limit=50", False),
        (b"body=html", False),
        (b"limit=-200", False),
        (b"limit=x", False),
        (b"", False),
    ],
)
def test_a_page_is_large_by_its_limit(query: bytes, answer: bool) -> None:
    assert is_large(query) is answer


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_a_large_body_is_compressed_beside_the_event_loop_and_once_for_all(
    coding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def observed(body: bytes, coding: str) -> bytes:
        threads.append(get_ident())
        return compress(body, coding)

    monkeypatch.setattr(edge_making, "compress", observed)
    making = Making(settings_for(f"sqlite:///{tmp_path}/copydesk.db", tmp_path))
    body = random.Random(1).randbytes(LARGE_BODY // 2) * 8

    async def work() -> None:
        first, second = await asyncio.gather(*[making.compressed(body, coding) for _ in range(2)])
        assert first is second
        assert first == compress(body, coding)

    asyncio.run(work())
    assert len(threads) == 1
    assert threads != [get_ident()]


@pytest.mark.slow
def test_the_document_of_the_api_is_written_out_once_for_all(store: Store) -> None:
    with store.client() as reader:
        first = reader.get("/openapi.json", headers={"Accept-Encoding": "br"})
        assert first.json()["openapi"].startswith("3.")
        known = {"If-None-Match": first.headers["etag"], "Accept-Encoding": "br"}
        assert reader.get("/openapi.json", headers=known).status_code == 304
        hits = store.app.hits
        assert reader.get("/openapi.json", headers={"Accept-Encoding": "br"}).content == first.content
        assert store.app.hits == hits + 1
        assert reader.get("/openapi.json?other=1").status_code == 400


def test_a_large_page_with_hundreds_of_parameters_is_refused_as_a_small_one_is(store: Store) -> None:
    many = "&".join(["slug=quay"] * 300)
    with store.client() as reader:
        statuses = [reader.get(f"/v1/articles?limit={limit}&{many}").status_code for limit in (2, 200)]
    assert statuses == [422, 422]
