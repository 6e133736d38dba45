"""A list that is answered without the router is the very answer that the router gives, whatever is asked."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from service.articles.public_lists import FEEDS, PublicList
from service.database import Database, Session
from service.edge.plain import PlainLists
from service.http import pages
from service.http.shortcuts import Shortcuts
from service.published import plain, reader, several, totals
from service.published.store import Listed
from tests.articles.newsroom import published
from tests.edge.asking import Answered, ask, cache_of
from tests.images.pictures import make_image
from tests.patience import wait_until
from tests.serving import EDITOR, Store
from tests.sharing import store  # noqa: F401

PATHS = [
    *(f"/feeds/{name}" for name in sorted(FEEDS)),
    "/sitemaps/articles.xml",
    "/sitemaps/index.xml",
    "/sitemaps/news.xml",
    "/v1/articles",
    "/v1/authors",
    "/v1/captions",
    "/v1/images",
    "/v1/sections",
    "/v1/tags",
]
BETWEEN = "published_after=2020-01-01&published_before=2100-01-01"
PLAIN = [
    "limit=3",
    f"limit=3&{BETWEEN}",
    f"limit=3&sort=published_at&{BETWEEN}",
    "limit=3&sort=-updated_at",
    f"limit=2&section=City&{BETWEEN}",
    f"limit=3&tag=tides&{BETWEEN}",
    "limit=3&tag=tides&sort=published_at&language=*",
    f"limit=1&section=City&tag=tides&{BETWEEN}",
    f"limit=1&section=City&tag=tides&sort=published_at&count=true&{BETWEEN}",
    "limit=3&fields=headline,body",
    "limit=3&body=text",
    *(
        f"limit=3&count=true{which}"
        for which in (
            *("", "&section=City&sort=published_at", "&tag=tides", "&body=text"),
            *(f"&{BETWEEN}", f"&sort=published_at&{BETWEEN}", f"&tag=tides&{BETWEEN}"),
        )
    ),
]
"""Lists of articles that one prepared statement reads."""
VALUES = [
    *("", "0", "1", "2", "50", "200", "201", "-1", "1.0", " 2", "abc", "true", "false", "yes", "null"),
    *("2026-01-01", "2026-01-01T00:00:00Z", "2026-13-01", "9999-12-31T23:59:59+00:00"),
    *("01890000-0000-7000-8000-000000000000", "City", "Sport", "tides", "en", "zh", "*", "e n", "quay-3"),
    *("html", "text", "blocks", "none", "cards", "headline,summary", "headline,nope", "items", "id"),
    *("-published_at", "published_at", "-updated_at", "relevance", "staff", "public", "draft", "alt_text"),
    *("quay", '"quay 3"', "quay OR tide", "-quay", "é", "e\u0301", "日本", "\x00", "a" * 600, "%", "&x=1"),
]


def shortcuts_of(store: Store) -> Shortcuts:  # noqa: F811
    layer: Any = cache_of(store).public
    while not isinstance(layer, Shortcuts):
        layer = layer.app if not isinstance(layer, FastAPI) else layer.middleware_stack
    return layer


def lists_of(store: Store) -> PlainLists:  # noqa: F811
    lists = cache_of(store).lists
    assert lists is not None
    return lists


def answered(store: Store, path: str, query: str) -> Answered:  # noqa: F811
    cache_of(store).entries.clear()
    answer = ask(store, path, query)
    del answer.headers["x-request-id"]
    return answer


def routed(store: Store, path: str, query: str) -> Answered:  # noqa: F811
    """Ask without shortcuts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lists_of(store), "ways", {})
        patched.setattr(shortcuts_of(store), "by_path", {})
        return answered(store, path, query)


def are_names_counted(store: Store) -> bool:  # noqa: F811
    """Return whether names are counted. Until then their lists are kept for seconds that run down."""
    cache_of(store).entries.clear()
    return "error=86400" in ask(store, "/v1/tags").headers["cache-control"]


