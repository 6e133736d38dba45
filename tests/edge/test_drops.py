"""A publication drops the answers that it changes, and leaves the others in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.articles.newsroom import published
from tests.edge.asking import ask, cache_of
from tests.serving import EDITOR, Store

OF_CITY = [
    "/v1/articles?section=City",
    "/v1/articles?tag=tides",
    "/v1/articles?author=Ada",
    "/feeds/rss.xml?section=City",
]
OF_SPORT = [
    "/v1/articles?section=Sport",
    "/v1/articles?tag=football",
    "/v1/articles?author=Bea",
    "/feeds/rss.xml?section=Sport",
    "/feeds/atom.xml?section=Sport",
]
OF_ALL = [
    "/v1/articles",
    "/v1/sections",
    "/sitemaps/index.xml",
    "/",
    "/v1/articles?q=quay",
    "/feeds/feed.json",
]
CITY = {"section": "City", "tags": ["tides"], "authors": [{"name": "Ada"}]}
SPORT = {"section": "Sport", "tags": ["football"], "authors": [{"name": "Bea"}]}


@pytest.fixture
def desk(store: Store) -> Iterator[httpx.Client]:
    with store.client(*EDITOR) as editor:
        published(editor, headline="Quay", **CITY)
        published(editor, headline="Match", **SPORT)
        yield editor


def get(store: Store, address: str) -> int:
    path, _, query = address.partition("?")
    return ask(store, path, query).status


@contextmanager
def noting(store: Store) -> Iterator[Callable[[], set[str]]]:
    """Ask for all lists; then give those that have to be made again."""
    every = [*OF_CITY, *OF_SPORT, *OF_ALL]
    for _ in range(2):
        for address in every:
            assert get(store, address) == 200

    def made_again() -> set[str]:
        made = set()
        for address in every:
            before = cache_of(store).misses
            assert get(store, address) == 200
            if cache_of(store).misses > before:
                made.add(address)
        return made

    yield made_again


def test_a_publish_leaves_the_lists_of_other_sections_tags_and_authors(
    store: Store, desk: httpx.Client
) -> None:
    with noting(store) as made_again:
        published(desk, headline="Pier", **CITY)
        assert made_again() == {*OF_CITY, *OF_ALL}


def test_a_move_drops_the_lists_of_before_and_of_after(store: Store, desk: httpx.Client) -> None:
    article = published(desk, headline="Pier", **CITY)
    with noting(store) as made_again:
        moved = desk.patch(f"/v1/articles/{article['id']}", json=SPORT, headers={"If-Match": "*"})
        assert moved.status_code == 200
        assert made_again() == {*OF_CITY, *OF_SPORT, *OF_ALL}


def test_an_edit_drops_the_lists_that_show_the_article(store: Store, desk: httpx.Client) -> None:
    article = published(desk, headline="Pier", **CITY)
    with noting(store) as made_again:
        edit = {"summary": "Closed until noon."}
        assert desk.patch(f"/v1/articles/{article['id']}", json=edit, headers={"If-Match": "*"}).is_success
        again = made_again()
    assert again.isdisjoint(OF_SPORT)
    assert again >= {*OF_CITY, "/v1/articles", "/", "/v1/articles?q=quay", "/feeds/feed.json"}


def test_a_withdrawal_drops_the_lists_of_its_section(store: Store, desk: httpx.Client) -> None:
    article = published(desk, headline="Pier", **CITY)
    with noting(store) as made_again:
        killed = desk.post(f"/v1/articles/{article['id']}/withdraw", json={"reason": "wrong"})
        assert killed.status_code == 200
        assert made_again() == {*OF_CITY, *OF_ALL}
