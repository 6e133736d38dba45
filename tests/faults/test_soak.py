"""Half an hour of everything at once: two workers take no more memory and no more descriptors than after a
while.
"""

import asyncio
import os
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

import httpx
import pytest

from tests.commands import copydesk
from tests.consent.deciding import decision
from tests.databases import empty_database
from tests.faults.apart import served_by
from tests.images.pictures import noise
from tests.reporting import Figure
from tests.serving import EDITOR, SECRET

MINUTES = float(os.environ.get("COPYDESK_TEST_SOAK_MINUTES", "30"))
SETTLED = 1 / 3
"""The share of the time after which every cache and pool is full."""
CLIENTS = 12
MOST_GROWTH = 0.1
HEAP = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "262144"}
"""As `run` and the container set them: each thread would have a heap of its own else, and keep what it ever
held.
"""


@dataclass
class Crowd:
    """Clients that write, read, follow and decide, each with a pause between."""

    client: httpx.AsyncClient
    token: dict[str, str]
    ends_at: float
    answers: int = 0
    faults: list[str] = field(default_factory=list)
    slugs: list[str] = field(default_factory=lambda: ["none"])

    async def go_on(self, number: int) -> None:
        """Do one thing after the other until the time is over."""
        chance = Random(number)
        acts = (
            self.publish,
            self.picture,
            self.read,
            self.read,
            self.read,
            self.search,
            self.follow,
            self.decide,
        )
        while time.monotonic() < self.ends_at:
            try:
                await acts[number % len(acts)](chance)
            except httpx.TransportError as fault:
                self.faults.append(repr(fault))
            await asyncio.sleep(chance.uniform(0, 0.1))

    async def ask(self, method: str, path: str, **request: object) -> httpx.Response:
        """Send a request. An answer of 500 and above is a fault."""
        answer = await self.client.request(method, path, **request)
        self.answers += 1
        if answer.status_code >= 500:
            self.faults.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    async def publish(self, chance: Random) -> None:
        """Publish an article, and edit it."""
        article = {
            "headline": f"Tide {chance.random()}",
            "status": "published",
            "section": chance.choice("abc"),
        }
        made = await self.ask("POST", "/v1/articles", json=article, headers=self.token)
        if made.status_code == 201:
            self.slugs.append(made.json()["slug"])
            edited = {"summary": "It turned."}
            where = f"/v1/articles/{made.json()['id']}"
            await self.ask("PATCH", where, json=edited, headers={**self.token, "If-Match": "*"})

    async def picture(self, chance: Random) -> None:
        """Upload a picture, and have a size of it made."""
        sent = {"content": noise((64, 64)), "headers": {**self.token, "Content-Type": "image/png"}}
        made = await self.ask("POST", "/v1/images", **sent)
        if made.status_code == 201:
            await self.ask("GET", made.json()["renditions"][-1]["href"], headers=self.token)
        await asyncio.sleep(chance.uniform(0, 1))

    async def read(self, chance: Random) -> None:
        """Read what is in memory, and what is not."""
        slug = chance.choice(self.slugs)
        for path in (
            f"/v1/articles/{slug}",
            f"/read/{slug}",
            "/",
            f"/v1/articles?limit={chance.randint(1, 200)}",
        ):
            await self.ask("GET", path)

    async def search(self, chance: Random) -> None:
        """Search, and read feeds."""
        await self.ask("GET", f"/v1/articles?q={chance.choice(('tide', 'turned', 'nothing'))}&limit=5")
        await self.ask(
            "GET", chance.choice(("/feeds/rss.xml", "/sitemaps/news.xml", "/v1/sections", "/metrics"))
        )

    async def follow(self, chance: Random) -> None:
        """Follow the feed for a while."""
        page = "/v1/changes?limit=50"
        for _ in range(chance.randint(1, 5)):
            answer = await self.ask("GET", page)
            page = answer.json()["next"].partition("&wait")[0] + "&wait=1"

    async def decide(self, chance: Random) -> None:
        """Decide about cookies."""
        made = await self.ask(
            "POST", "/v1/consents", json=decision(chance.choice(("accept_all", "reject_all")))
        )
        if made.status_code == 201:
            cookie = made.headers["set-cookie"].partition(";")[0]
            await self.ask("GET", "/v1/consents/current", headers={"Cookie": cookie})


def family(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


def kilobytes(pid: int) -> int:
    """Return the memory that a process has of its own."""
    [found] = re.findall(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found)


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


async def watch(crowd: Crowd, look: Callable[[], tuple[int, int]]) -> list[tuple[int, int]]:
    """Look once a second until the time is over; leave out what came before everything had settled."""
    seen = []
    while time.monotonic() < crowd.ends_at:
        await asyncio.sleep(1)
        seen.append(look())
    return seen[int(len(seen) * SETTLED) :]


@pytest.mark.long
def test_memory_and_descriptors_stay_what_they_are(
    tmp_path: Path, sqlite_template: Path, record_property: Figure
) -> None:
    scopes = [word for scope in EDITOR for word in ("--scope", scope)]
    with empty_database("postgresql", tmp_path, sqlite_template) as url:
        settings = {
            "COPYDESK_DATABASE_URL": url,
            "COPYDESK_MEDIA_URL": f"file:{tmp_path / 'media'}",
            "COPYDESK_SECRET_KEY": SECRET,
            "COPYDESK_WORKERS": "2",
            "COPYDESK_CACHE_BYTES": "4000000",
            "COPYDESK_CONSENT_RATE_LIMIT": "1000000",
            "COPYDESK_LOG_LEVEL": "warning",
        }
        token = copydesk(tmp_path, "token", "create", "--name", "desk", *scopes, **settings).stdout.strip()
        with served_by((), tmp_path, **settings, **HEAP) as (base, started):

            def look() -> tuple[int, int]:
                pids = family(started)
                return sum(map(kilobytes, pids)), sum(map(descriptors, pids))

            async def main() -> tuple[Crowd, list[tuple[int, int]]]:
                async with httpx.AsyncClient(base_url=base, timeout=60) as client:
                    crowd = Crowd(
                        client, {"Authorization": f"Bearer {token}"}, time.monotonic() + 60 * MINUTES
                    )
                    lives: list[Awaitable[None]] = [crowd.go_on(number) for number in range(CLIENTS)]
                    seen, *_ = await asyncio.gather(watch(crowd, look), *lives)
                return crowd, seen

            crowd, seen = asyncio.run(main())
    part = len(seen) // 5
    (first, opened), (last, open_last) = (
        (median(memory for memory, _ in some), median(files for _, files in some))
        for some in (seen[:part], seen[-part:])
    )
    record_property("minutes, answers", f"{MINUTES:g}, {crowd.answers}")
    record_property("MiB of memory after a third, and at the end", f"{first / 1024:.0f}, {last / 1024:.0f}")
    record_property("descriptors after a third, and at the end", f"{opened:.0f}, {open_last:.0f}")
    assert crowd.faults == []
    assert last <= first * (1 + MOST_GROWTH)
    assert open_last <= opened + CLIENTS
