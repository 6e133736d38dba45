"""Lists: limit, cursor, fields, count, Link; a walk neither repeats nor skips, and no made-up cursor is a
fault.
"""

import base64
import json
import random

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.articles.newsroom import caption, draft, edit, ids, mark, picture, problem, published, trash, walk
from tests.serving import Store

QUIET = [HealthCheck.function_scoped_fixture]


def cursor_of(answer: httpx.Response) -> str:
    """The cursor in `next`."""
    return httpx.URL(answer.json()["next"]).params["cursor"]


def forge(cursor: str, *key: object) -> str:
    """A cursor of the same list with another key."""
    fingerprint = json.loads(base64.urlsafe_b64decode(cursor + "==="))[0]
    return base64.urlsafe_b64encode(json.dumps([fingerprint, *key]).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def section(store: Store) -> str:
    """A section with enough articles for several pages."""
    name = mark()
    with store.client("content:write", "content:publish") as editor:
        for n in range(7):
            published(editor, section=name, headline=f"Tram {n}")
    return name


def test_a_list_says_where_it_goes_on(client: httpx.Client, editor: httpx.Client, section: str) -> None:
    for caller in (client, editor):
        answer = caller.get(f"/v1/articles?section={section}&limit=3&count=true&fields=id")
        assert sorted(answer.json()) == ["cursor", "items", "next", "total"]
        assert answer.json()["total"] == 7
        assert answer.headers["link"].startswith(f'<{answer.json()["next"]}>; rel="next"')
        following = httpx.URL(answer.json()["next"])
        assert following.path == "/v1/articles"
        assert {"section", "limit", "count", "fields", "cursor"} == set(following.params)
        last = caller.get(f"/v1/articles?section={section}&limit=7")
        assert (
            len(last.json()["items"]),
            last.json()["next"],
            "next" in last.links,
            "total" in last.json(),
        ) == (7, None, False, False)


def test_a_page_holds_twenty_unless_asked(client: httpx.Client, editor: httpx.Client) -> None:
    name = mark()
    for _ in range(21):
        published(editor, section=name)
    assert len(ids(client.get(f"/v1/articles?section={name}"))) == 20
    assert len(ids(client.get(f"/v1/articles?section={name}&limit=200"))) == 21


@pytest.mark.slow
def test_every_list_of_the_document_takes_fields_and_counts(admin: httpx.Client) -> None:
    reads = {
        path: item["get"].get("parameters", [])
        for path, item in admin.get("/openapi.json").json()["paths"].items()
        if "get" in item
    }
    lists = {
        path: names for path, known in reads.items() if "limit" in (names := {each["name"] for each in known})
    }
    # The feed of changes is no list: it goes on for ever, and its entries are whole.
    assert {path for path, names in lists.items() if not {"cursor", "fields", "count"} <= names} == {
        "/v1/changes",
        "/v1/changes/mirror",
    }


def test_tokens_and_versions_are_counted_and_cut_down_to_some_members(admin: httpx.Client) -> None:
    for _ in range(3):
        admin.post("/v1/tokens", json={"name": "desk", "scopes": ["content:read"]})
    tokens = admin.get("/v1/tokens?limit=2&count=true&fields=id,name").json()
    assert [sorted(token) for token in tokens["items"]] == [["id", "name"]] * 2
    assert tokens["total"] == len(list(walk(admin, "/v1/tokens?limit=2")))
    article = published(admin)
    assert (
        admin.patch(
            f"/v1/articles/{article['id']}", json={"summary": "More."}, headers={"If-Match": "*"}
        ).status_code
        == 200
    )
    versions = admin.get(f"/v1/articles/{article['id']}/versions?limit=1&count=true&fields=version").json()
    assert (versions["items"], versions["total"]) == ([{"version": 2}], 2)


@pytest.mark.parametrize("address", ["/v1/articles", "/v1/images", "/v1/captions", "/v1/tokens"])
@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "", "1e2", "1.5", "9" * 40, "%00", "\u0663"])
def test_a_limit_is_one_to_two_hundred(
    admin: httpx.Client, client: httpx.Client, address: str, limit: str
) -> None:
    for caller in (admin, client):
        if caller is admin or address != "/v1/tokens":
            errors = problem(caller.get(f"{address}?limit={limit}"), 422)["errors"]
            assert [(error["in"], error["pointer"]) for error in errors] == [("query", "/limit")]


MADE_UP = st.one_of(
    st.text(max_size=30),
    st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4),
    ).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode()),
)


@given(MADE_UP)
@example("")
@example("W10")
@example("e30")
@example("A" * 1_999)
@example("%00")
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
def test_a_made_up_cursor_is_refused(client: httpx.Client, admin: httpx.Client, cursor: str) -> None:
    for caller in (client, admin):
        answer = caller.get("/v1/articles", params={"cursor": cursor})
        assert answer.status_code in ({400, 422} if "\x00" in cursor else {400}), answer.text


