"""Let partners follow a store and be called by it, and keep where they stopped."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.stores.manifest import Follower, Hook
from tests.sync.follower import DATA, raw_items
from tests.webhooks.receiver import Receiver, receiver

FILTERS = ("section=Coast", "language=sv", "kind=image,caption", "section=City&language=en")
NOBODY = "http://127.0.0.1:65535/hook"
"""Where a kept webhook points: a port that no system gives to a test that asks for a free one."""


def follow(client: httpx.Client, address: str, holds: dict[str, str], pages: int = 1_000) -> str:
    """Follow from an address on, and apply what is told to a copy; return where to go on."""
    for _ in range(pages):
        response = client.get(address)
        assert response.status_code == 200, (address, response.text)
        for entry, raw in raw_items(response.text):
            key = f"{entry['kind']}/{entry['id']}"
            if entry["op"] == "put":
                holds[key] = digest(raw[raw.index(DATA) + len(DATA) : -1])
            else:
                holds.pop(key, None)
        address = response.json()["next"]
        if response.json()["caught_up"]:
            break
    return address


def digest(document: str) -> str:
    """Return the beginning of the SHA-256 of a document."""
    return hashlib.sha256(document.encode()).hexdigest()[:16]


class Partners:
    """Partners that follow the feed; each stops for good at some stage."""

    def __init__(self, partner: httpx.Client, staff: httpx.Client) -> None:
        self.partner = partner
        self.staff = staff
        self.stopped: list[Follower] = []

    def look(self, stage: str) -> None:
        """Let some partners follow up to now, and stop."""
        self._stop("", stop_after=1 if stage == "rest" else 1_000)
        self._stop("", staff=True)
        if stage in ("rest", "undone"):
            for query in FILTERS:
                self._stop(query)

    def _stop(self, query: str, *, staff: bool = False, stop_after: int = 1_000) -> None:
        holds: dict[str, str] = {}
        asked = "&".join(filter(None, ["limit=7", query, "view=staff" if staff else ""]))
        client = self.staff if staff else self.partner
        following = follow(client, f"/v1/changes?{asked}", holds, stop_after)
        self.stopped.append(Follower(query=query, staff=staff, next=following, holds=holds))


class Hooks:
    """Webhooks that were called, and one that still has messages to come."""

    def __init__(self, keeper: httpx.Client, partner: Receiver) -> None:
        self.keeper = keeper
        self.partner = partner
        self.waits = self._make(name="Waits")
        partner.secret = self.waits["secret"]

    def _make(self, **members: Any) -> dict[str, Any]:
        response = self.keeper.post("/v1/webhooks", json={"url": self.partner.url, **members})
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def refuse(self) -> None:
        """From now on the partner takes no message, once it has taken all there are."""
        _until(lambda: not self._log(self.waits, "pending"))
        self.partner.answer = (500, {}, b"closed")

    def stop(self) -> list[Hook]:
        """Stop calling; return what each webhook was told, and what is still to come."""
        _until(lambda: any(delivery["attempts"] for delivery in self._log(self.waits, "pending")))
        gone = self._make(name="Gone", kinds=["caption"], sections=["Coast"], languages=["sv"])
        self._patch(gone, enabled=False)
        changed = self.keeper.post(f"/v1/webhooks/{self.waits['id']}/secret")
        assert changed.status_code == 200, changed.text
        self.waits["secret"] = changed.json()["secret"]
        return [self._kept(hook) for hook in (self.waits, gone)]

    def _kept(self, hook: dict[str, Any]) -> Hook:
        self._patch(hook, enabled=False, url=NOBODY)
        pending, finished = (
            [delivery["message_id"] for delivery in self._log(hook, status)]
            for status in ("pending", "delivered")
        )
        return Hook(id=hook["id"], secret=hook["secret"], pending=pending, finished=finished)

    def _patch(self, hook: dict[str, Any], **members: Any) -> None:
        path = f"/v1/webhooks/{hook['id']}"
        answer = self.keeper.patch(path, json=members, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text

    def _log(self, hook: dict[str, Any], status: str) -> list[dict[str, Any]]:
        found = self.keeper.get(f"/v1/webhooks/{hook['id']}/deliveries?limit=200").json()["items"]
        chosen = [delivery for delivery in found if delivery["status"] == status]
        return sorted(chosen, key=lambda delivery: (delivery["seq"], delivery["id"]))


@contextmanager
def called(keeper: httpx.Client, paths: set[str]) -> Iterator[Hooks | None]:
    """Webhooks with their receiver, where the version has webhooks."""
    if "/v1/webhooks" not in paths:
        yield None
        return
    with receiver() as partner:
        yield Hooks(keeper, partner)


def _until(condition: Any) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("the webhooks were not done within 30 seconds")
