"""No body, whatever its shape, holds up the event loop, which all other requests wait for."""

import asyncio
import gc
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from service.main import create_api, examine
from tests.articles.newsroom import draft
from tests.edge.asking import scope_of
from tests.effort import LONG
from tests.everywhere.shapes import JSON, LARGEST, LINES, NINJS_TYPE, Sent, documents, lines, pages
from tests.serving import EDITOR, Store, serving

LONGEST_REFUSAL = 65_536
"""Bytes: fifty errors with some hundred characters of the request in each."""
MOST_HELD, MOST_KEPT_WAITING = 0.05, 0.2
"""Seconds of the processor that the loop's thread may work without a pause, and those of all threads while it
comes to no turn, because one of them keeps Python to itself: not of a clock, so that a busy machine fails
nothing. The second is longer, because threads beside it work too.
"""
MOST_COMPRESSING = 0.03
"""The same while a megabyte is compressed, which takes longer than that with each coding."""


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
        json.dumps({"headline": "x"} | {f"u{n}": n for n in range(900)}).encode(),
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
        # As a serving process does before its first request.
        examine(create_api(store.settings))
        gc.collect()
        gc.freeze()
        yield store
    gc.unfreeze()


@pytest.fixture(scope="module")
def known(a_store: Store) -> dict[str, str]:
    """What the paths of requests name, and a token."""
    with a_store.client(*EDITOR) as editor:
        article = editor.post("/v1/articles", json={"headline": "Low water"}).json()
        image = editor.post("/v1/images", json={"credit_line": "Ana Lind"}).json()
        return {"article": article["id"], "image": image["id"], "token": a_store.token("admin")}


@dataclass
class Held:
    """The longest times without a turn of the loop, in seconds of its thread and of all threads."""

    loop: float = 0.0
    all: float = 0.0


async def send(store: Store, sent: Sent, known: dict[str, str]) -> tuple[int, int, Held]:
    """Send a request; return the status, the size of the answer, and how long the loop was held."""
    body, held, is_over = sent.body, Held(), asyncio.Event()
    parts = [body[place : place + 65_536] for place in range(0, len(body), 65_536)] or [b""]
    answers: list[Message] = []

    async def watch() -> None:
        while not is_over.is_set():
            before, all_before = time.thread_time(), time.process_time()
            await asyncio.sleep(0.001)
            held.loop = max(held.loop, time.thread_time() - before)
            held.all = max(held.all, time.process_time() - all_before)

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def take(message: Message) -> None:
        answers.append(message)

    headers = [
        (b"authorization", b"Bearer " + known["token"].encode()),
        (b"content-type", sent.media_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"accept-encoding", sent.coding.encode()),
        (b"if-match", b"*"),
    ]
    path, _, query = sent.path.format(**known).partition("?")
    watching = asyncio.create_task(watch())
    await store.app(scope_of(sent.method, path, query, headers), receive, take)
    is_over.set()
    await watching
    return answers[0]["status"], sum(len(message.get("body", b"")) for message in answers), held


def send_and_watch(store: Store, sent: Sent, known: dict[str, str]) -> tuple[int, int, Held]:
    """Send a request, up to three times: a busy machine lengthens a turn now and then, and a body does always."""
    for _ in range(3):
        status, size, held = store.portal.call(send, store, sent, known)
        if held.loop < MOST_HELD and held.all < MOST_KEPT_WAITING:
            break
    return status, size, held


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_no_shape_holds_up_the_others(a_store: Store, known: dict[str, str], name: str) -> None:
    body, expected = SHAPES[name]
    assert len(body) <= 2_097_152
    status, size, held = send_and_watch(a_store, Sent("POST", "/v1/articles", JSON, body), known)
    assert status == expected
    assert size < (len(body) + 4_096 if status == 201 else 16_384)
    assert held.loop < MOST_HELD


MANY_ERRORS = json.dumps(
    {"headline": "x", "body": [{"type": "divider"} | {f"u{n}": n for n in range(140)}] * 200}
).encode()
WRONG = {"headlines": [1] * 140_000, "places": [1.5] * 140_000}


@pytest.mark.slow
@settings(
    max_examples=1_000 if LONG else 12,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.explicit, Phase.generate],
)
@example(Sent("POST", "/v1/imports", NINJS_TYPE, json.dumps({"uri": "x", **WRONG}).encode()))
@example(Sent("POST", "/v1/imports", "text/plain", b"Bridge reopens\nIt did so.\n" + b"a" * LARGEST))
@example(Sent("POST", "/v1/images", JSON, b'{"credit_line":[' + b"[]," * 600_000 + b"1]}"))
@example(Sent("POST", "/v1/articles/bulk", LINES, b'{"headline":[' + b"[]," * 600_000 + b"1]}"))
@example(
    Sent(
        "POST",
        "/v1/articles/bulk",
        LINES,
        json.dumps({"headline": "h", **dict.fromkeys(map(str, range(90_000)))}).encode(),
    )
)
@example(Sent("POST", "/v1/articles/bulk", LINES, b"{}\n" * 2_000))
@example(Sent("POST", "/v1/articles", JSON, MANY_ERRORS))
@example(
    Sent(
        "POST",
        "/v1/articles",
        JSON,
        json.dumps({"headline": "h", "body": [{"type": "x" * LARGEST}]}).encode(),
    )
)
@example(Sent("POST", "/v1/articles", JSON, json.dumps({"headline": "h", "x" * LARGEST: 1}).encode()))
@given(st.one_of(documents(), documents(), pages(), lines()))
def test_no_body_of_any_endpoint_holds_up_the_others(
    a_store: Store, known: dict[str, str], sent: Sent
) -> None:
    status, size, held = send_and_watch(a_store, sent, known)
    assert status < 500
    assert status < 400 or size < LONGEST_REFUSAL
    assert held.loop < MOST_HELD
    assert held.all < MOST_KEPT_WAITING


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_a_large_answer_to_staff_holds_up_nobody(a_store: Store, known: dict[str, str], coding: str) -> None:
    words = random.Random(1).choices([f"{n:x}" for n in range(5_000)], k=300_000)
    body = [{"type": "paragraph", "html": " ".join(words[n : n + 7_500])} for n in range(0, 300_000, 7_500)]
    with a_store.client(*EDITOR) as editor:
        made = editor.post("/v1/articles", json={"headline": "Low water", "body": body})
    sent = Sent("GET", f"/v1/articles/{made.json()['id']}", JSON, coding=coding)
    status, size, held = send_and_watch(a_store, sent, known)
    assert (status, size < 800_000) == (200, True)
    assert held.loop < MOST_COMPRESSING


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