TIMES = st.one_of(
    st.datetimes().map(str),
    st.datetimes().map(lambda at: at.isoformat() + "+23:59"),
    st.floats(),
    st.integers(),
    st.text(max_size=20),
    st.sampled_from(
        [
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2020-01-01T00:00:00",
            "-1",
            2**63,
            1e300,
            None,
            True,
        ]
    ),
)
KEYS = st.uuids().map(str) | st.text(max_size=40) | st.integers() | st.none()
TIERS = st.integers() | st.sampled_from([2**63, -(2**63) - 1, 2**200, 1.5, "1", None])


@pytest.mark.slow
@given(TIMES, KEYS, TIERS, st.lists(st.integers(), max_size=3))
@example(2**63, "01900000-0000-7000-8000-000000000000", 2**64, [])
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
def test_a_cursor_with_a_forged_key_is_answered_or_refused(
    client: httpx.Client,
    admin: httpx.Client,
    section: str,
    at: object,
    key: object,
    tier: object,
    more: list[int],
) -> None:
    for caller in (client, admin):
        for address, forged in (
            (f"/v1/articles?section={section}&limit=1", (at, key, *more)),
            ("/v1/articles?q=tram&limit=1", (tier, at, key, *more)),
        ):
            cursor = forge(cursor_of(caller.get(address)), *forged)
            answer = caller.get(f"{address}&cursor={cursor}")
            assert answer.status_code in {200, 400, 422}, answer.text
            assert answer.status_code != 422 or len(cursor) > 2_000


@pytest.mark.parametrize("number", [2**31, 2**63, 2**200, -1, 0, 1.5, "x", None])
def test_a_forged_cursor_of_versions_is_answered_or_refused(editor: httpx.Client, number: object) -> None:
    article = edit(editor, edit(editor, draft(editor), summary="a"), summary="b")
    address = f"/v1/articles/{article['id']}/versions?limit=1"
    cursor = forge(cursor_of(editor.get(address)), number)
    assert editor.get(f"{address}&cursor={cursor}").status_code in {200, 400}


def test_a_cursor_of_another_list_is_refused(client: httpx.Client, section: str) -> None:
    cursor = cursor_of(client.get(f"/v1/articles?section={section}&limit=1"))
    for address in (
        "/v1/articles?limit=1",
        f"/v1/articles?section={section}&sort=published_at",
        "/v1/images?limit=1",
        "/v1/articles?section=other",
    ):
        problem(
            client.get(address, params={**httpx.URL(address).params, "cursor": cursor}), 400, "bad-cursor"
        )
    assert (
        len(ids(client.get(f"/v1/articles?section={section}&limit=5&count=true&fields=id&cursor={cursor}")))
        == 5
    )


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["-published_at", "published_at"])
@given(seed=st.integers(0, 10**6), limit=st.integers(1, 4))
@settings(max_examples=3, deadline=None, suppress_health_check=QUIET)
def test_a_walk_while_articles_come_and_go_neither_repeats_nor_skips(
    client: httpx.Client, editor: httpx.Client, sort: str, seed: int, limit: int
) -> None:
    chance, name = random.Random(seed), mark()
    dates = [f"2020-01-0{day}T00:00:00Z" for day in (1, 2, 2, 3, 3, 3, 4, 5)]
    stayed = {
        article["id"]: article
        for article in (published(editor, section=name, published_at=at) for at in dates)
    }
    walked: list[str] = []
    following: str | None = f"/v1/articles?section={name}&sort={sort}&limit={limit}"
    while following is not None:
        page = (client if chance.random() < 0.5 else editor).get(following).json()
        walked += [item["id"] for item in page["items"]]
        following = page["next"]
        if chance.random() < 0.6 and stayed:
            trash(editor, stayed.pop(chance.choice(list(stayed))))
        if chance.random() < 0.6:
            published(editor, section=name, published_at=chance.choice(dates))
    assert len(walked) == len(set(walked))
    assert set(stayed) <= set(walked)


@pytest.mark.slow
def test_images_and_captions_are_walked_alike(client: httpx.Client, editor: httpx.Client) -> None:
    images = [picture(editor, source=(source := mark())) for _ in range(3)] + [
        picture(editor, source=source) for _ in range(2)
    ]
    words = [caption(editor, image["id"])["id"] for image in images]
    for image in images:
        published(editor, lead_image_id=image["id"])
    for caller in (client, editor):
        found = [item["id"] for item in walk(caller, "/v1/images?limit=2&fields=id")]
        assert [id_ for id_ in found if id_ in {image["id"] for image in images}] == [
            image["id"] for image in reversed(images)
        ]
        assert len(found) == len(set(found))
        captions = [item["id"] for item in walk(caller, "/v1/captions?limit=2")]
        assert [id_ for id_ in captions if id_ in words] == words[::-1]
