"""Writers, readers and followers of a cluster, and what each has seen. A client that gets no answer at one
address takes the other one, as with two addresses in the DNS.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self
from uuid import uuid4

import httpx

from tests.patience import PATIENCE

FRESH_WITHIN = 1.0
"""Seconds after which an acknowledged change must be in every answer."""
VARNISH = 1
"""The place of Varnish among the addresses."""


@dataclass
class Seen:
    """The requests of all threads and their results."""

    reads: int = 0
    writes: int = 0
    again: int = 0
    """Requests that a client has sent again, to the other address."""
    failed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    refused: list[tuple[float, str | None]] = field(default_factory=list)
    """When a write was answered 503, and with which Retry-After."""
    kept: float = 0.0
    """Seconds for which Varnish has shown an older state at the most."""
    acknowledged: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    copies: list[dict[str, int]] = field(default_factory=list)

    def latest(self, article: str, before: float) -> int:
        """Return the number of the last change that was acknowledged before a time."""
        return max((number for at, number in list(self.acknowledged[article]) if at <= before), default=-1)

    def late_by(self, article: str, number: int, asked_at: float) -> float:
        """Return how many seconds before the question a change was acknowledged that is not in the answer."""
        newer = [at for at, one in list(self.acknowledged[article]) if one > number]
        return max(0.0, asked_at - min(newer, default=asked_at))


def headline(number: int) -> str:
    return f"Tide {number}"


def number_of(text: str) -> int:
    return int(text.removeprefix("Tide "))


class Lives:
    """All clients of a cluster, at work for as long as the block lasts."""

    def __init__(self, addresses: list[str], token: str, writers: int, readers: int, followers: int) -> None:
        self.seen = Seen(copies=[{} for _ in range(followers)])
        self._addresses = addresses
        self._token = token
        self._ends = threading.Event()
        works: list[Callable[[], None]] = [self._write] * writers + [self._read] * readers
        works += [lambda copy=copy: self._follow(copy) for copy in self.seen.copies]
        self._threads = [threading.Thread(target=self._guarded, args=(work,)) for work in works]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001  # A thread that ends unseen would be a client less.
            self.seen.failed.append(f"{work}: {error!r}")

    @contextmanager
    def _clients(self, **headers: str) -> Iterator[list[httpx.Client]]:
        with ExitStack() as stack:
            made = [
                httpx.Client(base_url=base, headers=headers, timeout=30, verify=False)
                for base in self._addresses
            ]
            yield [stack.enter_context(client) for client in made]

    def _write(self) -> None:
        """Publish an article, change it some times, and begin anew. Each change is sent again until it is
        acknowledged: the first under a key, the others with the whole state that they lead to.
        """
        with self._clients(Authorization=f"Bearer {self._token}") as clients:
            while not self._ends.is_set():
                self._write_one(clients)

    def _write_one(self, clients: list[httpx.Client]) -> None:
        made = self._acknowledged(
            clients,
            "POST",
            "/v1/articles",
            json={"headline": headline(0), "status": "published"},
            headers={"Idempotency-Key": uuid4().hex},
        )
        if made is None:
            return
        article = made["id"]
        self.seen.acknowledged[article].append((time.monotonic(), 0))
        for number in range(1, 8):
            changed = self._acknowledged(
                clients,
                "PATCH",
                f"/v1/articles/{article}",
                json={"headline": headline(number)},
                headers={"If-Match": "*"},
            )
            if changed is None:
                return
            self.seen.acknowledged[article].append((time.monotonic(), number))
            self._ends.wait(0.25)

    def _acknowledged(
        self, clients: list[httpx.Client], method: str, path: str, **more: object
    ) -> dict | None:
        while not self._ends.is_set():
            for client in clients:
                try:
                    answer = client.request(method, path, **more)
                except httpx.TransportError:
                    self.seen.again += 1
                    continue
                if answer.is_success:
                    self.seen.writes += 1
                    return answer.json()
                if answer.status_code == 503:
                    self.seen.refused.append((time.monotonic(), answer.headers.get("retry-after")))
                elif answer.status_code in (502, 504):  # A proxy does not know what became of it.
                    self.seen.again += 1
                elif answer.status_code != 409:  # The first try may still be at work.
                    self.seen.failed.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
                self._ends.wait(0.3)
        return None

    def _read(self) -> None:
        chance = random.Random(threading.get_ident())
        with self._clients() as clients:
            while not self._ends.is_set():
                self._ends.wait(0.2 + 0.2 * chance.random())
                known = list(self.seen.acknowledged)
                if known and chance.random() < 0.8:
                    self._read_one(clients, chance.choice(known[-40:]))
                else:
                    self._answer(clients, "/v1/articles")

    def _read_one(self, clients: list[httpx.Client], article: str) -> None:
        asked_at = time.monotonic()
        answer, place = self._answer(clients, f"/v1/articles/{article}")
        if answer is None:
            return
        number = number_of(answer["headline"]) if "headline" in answer else -1
        late = self.seen.late_by(article, number, asked_at)
        if place == VARNISH:
            self.seen.kept = max(self.seen.kept, late)
        elif number < self.seen.latest(article, asked_at - FRESH_WITHIN):
            self.seen.stale.append(f"{article}: {number}, {late:.2f} s")

    def _answer(self, clients: list[httpx.Client], path: str) -> tuple[dict | None, int]:
        """Return an answer, and the address that gave it. What is not there yet is an answer too."""
        first = random.randrange(2)
        faults = []
        self.seen.reads += 1
        for place in (first, 1 - first):
            try:
                answer = clients[place].get(path)
            except httpx.TransportError as error:
                faults.append(repr(error))
            else:
                if answer.status_code in (200, 404):
                    return answer.json(), place
                faults.append(f"{answer.status_code} {answer.text[:200]}")
            self.seen.again += 1
        self.seen.failed.append(f"GET {path}: {faults}")
        return None, first

    def _follow(self, copy: dict[str, int]) -> None:
        """Keep a copy by the feed, in its order, until the end is reached after all others have ended."""
        with self._clients() as clients:
            self._copy_all(clients, copy)

    def _copy_all(self, clients: list[httpx.Client], copy: dict[str, int]) -> None:
        place, seq, ended_at = "/v1/changes", 0, float("inf")
        while True:
            if self._ends.is_set():
                ended_at = min(ended_at, time.monotonic())
            # What was acknowledged last must be there after a second.
            ended = time.monotonic() > ended_at + 2 * FRESH_WITHIN
            page, _ = self._answer(clients, place)
            if page is None or "items" not in page:
                time.sleep(0.1)
                continue
            for entry in page["items"]:
                assert entry["seq"] > seq, (entry["seq"], seq)
                seq = entry["seq"]
                if entry["kind"] == "article" and entry["op"] == "put":
                    copy[entry["id"]] = number_of(entry["data"]["headline"])
            place = page["next"]
            if page["caught_up"]:
                if ended:
                    return
                time.sleep(0.3)
