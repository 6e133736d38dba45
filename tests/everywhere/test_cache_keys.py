"""Keys in answers and in changes, by which a cache in front drops what has changed and nothing else."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from tests.articles.newsroom import Article, do, edit, mark, published
from tests.images.pictures import make_caption, make_image
from tests.serving import EDITOR, Store, another


@pytest.fixture
def keyed(store: Store) -> Iterator[Store]:
    """A store whose answers name keys."""
    with another(store, cache_keys="surrogate-key") as second:
        yield second


@pytest.fixture
def writer(keyed: Store) -> Iterator[httpx.Client]:
    """An editor of that store."""
    with keyed.client(*EDITOR) as client:
        yield client


def keys_of(answer: httpx.Response) -> set[str]:
    named = answer.headers["surrogate-key"].split(" ")
    assert len(answer.headers["surrogate-key"]) < 4_096 and "copydesk" in named
    return set(named)


@dataclass
class Cache:
    """A cache in front of a store that honours keys and ignores time, and the purger that empties it."""

    origin: httpx.Client
    following: str = ""
    kept: dict[str, httpx.Response] = field(default_factory=dict)
    dropped: int = 0

    def begin(self) -> None:
        """Follow the feed from where it ends now."""
        self.following = "/v1/changes?limit=200"
        self.purge()
        self.dropped = 0

    def get(self, address: str) -> httpx.Response:
        if address not in self.kept:
            self.kept[address] = self.origin.get(address)
            assert self.kept[address].headers["cache-control"].startswith("public"), address
        return self.kept[address]

    def purge(self) -> None:
        """Drop what the changes since the last time concern."""
        caught_up = False
        while not caught_up:
            page = self.origin.get(self.following).json()
            self.following, caught_up = page["next"], page["caught_up"]
            for entry in page["items"]:
                concerned = set(entry["keys"])
                stale = [address for address, answer in self.kept.items() if keys_of(answer) & concerned]
                for address in stale:
                    del self.kept[address]
                self.dropped += len(stale)


@pytest.fixture
def cache(keyed: Store) -> Iterator[Cache]:
    """A cache in front of the store."""
    with keyed.client() as client:
        made = Cache(client)
        made.begin()
        yield made


def test_an_answer_names_what_it_depends_on(keyed: Store, writer: httpx.Client) -> None:
    article = published(writer, section="Harbour", language="pt-BR", tags=["quay"], authors=[{"name": "Ada"}])
    with keyed.client() as client:
        own = keys_of(client.get(f"/v1/articles/{article['id']}"))
        assert own == keys_of(client.get(f"/read/{article['slug']}")) - {"notices"}
        assert own | {"listing"} <= keys_of(client.get("/v1/articles"))
        assert keys_of(client.get("/v1/articles?q=harbour")) == {"articles", "copydesk"}
        narrowed = keys_of(client.get("/v1/articles?section=Harbour"))
        assert own < narrowed == keys_of(client.get("/feeds/rss.xml?section=Harbour"))
        assert narrowed & keys_of(client.get("/v1/articles?section=Sport")) == {"copydesk"}
        lists = ["language=pt", "tag=quay", "author=Ada", "section=Harbour&tag=quay"]
        listed = [keys_of(client.get(f"/v1/articles?{narrowing}")) for narrowing in lists]
        assert listed[1] == listed[3], "the narrowest of what a list is narrowed to is enough"
        (entry,) = client.get("/v1/changes?section=Harbour").json()["items"]
        concerned = own.union(narrowed, *listed) - {"copydesk"}
        assert concerned | {"articles", "listing", "l-pt-br"} == set(entry["keys"])
    with keyed.client("content:read") as staff:
        assert "surrogate-key" not in staff.get(f"/v1/articles/{article['id']}").headers


def test_the_header_is_that_of_the_setting_and_is_absent_without(store: Store, client: httpx.Client) -> None:
    assert "surrogate-key" not in client.get("/v1/articles").headers
    with another(store, cache_keys="cache-tag") as second, second.client() as tagged:
        for _ in range(2):
            assert tagged.get("/v1/articles?section=A&section=B").headers["cache-tag"].count(",") == 2


def test_a_changed_caption_empties_the_addresses_that_show_it_and_no_other(
    cache: Cache, writer: httpx.Client
) -> None:
    image = make_image(writer, credit_line=mark())["id"]
    said = make_caption(writer, {"id": image})
    shows = published(writer, section="City", lead_image_id=image)
    other = published(writer, section="Sport")
    cache.purge()
    touched = [
        f"/v1/articles/{shows['id']}",
        "/v1/articles?section=City",
        "/v1/articles",
        f"/v1/images/{image}",
    ]
    spared = [f"/v1/articles/{other['id']}", "/v1/articles?section=Sport", "/feeds/atom.xml?section=Sport"]
    for address in touched + spared:
        assert cache.get(address).status_code == 200
    writer.patch(f"/v1/captions/{said['id']}", json={"text": "Another."}, headers={"If-Match": "*"})
    cache.purge()
    assert [address for address in touched + spared if address in cache.kept] == spared


def test_a_change_names_the_keys_of_where_the_article_was(cache: Cache, writer: httpx.Client) -> None:
    article = published(writer, section="City")
    cache.purge()
    cache.get("/v1/articles?section=City")
    cache.get("/v1/articles?section=Sport")
    edit(writer, article, section="Sport")
    cache.purge()
    assert cache.kept == {}


def test_an_article_remembers_so_many_lists_and_counts_as_anywhere_before(
    keyed: Store, writer: httpx.Client
) -> None:
    article = published(writer, language="en")
    with keyed.client() as client:
        places = []
        for _ in range(3):
            places.append(client.get("/v1/changes").json())
            while not places[-1]["caught_up"]:
                places[-1] = client.get(places[-1]["next"]).json()
            article = edit(writer, article, tags=[mark() for _ in range(30)])
        concerned = [set(client.get(place["next"]).json()["items"][-1]["keys"]) for place in places]
    assert [("copydesk" in each) for each in concerned] == [True, True, False]
    assert all(sum(key.startswith("t-") for key in each) >= 60 for each in concerned)


@pytest.mark.slow
def test_a_cache_that_ignores_time_answers_as_the_origin_once_it_is_purged(
    cache: Cache, writer: httpx.Client
) -> None:
    chance = random.Random(17)
    sections, languages = ["City", "Sport", None], ["en", "pt-BR", "zh-Hans"]
    live: list[Article] = [published(writer, section="City") for _ in range(3)]

    def acts() -> list[Callable[[], object]]:
        one = chance.choice(live)
        current = writer.get(f"/v1/articles/{one['id']}").json()
        is_public = current.get("status") == "published"
        return [
            lambda: live.append(
                published(writer, section=chance.choice(sections), language=chance.choice(languages))
            ),
            lambda: edit(writer, current, section=chance.choice(sections)),
            lambda: edit(writer, current, language=chance.choice(languages), tags=[chance.choice("abc")]),
            lambda: edit(writer, current, slug=mark().lower()),
            lambda: do(writer, current, "unpublish" if is_public else "publish"),
            lambda: writer.post("/v1/articles", json={"headline": mark()}),
        ]

    def addresses() -> list[str]:
        lists = ["/v1/articles", "/v1/articles?tag=a", "/feeds/rss.xml", "/sitemaps/index.xml", "/"]
        lists += [f"/v1/articles?section={section}" for section in ("City", "Sport")]
        lists += [f"/v1/articles?language={language}" for language in ("zh", "pt-BR", "en")]
        lists += ["/v1/articles?section=City&section=Sport", "/feeds/feed.json?section=City&language=en"]
        return (
            lists
            + [f"/v1/articles/{each['id']}" for each in live]
            + [f"/read/{each['slug']}" for each in live]
        )

    for _ in range(60):
        chance.choice(acts())()
        for address in chance.sample(addresses(), 8):
            cache.get(address)
        if chance.random() < 0.3:
            cache.purge()
            for address, answer in cache.kept.items():
                fresh = cache.origin.get(address)
                assert (answer.status_code, answer.content) == (fresh.status_code, fresh.content), address
    cache.purge()
    before = cache.dropped
    writer.post("/v1/articles", json={"headline": "A draft"})
    cache.purge()
    assert cache.dropped == before, "drafts purge nothing"
