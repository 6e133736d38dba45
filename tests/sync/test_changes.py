"""One feed of what has changed and what has gone, for every follower the same loop."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from service.published import narrowed
from tests.articles.newsroom import caption, do, draft, edit, mark, picture, problem, published, trash
from tests.patience import PATIENCE
from tests.serving import Store
from tests.sync.following import events, follow, now_at, page


def test_what_is_published_arrives_as_it_is_read_after_what_it_shows(
    client: httpx.Client, editor: httpx.Client
) -> None:
    since = now_at(client)
    image = picture(editor)
    words = caption(editor, image["id"])
    article = published(editor, lead_image_id=image["id"])
    entries, _ = follow(client, since)
    assert [(entry["kind"], entry["id"], entry["op"]) for entry in entries] == [
        ("caption", words["id"], "put"),
        ("image", image["id"], "put"),
        ("article", article["id"], "put"),
    ]
    assert entries[-1]["data"] == client.get(f"/v1/articles/{article['id']}").json()
    assert entries[-1]["version"] == article["version"]
    assert [entry["seq"] for entry in entries] == sorted({entry["seq"] for entry in entries})


@pytest.mark.parametrize(
    ("action", "reason"), [("unpublish", "unpublished"), ("withdraw", "withdrawn"), ("", "deleted")]
)
def test_what_goes_away_is_a_removal_with_its_reason(
    client: httpx.Client, editor: httpx.Client, action: str, reason: str
) -> None:
    article = published(editor)
    since = now_at(client)
    if action:
        do(
            editor,
            article,
            action,
            **({"reason": "It named the wrong person."} if action == "withdraw" else {}),
        )
    else:
        trash(editor, article)
    [entry], _ = follow(client, since)
    assert (entry["id"], entry["op"], entry["reason"], entry["data"]) == (
        article["id"],
        "remove",
        reason,
        None,
    )
    assert entry["detail"] == ("It named the wrong person." if action == "withdraw" else None)


def test_drafts_are_not_in_it(client: httpx.Client, editor: httpx.Client) -> None:
    since = now_at(client)
    article = draft(editor)
    edit(editor, article, headline="Still a draft")
    assert follow(client, since)[0] == []


def test_the_first_synchronisation_and_a_later_one_end_with_the_same_copy(
    client: httpx.Client, editor: httpx.Client
) -> None:
    middle = now_at(client)
    first = {entry["id"]: entry for entry in follow(client, "/v1/changes?limit=3")[0]}
    article = published(editor)
    later, _ = follow(client, middle)
    copy = first | {entry["id"]: entry for entry in later}
    assert copy == {entry["id"]: entry for entry in follow(client)[0]}
    assert article["id"] in copy


@pytest.mark.usefixtures("_found")
def test_it_can_be_narrowed_to_kinds(client: httpx.Client, editor: httpx.Client) -> None:
    since = now_at(client)
    image = picture(editor)
    published(editor, lead_image_id=image["id"])
    assert [entry["kind"] for entry in follow(client, since + "&kind=image")[0]] == ["image"]
    assert [entry["kind"] for entry in follow(client, since + "&kind=article,caption")[0]] == ["article"]
    problem(client.get("/v1/changes?kind=notice"), 422)
    problem(client.get("/v1/changes?section=a&tag=b"), 400, "unknown-parameter")


@pytest.fixture(params=["along indexes", "by number"])
def _found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is in a scope found in either way, and in the second, two rows at a time."""
    if request.param == "by number":
        monkeypatch.setattr(narrowed, "MOST_WALKS", -1)
        monkeypatch.setattr(narrowed, "MOST_READ", 2)


@pytest.mark.usefixtures("_found")
def test_who_follows_a_section_learns_that_an_article_has_left_it(
    client: httpx.Client, editor: httpx.Client
) -> None:
    sport, news = mark(), mark()
    article, other = published(editor, section=sport), published(editor, section=news)
    since = now_at(client, f"&section={sport}")
    elsewhere = now_at(client, f"&section={news}")
    moved = edit(editor, article, section=news)
    edit(editor, moved, headline="Changed twice since")
    edit(editor, other, headline="Never in sport")
    [entry], _ = follow(client, since)
    assert (entry["id"], entry["op"], entry["reason"], entry["data"]) == (
        article["id"],
        "remove",
        "left_scope",
        None,
    )
    arrived = {entry["id"]: entry["op"] for entry in follow(client, elsewhere)[0]}
    assert arrived == {article["id"]: "put", other["id"]: "put"}


