"""A request is read once, in one way: nothing that it says leaves an answer to it under somebody else's
address.
"""

from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service import main
from service.edge.normal import PAGES, is_tracking, normal_form
from service.http.routing import Route
from service.web.page import PageRoute
from tests.articles.newsroom import caption, do, edit, picture, problem, published
from tests.edge.asking import Answered, Headers, ask, scope_of
from tests.effort import LONG
from tests.serving import Store, another

LD = b"application/ld+json"
POISONS: list[tuple[str, Headers]] = [
    ("GET", [(b"accept", b"application/LD+JSON")]),
    ("HEAD", [(b"accept", b"APPLICATION/ld+json")]),
    ("GET", [(b"accept", b"text/html"), (b"accept", LD)]),
    ("GET", [(b"accept", LD), (b"accept", b"text/html;q=0.1")]),
    ("GET", [(b"accept", b'application/ld+json;profile="a,b"')]),
    ("HEAD", [(b"accept", LD)]),
]


@pytest.mark.parametrize(("method", "headers"), POISONS)
def test_an_odd_accept_leaves_nothing_under_the_plain_address(
    store: Store, editor: httpx.Client, method: str, headers: Headers
) -> None:
    for query in ("", "body=html"):
        path = f"/v1/articles/{published(editor)['slug']}"
        asked = ask(store, path, query, headers, method)
        assert asked.headers["content-type"] == "application/ld+json"
        plain = ask(store, path, query)
        assert plain.headers["content-type"] == "application/json"
        assert plain.body.startswith(b'{"id":')


ACCEPTS = [
    b"application/json",
    b"*/*",
    b"application/ld+json",
    b"Application/LD+json ; Q=0.7, application/json;q=0.2",
    b"application/ninjs+json",
    b"application/ninjs+json;q=0.4, application/*;q=0.5",
    b"application/ld+json;q=0",
    b"text/event-stream;q=0",
    b"text/html,application/xhtml+xml,*/*;q=0.8",
    b'application/ld+json;profile="x,y";q=0.9, */*;q=0.1',
    b"",
    b"\xff;=;q=nan, /",
]
OTHERS: list[tuple[bytes, bytes]] = [
    (b"accept-encoding", b"br"),
    (b"accept-encoding", b"zstd;q=0.5"),
    (b"if-none-match", b"*"),
    (b"if-none-match", b'"unknown"'),
    (b"x-request-id", b"mine"),
    (b"origin", b"https://elsewhere.example"),
    (b"cookie", b"__Host-copydesk_subject=x"),
    (b"accept-language", b"de"),
    (b"sec-gpc", b"1"),
    (b"range", b"bytes=0-3"),
    (b"idempotency-key", b"k"),
    (b"last-event-id", b"x"),
    (b"x-forwarded-host", b"evil.example"),
    (b"host", b"evil.example"),
]
PARAMETERS = [
    *("body=html", "body=text", "body=blocks", "%62ody=html", "format=jsonld", "format=json", "format=ninjs"),
    *(
        "limit=1",
        "limit=2",
        "limit=x",
        "section=City",
        "sort=published_at",
        "fields=id,headline",
        "count=true",
    ),
    *(
        "q=tide",
        "q=%FF",
        "utm_source=x",
        "UTM_Medium=y",
        "fbclid=1",
        "gclid=2",
        "_=3",
        "unknown=1",
        "",
        "%00=1",
    ),
]


class Asking(NamedTuple):
    """A request: the place of its path in the list of paths, and the rest as it is sent."""

    path: int
    method: str
    query: str
    headers: list[tuple[bytes, bytes]]


ASKINGS = st.builds(
    Asking,
    st.integers(0, 15),
    st.sampled_from(["GET", "GET", "HEAD"]),
    st.lists(st.sampled_from(PARAMETERS), max_size=3).map("&".join),
    st.tuples(
        st.lists(st.sampled_from(ACCEPTS).map(lambda accept: (b"accept", accept)), max_size=2),
        st.lists(st.sampled_from(OTHERS), max_size=2),
    ).map(lambda both: both[0] + both[1]),
)


@pytest.fixture
def paths(editor: httpx.Client) -> list[str]:
    """Paths that answer in every way there is."""
    image = picture(editor)
    words = caption(editor, image["id"])
    article, moved, gone = (published(editor, lead_image_id=image["id"], section="City") for _ in range(3))
    edit(editor, moved, slug=f"{moved['slug']}-anew")
    do(editor, gone, "withdraw", reason="Wrong.")
    return [
        *(f"/v1/articles/{one['slug']}" for one in (article, moved, gone)),
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['id'].upper()}",
        f"/v1/images/{image['id']}",
        f"/v1/captions/{words['id']}",
        *("/v1/articles", "/v1/images", "/v1/changes", "/v1/articles/nothing", "/feeds/rss.xml"),
        *("/", f"/read/{article['slug']}", "/v1/consent-notices", "/v1/privacy-managers/default/config.json"),
    ]


