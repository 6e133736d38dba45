"""Eight clients of a store: writers, readers, followers of the feed, and readers who decide about cookies.

Each remembers what the store has acknowledged, so that it can be asked for it at the end.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import httpx

from tests.consent.deciding import decision
from tests.images.pictures import picture
from tests.sync.follower import DATA, raw_items
from tests.upgrade.balancing import Balancer

Given = TypeVar("Given")
LANGUAGES = ("en", "fr")
FOLLOW = "/v1/changes?limit=50"


class Clients:
    """The clients, and what has been acknowledged to them."""

    def __init__(self, balancer: Balancer, token: str) -> None:
        self.balancer = balancer
        self.token = token
        self.headlines: dict[str, str | None] = {}
        """Of each article that was acknowledged: its headline, or None when readers may not see it."""
        self.captions: dict[str, str] = {}
        self.decisions: dict[str, str] = {}
        """By the cookie of each reader who decided: the status."""
        self.copies: list[dict[tuple[str, str], str]] = [{}, {}]
        """What the followers hold: documents as they came."""
        self._addresses = ["/", "/v1/articles", "/feeds/rss.xml", "/sitemaps/news.xml", "/v1/sections"]
        self._ends = threading.Event()
        self._places = [FOLLOW, f"{FOLLOW}&wait=1"]
        self._seqs = [0, 0]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Have all of them at work for as long as the block lasts."""
        rooms = [self._write] * 3 + [self._read] * 2 + [self._decide]
        with ThreadPoolExecutor(8) as beside:
            lives = [
                beside.submit(self._live, room, random.Random(number)) for number, room in enumerate(rooms)
            ]
            lives += [beside.submit(self._live, self._read_page, number) for number in range(2)]
            try:
                yield
            finally:
                self._ends.set()
            for life in lives:
                life.result()

    def catch_up(self) -> None:
        """Have the followers read all that there is."""
        for number in range(len(self.copies)):
            while not self._read_page(number):
                pass

    def _live(self, work: Callable[[Given], object], given: Given) -> None:
        try:
            while not self._ends.is_set():
                work(given)
        except (AssertionError, httpx.TransportError) as fault:
            self.balancer.fail(f"{type(fault).__name__}: {fault}")

    def _ask(self, method: str, address: str, status: int = 200, **request: Any) -> httpx.Response:
        response = self.balancer.send(method, address, self.token, **request)
        assert response.status_code == status, (method, address, response.status_code, response.text[:300])
        return response

    def _write(self, chance: random.Random) -> None:
        """Write about a picture of its own: publish, edit, caption, take away."""
        colour = f"#{uuid4().hex[:6]}"
        sent = {"content": picture(colour=colour), "headers": {"Content-Type": "image/png"}}
        image = self._ask("POST", "/v1/images", 201, **sent).json()
        caption = {language: self._caption(image["id"], language) for language in ("en", "de")}
        article = self._publish(image["id"], chance.choice(LANGUAGES))
        self._addresses += [
            f"/read/{article['slug']}",
            f"/v1/articles/{article['id']}?body=html",
            f"/v1/articles/{article['id']}?format=ninjs",
            image["renditions"][-1]["href"],
        ]
        for number in range(chance.randrange(1, 4)):
            self._edit(article["id"], f"Edited {number} {uuid4().hex[:6]}")
            self._change_caption(caption[chance.choice(("en", "de"))])
        if chance.random() < 0.3:
            self._ask("POST", f"/v1/articles/{article['id']}/unpublish")
            self.headlines[article["id"]] = None

    def _publish(self, image: str, language: str) -> dict[str, Any]:
        body = [
            {"type": "image", "image_id": image},
            {"type": "paragraph", "html": "The tide is <b>out</b>."},
        ]
        article = {"headline": f"Ebb {uuid4().hex[:6]}", "body": body, "language": language}
        key = {"Idempotency-Key": uuid4().hex}
        made = self._ask("POST", "/v1/articles", 201, json={**article, "status": "published"}, headers=key)
        self.headlines[made.json()["id"]] = article["headline"]
        return made.json()

    def _edit(self, article: str, headline: str) -> None:
        whole = self._ask("GET", f"/v1/articles/{article}")
        # An editor's programme sends the members that it knows; each version may answer with more.
        condition = {"If-Match": whole.headers["etag"]}
        self._ask("PATCH", f"/v1/articles/{article}", json={"headline": headline}, headers=condition)
        self.headlines[article] = headline

    def _caption(self, image: str, language: str) -> str:
        words = {"image_id": image, "language": language, "text": f"Quay {uuid4().hex[:6]}"}
        made = self._ask("POST", "/v1/captions", 201, json=words).json()
        self.captions[made["id"]] = made["text"]
        return str(made["id"])

    def _change_caption(self, caption: str) -> None:
        words = {"text": f"Quay {uuid4().hex[:6]}"}
        self._ask("PATCH", f"/v1/captions/{caption}", json=words, headers={"If-Match": "*"})
        self.captions[caption] = words["text"]

    def _read(self, chance: random.Random) -> None:
        address = chance.choice(self._addresses)
        answer = self.balancer.send("GET", address)
        # What was taken away meanwhile is not found; nothing else is wrong with any of these.
        assert answer.status_code in (200, 404), (address, answer.status_code, answer.text[:300])

    def _decide(self, chance: random.Random) -> None:
        action = chance.choice(("accept_all", "reject_all"))
        made = self.balancer.send("POST", "/v1/consents", json=decision(action))
        assert made.status_code == 201, made.text
        cookie = made.headers["set-cookie"].partition(";")[0]
        self.decisions[cookie] = made.json()["status"]
        read = self.balancer.send("GET", "/v1/consents/current", headers={"Cookie": cookie})
        assert read.json()["status"] == self.decisions[cookie], read.text

    def _read_page(self, number: int) -> bool:
        """Apply one page of the feed to a copy; return whether nothing more is there."""
        response = self.balancer.send("GET", self._places[number])
        assert response.status_code == 200, response.text[:300]
        for entry, raw in raw_items(response.text):
            assert entry["seq"] > self._seqs[number], (entry["seq"], self._seqs[number])
            self._seqs[number] = entry["seq"]
            key = (entry["kind"], entry["id"])
            if entry["op"] == "put":
                self.copies[number][key] = raw[raw.index(DATA) + len(DATA) : -1]
            else:
                self.copies[number].pop(key, None)
        self._places[number] = response.json()["next"]
        return bool(response.json()["caught_up"])