@pytest.mark.usefixtures("_found")
def test_what_has_left_is_told_once_and_never_to_who_comes_later(
    client: httpx.Client, editor: httpx.Client
) -> None:
    sport, news = mark(), mark()
    article = edit(editor, published(editor, section=sport), section=news)
    assert follow(client, f"/v1/changes?section={sport}")[0] == []
    since = now_at(client, f"&section={sport}")
    edit(editor, article, headline="Changed where nobody of sport looks")
    assert follow(client, since)[0] == []


@pytest.mark.usefixtures("_found")
def test_a_removal_is_not_lost_when_the_pages_are_small(client: httpx.Client, editor: httpx.Client) -> None:
    sport, news = mark(), mark()
    leaving = published(editor, section=sport)
    since = now_at(client, f"&section={sport}")
    leaving = edit(editor, leaving, section=news)
    for _ in range(3):
        published(editor, section=sport)
    edit(editor, leaving, headline="Behind all others now")
    entries, _ = follow(client, since.replace("limit=200", "limit=1"))
    assert [entry["op"] for entry in entries] == ["put", "put", "put", "remove"]
    assert entries[-1]["id"] == leaving["id"]


@pytest.mark.usefixtures("_found")
def test_a_caption_leaves_its_language(client: httpx.Client, editor: httpx.Client) -> None:
    image = picture(editor)
    words = caption(editor, image["id"], language="cy")
    published(editor, lead_image_id=image["id"], language="cy")
    since = now_at(client, "&language=cy")
    done = editor.patch(f"/v1/captions/{words['id']}", json={"language": "br"}, headers={"If-Match": "*"})
    assert done.status_code == 200, done.text
    entries = {entry["id"]: entry["reason"] for entry in follow(client, since)[0]}
    assert entries[words["id"]] == "left_scope"


@pytest.mark.usefixtures("_found")
def test_a_deleted_article_of_a_section_is_told_to_who_follows_it(
    client: httpx.Client, editor: httpx.Client
) -> None:
    sport = mark()
    article = published(editor, section=sport)
    since = now_at(client, f"&section={sport}")
    trash(editor, article)
    [entry], _ = follow(client, since)
    assert entry["reason"] == "deleted"


