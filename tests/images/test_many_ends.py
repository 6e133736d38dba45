"""Many licences end in the same second, and from that second on no answer shows one of their pictures."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, func, select

from service.images.models import Image
from service.settings import Settings
from tests.clocks import MovableClock, clock
from tests.effort import LONG
from tests.images.pictures import make_caption, make_own_image
from tests.images.test_kill import CREDIT, WORDS, mentions, surfaces
from tests.images.test_rights import ENDED, is_carried_out
from tests.patience import wait_until
from tests.reporting import Figure
from tests.serving import Store, another, settings_for
from tests.sync.following import follow

__all__ = ["clock"]
PICTURES, ARTICLES, READERS, REQUESTS = (10_000, 50_000, 8, 10_000) if LONG else (40, 200, 4, 400)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, public_max_age=60)


def licensed(editor: httpx.Client, until: str) -> tuple[dict, dict, str]:
    """Return a picture whose licence has an end, its caption, and the address of a file."""
    image = make_own_image(editor, credit_line=CREDIT, usable_until=until)
    return image, make_caption(editor, image, WORDS), image["renditions"][0]["href"]


def articles_with(editor: httpx.Client, pictures: list[dict]) -> Iterator[tuple[dict, int]]:
    """Publish articles, each with one of the pictures; yield each with its picture's place."""
    for first in range(0, ARTICLES, 250):
        items = [
            {
                "source": "wire",
                "external_id": str(number),
                "headline": f"Palace {number}",
                "status": "published",
                "lead_image_id": pictures[number % PICTURES]["id"],
                "body": [{"type": "image", "image_id": pictures[number % PICTURES]["id"]}],
            }
            for number in range(first, min(ARTICLES, first + 250))
        ]
        made = editor.post("/v1/articles/bulk", json=items, timeout=120).json()["items"]
        for each in made:
            number = int(each["external_id"])
            yield {"id": each["id"], "slug": f"palace-{number}"}, number % PICTURES


@pytest.mark.slow
def test_licences_that_end_together_end_on_every_surface_at_once(
    store: Store,
    client: httpx.Client,
    editor: httpx.Client,
    clock: MovableClock,
    record_property: Figure,
) -> None:
    until = clock.in_(hours=12)
    with ThreadPoolExecutor(4) as together:
        shots = list(together.map(lambda _: licensed(editor, until), range(PICTURES)))
    articles = list(articles_with(editor, [image for image, _, _ in shots]))
    path = f"/v1/articles/{articles[0][0]['id']}"
    assert mentions(client.get(path).text)
    met: Counter[str] = Counter()
    told: list[str] = []
    ended, done = threading.Event(), threading.Event()
    with another(store) as second:

        def read(seed: int, running: Store) -> None:
            chance = random.Random(seed)
            with running.client() as reader:
                while not done.is_set():
                    article, place = chance.choice(articles)
                    image, caption, file = shots[place]
                    paths = surfaces(article, image, caption).values()
                    path = chance.choice([file, *(path for some in paths for path in some)])
                    is_after = ended.is_set()
                    answer = reader.get(path, timeout=120)
                    met["asked"] += is_after
                    is_served = answer.status_code != 410 if path == file else bool(mentions(answer.text))
                    if is_after and is_served:
                        told.append(path)

        threads = [
            threading.Thread(target=read, args=(number, (store, second)[number % 2]))
            for number in range(READERS)
        ]
        for thread in threads:
            thread.start()
        try:
            clock.set_forward(hours=12)
            ended.set()
            began = time.monotonic()
            wait_until(lambda: met["asked"] > REQUESTS)
            wait_until(lambda: _not_told(store) == 0)
            record_property("licences ended and told", f"{PICTURES} in {time.monotonic() - began:.0f} s")
        finally:
            done.set()
            for thread in threads:
                thread.join()
    record_property("requests from the end on, and mentions", f"{met['asked']}, {len(told)}")
    assert told == []
    if not LONG:
        wait_until(lambda: is_carried_out(store))
        copy = {entry["id"]: entry for entry in follow(client)[0] if entry["kind"] == "article"}
        assert len(copy) == ARTICLES
        assert all(entry["data"]["body"][0]["withdrawn"] == {"reason": ENDED} for entry in copy.values())


def _not_told(store: Store) -> int:
    """Return how many pictures are past their end and do not say so."""
    with store.database.reading() as session:
        return session.exec(select(func.count()).where(col(Image.expired_at).is_(None))).one()
