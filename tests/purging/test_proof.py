"""What a cache keeps equals what the origin answers, once it is purged, whatever was written by whomever."""

import json
import os
import random
import statistics
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlmodel import select

from service.published.models import Published
from service.purging.models import PurgePlace
from tests.articles.newsroom import Article, caption, mark, picture, soon
from tests.databases import KINDS
from tests.patience import wait_until
from tests.purging.front import Cache, Caller, called
from tests.purging.test_purging import caught_up
from tests.serving import EDITOR, Store, serving

SECTIONS, LANGUAGES = [f"Section {number}" for number in range(6)], ["en", "pt-BR", "zh-Hans"]
TAGS, AUTHORS = [f"tag {number}" for number in range(12)], [f"Author {number}" for number in range(8)]
ANY = {"If-Match": "*"}
AGAIN = 1.0
RATIO = 1.3


@dataclass
class Desk:
    """Writers who act at random on the same articles and pictures; what was refused is as good as what was
    done.
    """

    editor: httpx.Client
    chance: random.Random
    articles: list[Article]
    images: list[str]
    captions: list[str]
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def act(self) -> None:
        """Do one thing."""
        name = self.chance.choices(list(ACTS), [weight for _, weight in ACTS.values()])[0]
        answer = ACTS[name][0](self)
        assert answer.status_code < 500, answer.text
        (self.done if answer.is_success else self.refused)[name] += 1

    def fields(self) -> Article:
        """Members of a new article."""
        return {
            "headline": mark(),
            "section": self.chance.choice([*SECTIONS, None]),
            "language": self.chance.choice(LANGUAGES),
            "tags": self.chance.sample(TAGS, 2),
            "authors": [{"name": self.chance.choice(AUTHORS)}],
            "lead_image_id": self.chance.choice([*self.images[:20], None]),
        }

    def one(self) -> str:
        """The path of some article: often a new one."""
        known = self.articles
        found = self.chance.choice(known[-60:] if self.chance.random() < 0.7 else known)
        return f"/v1/articles/{found['id']}"

    def create(self, **members: object) -> httpx.Response:
        made = self.editor.post("/v1/articles", json=self.fields() | members)
        if made.is_success:
            self.articles.append(made.json())
        return made

    def edit(self, **members: object) -> httpx.Response:
        return self.editor.patch(self.one(), json=members, headers=ANY)

    def do(self, action: str, **members: object) -> httpx.Response:
        return self.editor.post(f"{self.one()}/{action}", json=members)

    def bulk(self) -> httpx.Response:
        fresh = {"source": "wire", "status": "published"}
        lines = [json.dumps({**self.fields(), **fresh, "external_id": mark()}) for _ in range(5)]
        return self.editor.post(
            "/v1/articles/bulk", content="\n".join(lines), headers={"Content-Type": "application/x-ndjson"}
        )

    def is_everything_out(self) -> bool:
        """Whether every embargo has ended."""
        return not self.editor.get("/v1/articles?status=scheduled").json()["items"]

    def revive(self) -> httpx.Response:
        """Bring an article back: out of the trash, and to readers."""
        path = self.one()
        self.editor.post(f"{path}/restore")
        return self.editor.post(f"{path}/publish", json={})

    def picture(self, action: str) -> httpx.Response:
        image = self.chance.choice(self.images)
        return self.editor.post(f"/v1/images/{image}/{action}", json={"reason": "A right was missing."})


ACTS: dict[str, tuple[Callable[[Desk], httpx.Response], int]] = {
    "draft": (lambda desk: desk.create(), 6),
    "create": (lambda desk: desk.create(status="published"), 14),
    "publish": (lambda desk: desk.do("publish"), 6),
    "edit": (lambda desk: desk.edit(summary=mark()), 20),
    "caption": (
        lambda desk: desk.editor.patch(
            f"/v1/captions/{desk.chance.choice(desk.captions)}", json={"text": mark()}, headers=ANY
        ),
        8,
    ),
    "lead": (lambda desk: desk.edit(lead_image_id=desk.chance.choice(desk.images)), 5),
    "section": (lambda desk: desk.edit(section=desk.chance.choice(SECTIONS)), 5),
    "tags": (lambda desk: desk.edit(tags=desk.chance.sample(TAGS, 2)), 5),
    "author": (lambda desk: desk.edit(authors=[{"name": desk.chance.choice(AUTHORS)}]), 2),
    "slug": (lambda desk: desk.edit(slug=mark()), 2),
    "unpublish": (lambda desk: desk.do("unpublish"), 4),
    "withdraw": (lambda desk: desk.do("withdraw", reason="It named the wrong person."), 1),
    "trash": (lambda desk: desk.editor.delete(desk.one(), headers=ANY), 3),
    "revive": (lambda desk: desk.revive(), 5),
    "embargo": (lambda desk: desk.create(status="published", embargoed_until=soon(2)), 3),
    "correct": (lambda desk: desk.do("corrections", text=mark()), 4),
    "bulk": (lambda desk: desk.bulk(), 1),
    "picture withdrawn": (lambda desk: desk.picture("withdraw"), 1),
    "picture back": (lambda desk: desk.picture("reinstate"), 2),
}


