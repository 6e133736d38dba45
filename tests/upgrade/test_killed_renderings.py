"""`copydesk render` loses and repeats no change, however often it is killed, and however many
share the work.
"""

import json
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from service.published import backlog
from service.published.models import Kind, Published, PublishedSequence
from tests.commands import Command
from tests.effort import LONG
from tests.images.pictures import make_caption, make_image
from tests.patience import PATIENCE, wait_until
from tests.reporting import Figure
from tests.serving import SECRET, Store
from tests.sync.following import Entry, follow, now_at

ARTICLES, KILLS = (20_000, 10) if LONG else (300, 2)
AT_ONCE = 500
TOGETHER = 2


def fill(editor: httpx.Client) -> None:
    """Publish articles, two thirds of which show another caption when the language of the house is German."""
    image = make_image(editor)
    make_caption(editor, image, "The harbour.")
    make_caption(editor, image, "Der Hafen.", language="de")
    for first in range(0, ARTICLES, AT_ONCE):
        items = [article(number, image["id"]) for number in range(first, min(first + AT_ONCE, ARTICLES))]
        answer = editor.post("/v1/articles/bulk", json=items, timeout=PATIENCE)
        assert {item["status"] for item in answer.json()["items"]} == {201}


def article(number: int, image: str) -> dict[str, object]:
    return {
        "source": "wire",
        "external_id": str(number),
        "headline": f"Story {number}",
        "status": "published",
        "language": "en" if number % 3 == 0 else "fr",
        "body": [{"type": "image", "image_id": image}, {"type": "paragraph", "html": f"Sentence {number}."}],
    }


def changed_by_language() -> int:
    return ARTICLES - len(range(0, ARTICLES, 3))


def render_in_german(store: Store, folder: Path) -> list[dict[str, int]]:
    """Kill some `copydesk render` at work, then let some end together; return what those say."""
    settings = {
        "COPYDESK_DATABASE_URL": store.settings.database_url,
        "COPYDESK_MEDIA_URL": store.settings.media_url,
        "COPYDESK_SECRET_KEY": SECRET,
        "COPYDESK_LANGUAGE": "de",
    }
    for _ in range(KILLS):
        before = rendered(store)
        with Command(folder, "render", **settings) as command:
            wait_until(lambda before=before: rendered(store) > before)
            time.sleep(random.uniform(0, 0.03))
            command.kill()
            assert command.wait() == -signal.SIGKILL, (
                "it ended before it was killed: there was not enough to do"
            )
    with ExitStack() as stack:
        commands = [
            stack.enter_context(Command(folder, "render", "--json", **settings)) for _ in range(TOGETHER)
        ]
        assert [command.wait() for command in commands] == [0] * TOGETHER, commands[0].error()
        return [json.loads(command.output()) for command in commands]


def rendered(store: Store) -> int:
    """Count the documents that are of the newest rendering by now."""
    with store.database.reading() as session:
        return session.exec(select(func.count()).where(Published.rendering > 1)).one()


@contextmanager
def following(client: httpx.Client) -> Iterator[Callable[[], list[Entry]]]:
    """Follow the feed from here on beside the block, which gets a function that returns all that was told."""
    told, ends = [], threading.Event()
    place = now_at(client)

    def go_on(place: str) -> str:
        while not ends.is_set():
            entries, place = follow(client, place)
            told.extend(entries)
            ends.wait(0.2)
        return place

    with ThreadPoolExecutor(1) as beside:
        follower = beside.submit(go_on, place)

        def finish() -> list[Entry]:
            ends.set()
            return told + follow(client, follower.result())[0]

        try:
            yield finish
        finally:
            ends.set()


def numbers(store: Store) -> int:
    """Return the last number that a change has taken."""
    with store.database.reading() as session:
        return session.exec(select(PublishedSequence.seq)).one()


def test_each_changed_document_is_told_once(
    store: Store,
    editor: httpx.Client,
    client: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Figure,
) -> None:
    fill(editor)
    copy = {entry["id"]: entry["data"] for entry in follow(client)[0] if entry["kind"] == "article"}
    before = numbers(store)
    monkeypatch.setattr(backlog, "COUNTS_EVERY", 0.0)
    with following(client) as finish:
        counts = render_in_german(store, tmp_path)
        told = finish()
    changed = changed_by_language()
    assert numbers(store) - before == changed == len(told)
    assert len({entry["id"] for entry in told}) == changed
    copy.update((entry["id"], entry["data"]) for entry in told)
    with store.database.reading() as session:
        rows = session.exec(select(Published).where(Published.kind == Kind.ARTICLE)).all()
        assert session.exec(select(Published.rendering).distinct()).all() == [2]
    assert {str(row.id): json.loads(row.document) for row in rows} == copy
    german = [data for data in copy.values() if data["body"][0]["caption"]["text"] == "Der Hafen."]
    assert len(german) == changed
    assert [count["failed"] for count in counts] == [0] * TOGETHER
    record_property(f"kills over {ARTICLES:,} articles, changes lost or told twice", f"{KILLS}, 0")
    # The serving process speaks English still: nothing awaits it, and it leaves alone what others have
    # rendered.
    assert client.get("/health/ready").json()["rendering"] == "ok"
