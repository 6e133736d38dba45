"""No body, whatever its shape, holds up the event loop, which all other requests wait for."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from tests.articles.newsroom import draft
from tests.edge.asking import scope_of
from tests.serving import EDITOR, Store, serving

LARGEST = 1_990_000
MOST_HELD = 0.05
"""Seconds of the processor that the loop's thread may work without a pause: not of a clock, so that a busy machine
fails nothing.
"""


def article(*html: str) -> bytes:
    return json.dumps(
        {"headline": "x", "body": [{"type": "paragraph", "html": one} for one in html]}
    ).encode()


def filled(start: str, piece: str, end: str) -> bytes:
    """Return a document as long as one may be, made of one piece again and again."""
    count = (LARGEST - len(start) - len(end)) // len(piece)
    return (start + piece * count + end).encode()


SHAPES: dict[str, tuple[bytes, int]] = {
    "as long as an article may be": (article(*["rain, and wind " * 3_300] * 40), 201),
    "nested elements": (article(*["<em>" * 9_000] * 4), 422),
    "repeated attributes": (
        article("<a " + "href=x " * 6_500 + ">x</a>", "<a " + "b=1 " * 12_000 + ">x</a>"),
        201,
    ),
    "less than": (article(*["<" * 13_000] * 4), 422),
    "comments": (article(*["<!--" * 12_000] * 4), 201),
    "unknown members": (json.dumps({"headline": "x"} | {f"u{n}": 1 for n in range(120_000)}).encode(), 400),
    "some unknown members": (
        json.dumps({"headline": "x"} | {f"u{n}": n for n in range(9_000)}).encode(),
        422,
    ),
    "members with odd names": (
        json.dumps({"headline": "x"} | {f'{n}"\\': n for n in range(90_000)}).encode(),
        400,
    ),
    "empty lists": (filled('{"headline":"x","body":[', "[],", "1]}"), 400),
    "empty objects": (filled('{"headline":"x","body":[', "{},", "1]}"), 400),
    "numbers": (filled('{"headline":"x","tags":[', "1,", "1]}"), 400),
    "wrong tags": (json.dumps({"headline": "x", "tags": [1] * 15_000}).encode(), 422),
    "a level in each level": (b'{"headline":' + b"[" * 900 + b"]" * 900 + b"}", 400),
    "a long number": (filled('{"headline":', "9", "}"), 400),
    "escapes": (filled('{"headline":"', "\\u0041", '"}'), 422),
    "half an object": (b"{" * 40_000, 400),
}


@pytest.fixture(scope="module")
def a_store(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Store]:
    with serving("sqlite", tmp_path_factory.mktemp("store"), sqlite_template) as store:
        with store.client(*EDITOR) as editor:
            editor.post("/v1/articles", json={"headline": "Whatever is made once is made now"})
        yield store


async def post(store: Store, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, int, float]:
    """Post an article; return the status, the size of the answer, and the longest time that the loop was held."""
    parts = [body[place : place + 65_536] for place in range(0, len(body), 65_536)]
    sent: list[Message] = []
    held, is_over = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal held
        while not is_over.is_set():
            before = time.thread_time()
            await asyncio.sleep(0)
            held = max(held, time.thread_time() - before)
            await asyncio.sleep(0.001)

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    watching = asyncio.create_task(watch())
    await store.app(scope_of("POST", "/v1/articles", "", headers), receive, send)
    is_over.set()
    await watching
    return sent[0]["status"], sum(len(message.get("body", b"")) for message in sent), held


@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_holds_up_the_others(a_store: Store, name: str) -> None:
    body, expected = SHAPES[name]
    assert len(body) <= 2_097_152
    headers = [
        (b"authorization", b"Bearer " + a_store.token(*EDITOR).encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]
    status, size, held = a_store.portal.call(post, a_store, headers, body)
    assert status == expected
    assert size < (len(body) + 4_096 if status == 201 else 16_384)
    assert held < MOST_HELD


def test_at_most_fifty_errors_are_told(a_store: Store) -> None:
    with a_store.client(*EDITOR) as editor:
        for wrong in ({f"unknown{n}": 1 for n in range(60)}, {"tags": [1] * 60}):
            answer = editor.post("/v1/articles", json={"headline": "Low water", **wrong})
            assert (answer.status_code, len(answer.json()["errors"])) == (422, 50)


@pytest.mark.parametrize(
    "body",
    ['{"headline": "a", "headline": "b"}', '{"headline": "a", "body": [{"type": "divider", "type": "x"}]}'],
)
def test_a_member_is_given_once(a_store: Store, body: str) -> None:
    with a_store.client(*EDITOR) as editor:
        answer = editor.post(
            "/v1/articles", content=body + " " * 9_000, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/repeated-member")


@pytest.mark.parametrize("body", [{"at": "tomorrow"}, {"until": "noon"}])
def test_a_bad_body_whose_members_may_all_be_absent_is_refused(
    editor: httpx.Client, body: dict[str, str]
) -> None:
    article = draft(editor)
    refused = editor.post(f"/v1/articles/{article['id']}/publish", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, f"/{next(iter(body))}")