def test_a_page_is_kept_ready_until_something_changes(client: httpx.Client, editor: httpx.Client) -> None:
    since = now_at(client)
    first = client.get(since)
    assert first.headers["cache-control"].startswith("public")
    assert client.get(since, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert client.get(since, headers={"Accept-Encoding": "br"}).headers["vary"].startswith("Accept-Encoding")
    published(editor)
    assert len(client.get(since).json()["items"]) == 1
    assert (
        client.get("/v1/changes", headers={"Accept-Encoding": "zstd"}).headers["content-encoding"] == "zstd"
    )
    assert f'<{first.json()["next"]}>; rel="next"' in first.headers["link"]


def test_waiting_is_woken_by_the_commit(follower: httpx.Client, editor: httpx.Client) -> None:
    since = now_at(follower) + "&wait=30"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(follower.get, since)
        draft(editor)  # wakes nobody
        article = published(editor)
        response = waiting.result(PATIENCE)
    assert [entry["id"] for entry in response.json()["items"]] == [article["id"]]
    assert response.headers["cache-control"] == "no-store"
    assert response.elapsed.total_seconds() < 25


@pytest.mark.slow
def test_waiting_ends_with_nothing_when_nothing_happens(follower: httpx.Client) -> None:
    since = now_at(follower)
    read = page(follower, since + "&wait=0.2")
    assert (read["items"], read["caught_up"]) == ([], True)
    assert "wait=0.2" in read["next"]
    problem(follower.get(since + "&wait=31"), 422)


@pytest.mark.parametrize("sse", [{"Accept": "text/event-stream"}, {}], ids=["accepted", "at its own address"])
def test_a_stream_brings_the_same_entries_and_goes_on_where_it_broke_off(
    follower: httpx.Client, editor: httpx.Client, sse: dict[str, str]
) -> None:
    since = now_at(follower)
    one, two = published(editor), published(editor)
    streamed = since if sse else f"/v1/changes/stream?{since.rpartition('&')[2]}"
    with follower.stream("GET", streamed, headers=sse) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        id_, entry = next(events(response))
        assert entry == follow(follower, since)[0][0]
        assert entry["id"] == one["id"]
    with follower.stream("GET", streamed, headers={**sse, "Last-Event-ID": id_}) as response:
        coming = events(response)
        id_, entry = next(coming)
        assert entry is not None and entry["id"] == two["id"]
        assert next(coming)[1] is None  # caught up
        three = published(editor)
        id_, entry = next(coming)
        assert entry is not None and entry["id"] == three["id"]
        assert json.dumps(entry) == json.dumps(follow(follower, since)[0][-1])


def test_a_cursor_of_another_store_says_where_to_start_again(client: httpx.Client) -> None:
    address = now_at(client, "&section=City")
    cursor = address.rpartition("since=")[2]
    other = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    refused = client.get(address.replace(cursor, other))
    gone = problem(refused, 410, "start-again")
    assert client.get(gone["start"]).status_code == 200
    assert "section=City" in gone["start"] and "since" not in gone["start"]
    assert refused.headers["link"] == f'<{gone["start"]}>; rel="start"'
    stream = client.get(address.replace(cursor, other), headers={"Accept": "text/event-stream"})
    problem(stream, 410, "start-again")
    problem(client.get("/v1/changes?since=nonsense"), 400, "bad-cursor")
    stream = client.get(f"/v1/changes/stream?section=City&since={other}")
    assert problem(stream, 410, "start-again")["start"] == "/v1/changes/stream?section=City"


def test_a_page_has_the_cursor_that_its_next_address_has(client: httpx.Client, editor: httpx.Client) -> None:
    published(editor)
    read = client.get("/v1/changes?limit=1").json()
    assert httpx.URL(read["next"]).params["since"] == read["cursor"]
    assert client.get("/v1/changes", params={"limit": 1, "since": read["cursor"]}).status_code == 200


def test_the_staff_follow_drafts_too(store: Store, editor: httpx.Client) -> None:
    with store.client("content:read") as staff, store.client("content:write") as writer:
        since = now_at(staff, "&view=staff")
        article = draft(editor)
        image = picture(editor)
        entries, since = follow(staff, since)
        assert [(entry["op"], entry["id"]) for entry in entries] == [
            ("put", article["id"]),
            ("put", image["id"]),
        ]
        assert entries[0]["data"] == staff.get(f"/v1/articles/{article['id']}").json()
        article = edit(editor, article, lead_image_id=image["id"])
        follow(staff, since)
        since = now_at(staff, "&view=staff")
        words = caption(editor, image["id"])
        entries, since = follow(staff, since)
        assert [entry["id"] for entry in entries] == [words["id"], image["id"], article["id"]]
        assert entries[2]["data"] == staff.get(f"/v1/articles/{article['id']}").json()
        trash(editor, article)
        [entry], _ = follow(staff, since)
        assert (entry["op"], entry["reason"]) == ("remove", "deleted")
        problem(writer.get("/v1/changes?view=staff"), 403)
        with store.client() as reader:
            problem(reader.get("/v1/changes?view=staff"), 401)


def test_a_refused_write_is_not_in_the_staffs_feed(store: Store, editor: httpx.Client) -> None:
    since = now_at(editor, "&view=staff")
    problem(
        editor.post(
            "/v1/articles", json={"headline": "x", "lead_image_id": "01900000-0000-7000-8000-000000000000"}
        ),
        422,
    )
    article = draft(editor)
    same = editor.patch(
        f"/v1/articles/{article['id']}", json={"headline": article["headline"]}, headers={"If-Match": "*"}
    )
    assert same.status_code == 200
    assert [entry["id"] for entry in follow(editor, since)[0]] == [article["id"]]


@pytest.mark.slow
def test_a_revoked_token_is_told_nothing_more(
    store: Store, origin: str, editor: httpx.Client, admin: httpx.Client
) -> None:
    made = admin.post("/v1/tokens", json={"name": "partner", "scopes": ["content:read"]}).json()
    with httpx.Client(
        base_url=origin, headers={"Authorization": f"Bearer {made['token']}"}, timeout=PATIENCE
    ) as partner:
        since = now_at(partner, "&view=staff")
        with partner.stream("GET", since, headers={"Accept": "text/event-stream"}) as response:
            coming = events(response)
            draft(editor)
            assert next(entry for _, entry in coming if entry is not None)["op"] == "put"
            assert admin.delete(f"/v1/tokens/{made['id']}").status_code == 204
            draft(editor)
            assert [entry for _, entry in coming if entry is not None] == []