@pytest.fixture(scope="module")
def filled(store: Store) -> Store:  # noqa: F811
    """A store with articles."""
    with store.client(*EDITOR) as editor:
        for number in range(8):
            section = ("City", "Sport")[number % 2]
            published(editor, headline=f"Quay {number}", section=section, tags=["tides", f"t{number}"])
    wait_until(lambda: are_names_counted(store))
    return store


def forget_statements() -> None:
    """Have statements written anew, with other bounds."""
    plain.written.cache_clear()
    several.written.cache_clear()


def names_of(store: Store, path: str) -> list[str]:  # noqa: F811
    return sorted(shortcuts_of(store).by_path[path].parameters)


@pytest.mark.slow
def test_the_lists_that_have_shortcuts_are_these(filled: Store) -> None:
    assert sorted(shortcuts_of(filled).by_path) == PATHS


@pytest.mark.parametrize("path", PATHS)
def test_a_plain_list_does_not_reach_the_router(filled: Store, path: str) -> None:
    """The router is taken away."""

    async def nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise AssertionError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shortcuts_of(filled), "app", nowhere)
        for query in ("", *(["limit=3"] if "limit" in names_of(filled, path) else [])):
            assert answered(filled, path, f"{query}&utm_source=post").status == 200


@pytest.mark.parametrize("first", PLAIN)
def test_a_plain_list_is_read_without_a_session(
    filled: Store, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Database, "open")
    query, pages = first, 0
    while query:
        answer = answered(filled, "/v1/articles", query)
        assert answer.status == 200
        link = answer.headers["link"]
        query = link.partition("?")[2].partition(">")[0] if 'rel="next"' in link else ""
        pages += 1
    assert pages > 1