def addresses(desk: Desk) -> list[str]:
    """What readers ask for: articles, their pages, and lists of every kind."""
    newest = desk.articles[-150:]
    own = [f"/v1/articles/{each['id']}" for each in newest] + [
        f"/v1/articles/{each['slug']}" for each in newest
    ]
    lists = ["/v1/articles", "/feeds/rss.xml", "/sitemaps/index.xml", "/v1/tags", "/v1/sections"]
    lists += [f"/v1/articles?section={each}" for each in SECTIONS] + [
        f"/feeds/feed.json?section={SECTIONS[0]}"
    ]
    lists += [f"/v1/articles?tag={each}&limit=10" for each in TAGS]
    lists += [f"/v1/articles?author={each}&limit=10" for each in AUTHORS]
    lists += [f"/v1/articles?language={each}" for each in ("en", "pt", "zh")]
    lists += [
        f"/v1/articles?section={SECTIONS[1]}&tag={TAGS[1]}",
        f"/v1/articles?related_to={newest[0]['id']}",
    ]
    return [*own, *lists * 3, *(f"/v1/images/{each}" for each in desk.images)]


@contextmanager
def newsroom(
    kind: str, folder: Path, template: Path, caller: Caller, articles: int
) -> Iterator[tuple[Store, Desk, Cache]]:
    """A store with some articles and pictures, and a cache in front that is purged."""
    purged = {"purge_kind": "url", "purge_url": (caller.url,), "cache_keys": "surrogate-key"}
    with (
        serving(kind, folder, template, purge_again=AGAIN, **purged) as store,
        store.client(*EDITOR) as editor,
        store.client() as reader,
    ):
        images = [picture(editor)["id"] for _ in range(30)]
        said = [caption(editor, image)["id"] for image in images]
        desk = Desk(editor, random.Random(18), [], images, said)
        for _ in range(articles):
            desk.create(status="published")
        caught_up(store)
        cache = Cache(reader.get)
        caller.act = cache.drop
        yield store, desk, cache


def settled(store: Store) -> None:
    """Wait until everything was dropped for the second time."""
    caught_up(store)
    wait_until(lambda: not _unsettled(store), "the cache was never purged again")


def _unsettled(store: Store) -> bool:
    with store.database.reading() as session:
        place = session.get(PurgePlace, 1)
    return place is None or place.settled_seq < place.seq


def prove(kind: str, folder: Path, template: Path, *, acts: int, writers: int, reads: int) -> None:
    """Let writers act, and read after each act what readers may; then compare all that is kept."""
    with called() as caller, newsroom(kind, folder, template, caller, 20 * writers) as (store, desk, cache):
        caller.heard.clear()
        left, guard = iter(range(acts)), threading.Lock()

        def write() -> None:
            while True:
                with guard:
                    if next(left, None) is None:
                        return
                desk.act()
                for address in desk.chance.sample(addresses(desk), reads):
                    cache.get(address)

        with ThreadPoolExecutor(writers) as pool:
            for writer in [pool.submit(write) for _ in range(writers)]:
                writer.result()
        wait_until(desk.is_everything_out, "an embargo never ended")
        settled(store)
        assert not cache.stale(), "a kept answer differs from the origin's"
        assert len(cache.kept) > 20
        before = len(caller.heard)
        for _ in range(5):
            desk.create()
        settled(store)
        assert len(caller.heard) == before, "drafts purge nothing"
        _tell(store, caller, cache, desk, acts)
        assert cache.unchanged <= RATIO * cache.changed, (cache.unchanged, cache.changed, cache.needless)


def _tell(store: Store, caller: Caller, cache: Cache, desk: Desk, acts: int) -> None:
    """Print the figures of the long proof."""
    if not os.environ.get("COPYDESK_TEST_LONG"):
        return
    with store.database.reading() as session:
        rows = session.exec(select(Published.id, Published.kind, Published.changed_at)).all()
    first: dict[str, float] = {}
    for call in caller.heard:
        for key in call.keys:
            first[key] = max(first.get(key, 0.0), call.at)
    at = {f"{kind[0]}-{id_.hex[-16:]}": changed_at.timestamp() for id_, kind, changed_at in rows}
    lags = sorted(
        min(call.at for call in caller.heard if key in call.keys and call.at >= changed) - changed
        for key, changed in at.items()
        if any(key in call.keys and call.at >= changed for call in caller.heard)
    )
    cuts = statistics.quantiles(lags, n=100)
    sys.stderr.write(
        f"\n{store.settings.database_url[:6]}: acts {acts} done {sum(desk.done.values())} refused"
        f" {sum(desk.refused.values())}; calls {len(caller.heard)} keys {len(caller.keys)}; dropped changed"
        f" {cache.changed} unchanged {cache.unchanged} ratio {cache.unchanged / max(1, cache.changed):.2f};"
        f" lag p50 {cuts[49] * 1000:.0f} ms p99 {cuts[98] * 1000:.0f} ms; most needless"
        f" {Counter(cache.needless).most_common(12)}\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_the_origin_answers(kind: str, tmp_path: Path, sqlite_template: Path) -> None:
    prove(kind, tmp_path, sqlite_template, acts=60, writers=2, reads=8)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_what_the_origin_answers_after_2000_acts(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    prove(kind, tmp_path, sqlite_template, acts=2_000, writers=8, reads=20)
