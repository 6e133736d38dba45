"""When a picture is killed, it is known who had it, by itself or in an article, and who has been told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.published import render
from tests.articles.newsroom import edit, mark, picture, problem, published
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.following import follow, now_at, page
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver, receiver

WHY = "The agency killed it: the picture was altered."
Recall = dict[str, Any]


def recall(editor: httpx.Client, image: dict[str, Any]) -> Recall:
    """The recall of a picture, with its tokens by their names."""
    response = editor.get(f"/v1/images/{image['id']}/recall")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "private, no-store"
    read = response.json()
    return read | {"tokens": {held["name"]: held for held in read["tokens"]}}


def kill(editor: httpx.Client, image: dict[str, Any]) -> dict[str, Any]:
    response = editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": WHY})
    assert response.status_code == 200, response.text
    return response.json()


def shows(image: dict[str, Any]) -> dict[str, Any]:
    return {"body": [{"type": "image", "image_id": image["id"]}]}


@pytest.fixture(autouse=True)
def _with_time_for_articles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the transaction of a kill render its few articles, however busy the machine is."""
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", 60.0)


@pytest.fixture
def wire(store: Store) -> Iterator[httpx.Client]:
    """A follower with a token of its own."""
    with store.client("content:read", name="wire") as client:
        yield client


@pytest.fixture
def image(editor: httpx.Client) -> dict[str, Any]:
    return picture(editor, external_id=mark(), source="wire")


