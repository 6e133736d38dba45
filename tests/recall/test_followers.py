"""Who follows, how far each has come, and who has come to a stop."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from service.recall.followers import FollowersWatched
from service.rooms import open_database
from tests.articles.newsroom import mark, problem, published
from tests.patience import wait_until
from tests.serving import Store, another
from tests.sync.following import follow, now_at, page
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver

Follower = dict[str, Any]


@pytest.fixture
def wire(store: Store) -> Iterator[httpx.Client]:
    """A follower with a token of a name that no other test uses."""
    name = mark()
    with store.client("content:read", name=name) as client:
        client.headers["X-Request-ID"] = name
        yield client


def followers(admin: httpx.Client) -> list[Follower]:
    """All followers, page by page."""
    found, address = [], "/v1/followers?limit=2"
    while address is not None:
        read = page(admin, address)
        found += read["items"]
        address = read["next"]
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)
    return found


def of(admin: httpx.Client, wire: httpx.Client) -> Follower:
    """The one place at which a follower's token follows."""
    [found] = [each for each in followers(admin) if each["name"] == wire.headers["X-Request-ID"]]
    return found


def test_a_follower_is_behind_until_it_came_back_from_what_it_was_sent(
    admin: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    since = now_at(wire)
    page(wire, since)
    read = of(admin, wire)
    assert (read["state"], read["lag"], read["follows"]) == (
        "current",
        {"entries": 0, "seconds": 0.0},
        "/v1/changes",
    )
    for _ in range(2):
        published(editor)
    page(wire, since)
    behind = of(admin, wire)
    assert (behind["state"], behind["lag"]["entries"], behind["seq"]) == ("behind", 2, read["seq"])
    assert 0 < behind["lag"]["seconds"] < 60
    page(wire, follow(wire, since)[1])
    current = of(admin, wire)
    assert (current["state"], current["lag"]["entries"]) == ("current", 0)
    assert current["seq"] > behind["seq"]
    assert current["last_seen_at"] >= behind["last_seen_at"]


def test_what_a_follower_does_not_ask_for_does_not_wait_for_it(
    admin: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    section = mark()
    page(wire, now_at(wire, f"&section={section}&kind=article"))
    published(editor, section="Elsewhere")
    assert of(admin, wire)["lag"]["entries"] == 0
    published(editor, section=section)
    read = of(admin, wire)
    assert (read["lag"]["entries"], read["follows"]) == (
        1,
        f"/v1/changes?kind=article&section={section}",
    )


def test_drafts_wait_for_those_alone_who_follow_the_desk(
    admin: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    page(wire, now_at(wire, "&view=staff"))
    assert of(admin, wire)["lag"]["entries"] == 0
    assert editor.post("/v1/articles", json={"headline": "Tram"}).status_code == 201
    assert of(admin, wire)["lag"]["entries"] == 1


@pytest.mark.slow
def test_a_follower_for_whom_something_waits_too_long_is_stalled(
    store: Store, admin: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    page(wire, now_at(wire))
    published(editor)
    assert of(admin, wire)["state"] == "behind"
    with another(store, follower_stalled_seconds=1) as impatient, impatient.client("admin") as there:
        wait_until(lambda: of(there, wire)["state"] == "stalled")


@pytest.mark.slow
def test_a_webhook_is_behind_by_what_is_pending(
    admin: httpx.Client, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner, name=mark()) as hook:

        def read() -> Follower:
            return next((each for each in followers(admin) if each["webhook_id"] == hook["id"]), {})

        published(editor)
        wait_until(lambda: deliveries(keeper, hook, "&status=delivered"))
        wait_until(lambda: read().get("state") == "current")
        assert (read()["name"], read()["follows"]) == (hook["name"], partner.url.removesuffix("/hook"))
        partner.answer = (503, {"Retry-After": "5"}, b"down")
        published(editor)
        wait_until(lambda: partner.refused)
        assert (read()["state"], read()["lag"]["entries"]) == ("behind", 1)
        assert keeper.patch(
            f"/v1/webhooks/{hook['id']}", json={"enabled": False}, headers={"If-Match": "*"}
        ).is_success
        assert read()["state"] == "stopped"


def test_a_revoked_token_has_stopped(admin: httpx.Client, wire: httpx.Client) -> None:
    page(wire, now_at(wire))
    token = of(admin, wire)["token_id"]
    assert admin.delete(f"/v1/tokens/{token}").status_code == 204
    assert of(admin, wire)["state"] == "stopped"


def test_it_is_for_administrators(client: httpx.Client, editor: httpx.Client, admin: httpx.Client) -> None:
    problem(client.get("/v1/followers"), 401)
    problem(editor.get("/v1/followers"), 403)
    assert "copydesk_followers_stalled" in admin.get("/metrics").text


@pytest.mark.slow
def test_who_is_behind_is_told_by_one_entry_each_as_it_is_by_counting(
    store: Store, admin: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    """A thousand followers are looked at every fifteen seconds, and ten thousand entries may wait for each."""
    for each in ("", "&kind=caption", "&section=Harbour", "&view=staff"):
        page(wire, now_at(wire, each))
    for number in range(3):
        published(editor, headline=f"Tram {number}")
    database = open_database(store.settings)
    watched, statements = FollowersWatched(database), list[str]()
    event.listen(
        database.engine, "before_cursor_execute", lambda _, __, statement, *___: statements.append(statement)
    )
    behind = [each for each in followers(admin) if each["state"] in ("behind", "stalled")]
    watched._count()
    database.close()
    assert watched.behind == len(behind)
    assert watched.lag_seconds >= max(each["lag"]["seconds"] for each in behind) > 0
    assert not [statement for statement in statements if "count(" in statement]