def comparable(answer: Answered) -> tuple[object, ...]:
    """What of an answer must not depend on who asked before."""
    kept = ("content-type", "content-encoding", "etag", "location", "vary", "cache-control", "link")
    return answer.status, answer.content, *(answer.headers.get(name) for name in kept)


@pytest.mark.slow
def test_equal_key_equal_bytes_whoever_asked_before(
    store: Store, editor: httpx.Client, paths: list[str]
) -> None:
    seen: dict[tuple[str, bytes], tuple[object, ...]] = {}

    with another(store, cache_bytes=0) as without_memory:

        @settings(
            max_examples=3_000 if LONG else 150,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(ASKINGS)
        def search(asking: Asking) -> None:
            path = paths[asking.path % len(paths)]
            request = (path, asking.query, asking.headers, asking.method)
            answer = ask(store, *request)
            assert comparable(answer) == comparable(ask(without_memory, *request))
            assert asking.method != "HEAD" or not answer.body
            if answer.status == 400:
                return
            # Asked plainly under the same key, everybody gets the same bytes, in whatever order they ask.
            normal, _ = normal_form(scope_of("GET", path, asking.query, asking.headers))
            plain = ask(store, path, normal["query_string"].decode())
            key = (path, normal["query_string"])
            assert seen.setdefault(key, comparable(plain)) == comparable(plain)
            if answer.status == 200 and asking.method == "GET" and not answer.headers.get("content-encoding"):
                assert answer.body == plain.body

        search()


def test_what_others_add_to_links_is_nothing_to_us(store: Store, editor: httpx.Client) -> None:
    article = published(editor, section="City")
    for path in (
        f"/v1/articles/{article['slug']}",
        "/v1/articles",
        "/feeds/atom.xml",
        f"/v1/articles/{article['slug']}",
    ):
        plain = ask(store, path, "")
        for query in ("utm_source=a&utm_medium=b", "fbclid=x", "_=1", "gclid=1&mc_cid=2", "UTM_campaign=1"):
            tracked = ask(store, path, query)
            assert (tracked.status, tracked.content) == (200, plain.content), query
    assert (
        editor.get(f"/v1/articles/{article['id']}?utm_source=x").json()
        == editor.get(f"/v1/articles/{article['id']}").json()
    )
    listed = ask(store, "/v1/articles", "utm_source=x&limit=1&section=City")
    assert b"utm_source" not in listed.body


def _routes(kind: type) -> Iterator[tuple[str, set[str]]]:
    for router in (*main.ROUTERS, *main.PAGES):
        for route in router.routes:
            if isinstance(route, kind) and "GET" in (route.methods or ()):
                yield route.path, {field.alias for field in route.dependant.query_params}


def test_no_endpoint_has_a_parameter_that_is_taken_for_tracking() -> None:
    names = {name for _, known in _routes(Route) for name in known}
    assert {name for name in names if is_tracking(name)} == set()


def test_the_pages_know_the_parameters_that_are_left_to_them() -> None:
    known = {path.replace("{slug}", ""): names for path, names in _routes(PageRoute)}
    assert {path: set(names) for path, names in PAGES.items()} == {path: known[path] for path in PAGES}


def test_a_parameter_that_is_given_twice_is_refused(client: httpx.Client, editor: httpx.Client) -> None:
    for caller in (client, editor):
        for query in ("limit=1&limit=2", "count=true&count=true", "q=a&limit=1&q=b"):
            said = problem(caller.get(f"/v1/articles?{query}"), 400, "repeated-parameter")
            assert said["parameter"] in query
    problem(editor.post("/v1/imports?url=http://a&url=http://b", content=b"x"), 400, "repeated-parameter")
    problem(client.get(f"/v1/articles?{'&'.join(f'a{n}=1' for n in range(200))}"), 400)


@pytest.mark.parametrize("name", ["host", "authorization", "content-type", "origin", "idempotency-key"])
def test_a_header_that_is_sent_twice_is_refused(store: Store, name: str) -> None:
    twice = [(name.encode(), b"a"), (name.encode(), b"b")]
    for path in ("/v1/articles", "/health/live", "/v1/consents/current"):
        answer = ask(store, path, "", twice)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
        assert b"/problems/repeated-header" in answer.body


def test_the_id_that_a_client_gives_its_request_is_not_for_others(store: Store, editor: httpx.Client) -> None:
    article = published(editor)
    mine = [(b"x-request-id", b"mine")]
    for path in (f"/v1/articles/{article['slug']}", "/v1/articles", "/.well-known/gpc.json"):
        for _ in range(2):
            answer = ask(store, path, "", mine)
            assert answer.headers["x-request-id"] == "mine"
            assert "X-Request-ID" in answer.headers["vary"]
            other = ask(store, path)
            assert other.headers["x-request-id"] != "mine"
            assert "X-Request-ID" not in other.headers.get("vary", "")