def test_a_follower_has_received_the_kill_once_it_came_back_from_it(
    editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    since = now_at(wire)
    published(editor, **shows(image))
    since = follow(wire, since)[1]
    read = recall(editor, image)
    assert (read["withdrawn_at"], read["reason"], read["history"], read["outstanding"]) == (None, None, [], 0)
    assert (read["tokens"]["wire"]["articles"], read["tokens"]["wire"]["state"]) == (1, None)
    killed = kill(editor, image)
    read = recall(editor, image)
    held = read["tokens"]["wire"]
    assert (read["withdrawn_at"], read["reason"]) == (killed["withdrawn"]["at"], WHY)
    assert [(each["version"], each["reason"], each["actor"]) for each in read["history"]] == [
        (2, WHY, "editor")
    ]
    assert (held["last_version"], held["articles"], held["articles_outstanding"], held["state"]) == (
        1,
        1,
        1,
        "pending",
    )
    entries, since = follow(wire, since)
    assert {entry["kind"] for entry in entries} == {"article", "image"}
    assert recall(editor, image)["tokens"]["wire"]["state"] == "sent"
    page(wire, since)
    read = recall(editor, image)
    held = read["tokens"]["wire"]
    assert (held["state"], held["articles_outstanding"], read["reached"], read["outstanding"]) == (
        "received",
        0,
        1,
        0,
    )
    assert held["sent_at"] <= held["withdrawal_sent_at"] <= held["withdrawal_received_at"]


def test_who_follows_articles_alone_had_the_picture_in_them(
    editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    since = now_at(wire, "&kind=article")
    articles = [published(editor, **shows(image)) for _ in range(2)]
    published(editor)
    since = follow(wire, since)[1]
    page(wire, since)
    kill(editor, image)
    held = recall(editor, image)["tokens"]["wire"]
    assert (held["last_version"], held["articles"], held["articles_outstanding"], held["state"]) == (
        None,
        2,
        2,
        "pending",
    )
    entries, since = follow(wire, since)
    assert {entry["id"] for entry in entries} == {article["id"] for article in articles}
    page(wire, since)
    held = recall(editor, image)["tokens"]["wire"]
    assert (held["articles_outstanding"], held["state"]) == (0, "received")


def test_who_was_sent_a_version_without_the_picture_has_dropped_it_and_who_came_later_never_had_it(
    store: Store, editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    since = now_at(wire, "&kind=article")
    article = published(editor, **shows(image))
    since = follow(wire, since)[1]
    edit(editor, article, body=[])
    page(wire, follow(wire, since)[1])
    kill(editor, image)
    with store.client("content:read", name="late") as late:
        page(late, follow(late)[1])
        tokens = recall(editor, image)["tokens"]
    assert {name: held["state"] for name, held in tokens.items()} == {"wire": "removed"}


def test_a_recall_names_those_alone_who_had_this_picture(
    editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    other = picture(editor, external_id=mark(), source="wire")
    since = now_at(wire)
    published(editor, **shows(other))
    page(wire, follow(wire, since)[1])
    published(editor, **shows(image))
    kill(editor, image)
    read = recall(editor, image)
    assert (read["tokens"], read["webhooks"]) == ({}, [])
    assert list(recall(editor, other)["tokens"]) == ["wire"]


def test_the_staffs_followers_are_told_by_the_withdrawn_image_itself(
    editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    since = now_at(wire, "&view=staff")
    article = published(editor, **shows(image))
    edit(editor, article, headline="Newer")
    since = follow(wire, since)[1]
    kill(editor, image)
    assert recall(editor, image)["tokens"]["wire"]["state"] == "pending"
    page(wire, follow(wire, since)[1])
    assert recall(editor, image)["tokens"]["wire"]["state"] == "received"


@pytest.mark.slow
def test_a_receiver_has_received_what_it_has_taken(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver, image: dict[str, Any]
) -> None:
    with webhook(keeper, partner, name="quayside") as hook:
        published(editor, **shows(image))
        wait_until(lambda: len(deliveries(keeper, hook, "&status=delivered")) >= 2)
        partner.answer = (503, {"Retry-After": "5"}, b"down")
        kill(editor, image)
        wait_until(lambda: partner.refused)
        [held] = wait_until(lambda: (found := recall(editor, image)["webhooks"])[0]["articles"] and found)
        assert (held["webhook_id"], held["name"], held["articles_outstanding"]) == (hook["id"], "quayside", 1)
        assert held["state"] in ("pending", "sent")
        partner.answer = (204, {}, b"")
        assert keeper.post(f"/v1/webhooks/{hook['id']}/resume").is_success
        read = wait_until(lambda: (read := recall(editor, image))["reached"] and read)
        assert (read["webhooks"][0]["state"], read["outstanding"]) == ("received", 0)


@pytest.mark.slow
def test_a_receiver_whose_webhook_is_deleted_has_it_still(
    editor: httpx.Client, keeper: httpx.Client, image: dict[str, Any]
) -> None:
    with receiver() as partner:
        with webhook(keeper, partner) as hook:
            published(editor, **shows(image))
            wait_until(lambda: len(deliveries(keeper, hook, "&status=delivered")) >= 2)
        kill(editor, image)
        [held] = recall(editor, image)["webhooks"]
    assert (held["webhook_id"], held["state"]) == (hook["id"], "stopped")


def test_a_kill_that_is_undone_stays_in_the_history(editor: httpx.Client, image: dict[str, Any]) -> None:
    kill(editor, image)
    undone = editor.post(f"/v1/images/{image['id']}/reinstate", json={"reason": "Another picture."})
    assert undone.status_code == 200
    read = recall(editor, image)
    assert read["withdrawn_at"] is None
    assert [(each["version"], each["is_undone"], each["reason"]) for each in read["history"]] == [
        (2, False, WHY),
        (3, True, "Another picture."),
    ]


def test_it_is_for_those_who_may_withdraw(
    client: httpx.Client, editor: httpx.Client, wire: httpx.Client, image: dict[str, Any]
) -> None:
    address = f"/v1/images/{image['id']}/recall"
    problem(client.get(address), 401)
    problem(wire.get(address), 403)
    problem(editor.get("/v1/images/01900000-0000-7000-8000-000000000000/recall"), 404)


@pytest.mark.parametrize(("pictures", "names"), [("all", ["partner"]), ("own", []), ("none", [])])
def test_a_partner_to_whom_articles_go_without_the_picture_never_had_it(
    store: Store, editor: httpx.Client, image: dict[str, Any], pictures: str, names: list[str]
) -> None:
    tag = mark()
    with store.client(name="partner", contract={"tags": [tag], "pictures": pictures}) as partner:
        article = published(editor, tags=[tag], **shows(image))
        [entry] = follow(partner)[0]
        assert (entry["id"], image["id"] in str(entry["data"])) == (article["id"], bool(names))
        assert list(recall(editor, image)["tokens"]) == names


def test_a_partner_may_have_a_picture_that_was_the_houses_own_before(
    store: Store, editor: httpx.Client
) -> None:
    tag, image = mark(), picture(editor)
    with store.client(name="partner", contract={"tags": [tag], "pictures": "own"}) as partner:
        published(editor, tags=[tag], **shows(image))
        follow(partner)
        changed = editor.patch(
            f"/v1/images/{image['id']}", json={"source": "wire"}, headers={"If-Match": "*"}
        )
        assert changed.status_code == 200, changed.text
        assert list(recall(editor, image)["tokens"]) == ["partner"]


def test_a_receiver_to_whom_articles_go_without_the_picture_never_had_it(
    store: Store, editor: httpx.Client, image: dict[str, Any], partner: Receiver
) -> None:
    tag = mark()
    with store.client("webhooks:write", name="thin", contract={"tags": [tag], "pictures": "none"}) as holder:
        partner.secret = holder.post("/v1/webhooks", json={"url": partner.url}).json()["secret"]
        article = published(editor, tags=[tag], **shows(image))
        wait_until(lambda: any(each["data"]["id"] == article["id"] for each in partner.taken))
        assert recall(editor, image)["webhooks"] == []