def test_a_list_that_would_keep_the_event_loop_for_long_is_read_in_a_session(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, sessions, read = f"section=City&tag=tides&count=true&{BETWEEN}", list[Session](), PublicList.read

    def noting(asked: PublicList, session: Session, after: Sequence[object] | None) -> Listed:
        sessions.append(session)
        return read(asked, session, after)

    monkeypatch.setattr(PublicList, "read", noting)
    soon = answered(filled, "/v1/articles", query)
    monkeypatch.setattr(reader, "STEPS", 400)
    for _ in range(20):
        assert answered(filled, "/v1/articles", query) == soon
    assert not sessions, "however often its statements have been carried out"
    monkeypatch.setattr(reader, "STEPS", 10)
    monkeypatch.setattr(reader, "MOST_TIMES", 5)
    assert answered(filled, "/v1/articles", query) == soon
    # The event loop does not wait for PostgreSQL.
    assert bool(sessions) == filled.settings.is_sqlite


@pytest.mark.parametrize(
    ("which", "total"),
    [
        *(("", 8), ("&section=City", 4), ("&tag=tides", 8), ("&tag=t3", 1), ("&tag=none", 0)),
        *(
            (f"&{BETWEEN}", 8),
            (f"&section=City&sort=published_at&{BETWEEN}", 4),
            (f"&tag=tides&{BETWEEN}", 8),
        ),
        ("&published_before=2020-01-01", 0),
    ],
)
def test_every_page_of_a_plain_list_tells_its_total(filled: Store, which: str, total: int) -> None:
    query, pages = f"limit=3&count=true{which}", 0
    while query:
        answer = answered(filled, "/v1/articles", query)
        assert orjson.loads(answer.body)["total"] == total
        assert answer == routed(filled, "/v1/articles", query)
        link = answer.headers["link"]
        query = link.partition("?")[2].partition(">")[0] if 'rel="next"' in link else ""
        pages += 1
    assert pages == max(1, -(-total // 3))


@pytest.mark.parametrize("which", [f"&{BETWEEN}", f"&sort=published_at&section=City&{BETWEEN}"])
def test_a_total_that_nobody_keeps_ends_at_a_bound_on_every_page(
    filled: Store, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "MOST_COUNTED", 3)
    forget_statements()
    query = f"limit=2&count=true{which}"
    while query:
        answer = answered(filled, "/v1/articles", query)
        told = orjson.loads(answer.body)
        assert (told["total"], told["total_is_minimum"]) == (3, True)
        assert answer == routed(filled, "/v1/articles", query)
        query = (told["next"] or "").partition("?")[2]
    forget_statements()


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_any_query_is_answered_as_the_router_answers_it(filled: Store, path: str) -> None:
    names = st.sampled_from([*names_of(filled, path), "other"]) | st.text(max_size=8)
    pairs = st.lists(st.tuples(names, st.sampled_from(VALUES) | st.text(max_size=12)), max_size=5)
    queries = pairs.map(urlencode) | st.text(max_size=30)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(queries)
    def same(query: str) -> None:
        assert answered(filled, path, query) == routed(filled, path, query)

    same()


@pytest.mark.slow
def test_any_list_of_articles_leads_on_as_that_of_the_router_does(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With bounds so low that pages end at them."""
    with filled.client(*EDITOR) as editor:
        picture = make_image(editor)["id"]
        for number in (1, 2):
            published(
                editor, section="City", tags=["t1", "ebb"], lead_image_id=picture, authors=[{"name": "Ana"}]
            )
            published(
                editor, section="Sport", tags=["ebb"], authors=[{"name": f"Bo {number}"}], source="wire"
            )
        published(editor, section="City", tags=["ebb", "tides"], usable_until="2100-01-01T00:00:00Z")
    monkeypatch.setattr(pages, "MOST_READ", 3)
    monkeypatch.setattr(totals, "MOST_COUNTED", 4)
    some: dict[str, list[str]] = {
        "section": ["City", "Sport", "none"],
        "tag": ["tides", "ebb", "t1"],
        "author": ["Ana", "Bo 1"],
        "source": ["wire"],
        "image_id": [picture],
        "published_after": ["2020-01-01", "2100-01-01"],
        "published_before": ["2100-01-01", "2020-01-01"],
        "sort": ["published_at", "-published_at", "-updated_at"],
        "limit": ["1", "2", "3"],
        "count": ["true"],
        "body": ["text"],
        "language": ["*", "en"],
    }
    asked = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in some.items()}
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(asked.map(urlencode))
    @example("section=City&tag=ebb&limit=1")
    @example("section=City&tag=tides&limit=2&count=true&sort=published_at")
    @example("section=City&tag=t1&count=true&published_before=2100-01-01")
    def same(query: str) -> None:
        for _ in range(5):
            answer = answered(filled, "/v1/articles", query)
            assert answer == routed(filled, "/v1/articles", query), query
            link = answer.headers.get("link", "")
            query = link.partition("?")[2].partition(">")[0] if 'rel="next"' in link else ""
            if not query:
                break

    forget_statements()
    same()
    forget_statements()


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_each_parameter_with_each_value_is_answered_as_the_router_answers_it(
    filled: Store, path: str
) -> None:
    # What a parameter is read as does not depend on the database: on PostgreSQL each name has its share of the
    # values, and all names have all of them.
    share = 4 if filled.settings.database_url.startswith("postgresql") else 1
    for place, name in enumerate(names_of(filled, path)):
        values = VALUES[place % share :: share]
        for query in [*(urlencode({name: value}) for value in values), f"{name}=City&{name}=Sport", name]:
            assert answered(filled, path, query) == routed(filled, path, query), query


def test_pages_lead_on_as_those_of_the_router_do(filled: Store) -> None:
    for first in (*PLAIN, "limit=3&sort=-updated_at&section=City", "limit=2&q=quay", "limit=3&count=true"):
        query, pages = first, 0
        while query:
            answer = answered(filled, "/v1/articles", query)
            assert answer == routed(filled, "/v1/articles", query)
            link = answer.headers["link"]
            query = link.partition("?")[2].partition(">")[0] if 'rel="next"' in link else ""
            pages += 1
        assert pages > 1
