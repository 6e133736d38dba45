"""When an article is withdrawn, it is known who had it, and who has been told."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from service.copies.models import CopyHolder
from tests.articles.newsroom import Article, do, edit, mark, problem, published, trash
from tests.patience import PATIENCE, wait_until
from tests.serving import Store, another
from tests.sync.following import events, follow, listening, now_at, page
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver, receiver

Recall = dict[str, Any]
ROOT = Path(__file__).parent.parent.parent
WHY = "It named the wrong person."


def recall(editor: httpx.Client, article: Article) -> Recall:
    """The recall of an article, with its tokens by their names."""
    response = editor.get(f"/v1/articles/{article['id']}/recall")
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "private, no-store"
    read = response.json()
    return read | {"tokens": {held["name"]: held for held in read["tokens"]}}


def withdraw(editor: httpx.Client, article: Article) -> Article:
    """Kill an article."""
    return do(editor, article, "withdraw", reason=WHY)


@pytest.fixture
def wire(store: Store) -> Iterator[httpx.Client]:
    """A follower with a token of its own."""
    with store.client("content:read", name="wire") as client:
        yield client


def test_a_follower_has_what_it_came_back_from(editor: httpx.Client, wire: httpx.Client) -> None:
    since = now_at(wire)
    article = published(editor)
    since = page(wire, since)["next"]
    [held] = recall(editor, article)["tokens"].values()
    assert (held["last_version"], held["received_at"], held["state"]) == (1, None, None)
    article = edit(editor, article, headline="Put right since")
    since = page(wire, since)["next"]
    killed = withdraw(editor, article)
    read = recall(editor, article)
    assert (read["status"], read["withdrawn_at"], read["reason"]) == ("withdrawn", killed["updated_at"], WHY)
    assert read["withdrawn_version"] == read["version"] == killed["version"] == 3
    held = read["tokens"]["wire"]
    assert [(copy["version"], copy["received_at"] is not None) for copy in held["versions"]] == [
        (1, True),
        (2, False),
    ]
    assert (held["last_version"], held["received_at"], held["state"], held["follows"]) == (
        2,
        None,
        "pending",
        "/v1/changes",
    )
    since = page(wire, since)["next"]
    read = recall(editor, article)
    held = read["tokens"]["wire"]
    assert held["received_at"] is not None
    assert (held["state"], held["withdrawal_received_at"], read["reached"], read["outstanding"]) == (
        "sent",
        None,
        0,
        1,
    )
    assert page(wire, since)["items"] == []
    read = recall(editor, article)
    held = read["tokens"]["wire"]
    assert held["received_at"] <= held["withdrawal_sent_at"] <= held["withdrawal_received_at"]
    assert (held["state"], read["reached"], read["outstanding"], read["anonymous"]) == (
        "received",
        1,
        0,
        "not recorded",
    )


def test_before_anything_is_withdrawn_it_tells_who_would_have_to_be_reached(
    editor: httpx.Client, wire: httpx.Client
) -> None:
    since = now_at(wire)
    article, other = published(editor), published(editor)
    follow(wire, since)
    read = recall(editor, article)
    assert (
        read["withdrawn_at"],
        read["withdrawn_version"],
        read["reason"],
        read["reached"],
        read["outstanding"],
    ) == (
        None,
        None,
        None,
        0,
        0,
    )
    assert read["tokens"]["wire"]["state"] is None
    trash(editor, withdraw(editor, other))
    assert recall(editor, other)["status"] == "withdrawn"


def test_who_came_after_the_withdrawal_never_had_it(
    client: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    article = published(editor)
    follow(client)  # without a token: on no record
    withdraw(editor, article)
    follow(wire)
    read = recall(editor, article)
    assert (read["tokens"], read["webhooks"], read["outstanding"]) == ({}, [], 0)


def test_a_follower_whose_section_the_article_left_has_dropped_it(
    editor: httpx.Client, wire: httpx.Client
) -> None:
    sport = mark()
    since, all_since = now_at(wire, f"&kind=article&section={sport}"), now_at(wire)
    article = published(editor, section=sport)
    since = follow(wire, since)[1]
    article = edit(editor, article, section="Elsewhere")
    page(wire, follow(wire, since)[1])
    withdraw(editor, article)
    [held] = recall(editor, article)["tokens"].values()
    assert (held["state"], held["follows"]) == ("removed", f"/v1/changes?kind=article&section={sport}")
    page(wire, follow(wire, all_since)[1])
    assert len(recall(editor, article)["tokens"]) == 1


def test_the_staffs_followers_are_told_by_the_withdrawn_article_itself(
    editor: httpx.Client, wire: httpx.Client
) -> None:
    since = now_at(wire, "&view=staff")
    article = published(editor)
    since = follow(wire, since)[1]
    withdraw(editor, article)
    assert recall(editor, article)["tokens"]["wire"]["state"] == "pending"
    page(wire, follow(wire, since)[1])
    held = recall(editor, article)["tokens"]["wire"]
    assert (held["last_version"], held["state"], held["follows"]) == (1, "received", "/v1/changes?view=staff")


def test_a_revoked_token_will_not_be_reached(store: Store, editor: httpx.Client, admin: httpx.Client) -> None:
    made = admin.post("/v1/tokens", json={"name": "gone partner", "scopes": ["content:read"]}).json()
    with store.client() as partner:
        partner.headers["Authorization"] = f"Bearer {made['token']}"
        since = now_at(partner)
        article = published(editor)
        follow(partner, since)
    assert admin.delete(f"/v1/tokens/{made['id']}").status_code == 204
    withdraw(editor, article)
    read = recall(editor, article)
    assert (read["tokens"]["gone partner"]["token_id"], read["tokens"]["gone partner"]["state"]) == (
        made["id"],
        "stopped",
    )
    assert read["outstanding"] == 1


@pytest.mark.slow
def test_a_stream_has_what_it_resumes_behind(store: Store, editor: httpx.Client) -> None:
    with listening(store.app, store.portal) as origin:
        headers = {
            "Accept": "text/event-stream",
            "Authorization": f"Bearer {store.token('content:read', name='stream')}",
        }
        with (
            httpx.Client(base_url=origin, headers=headers, timeout=PATIENCE) as stream,
            store.client() as reader,
        ):
            since = now_at(reader)
            article = published(editor)
            with stream.stream("GET", since) as response:
                id_, _ = next(events(response))
            withdraw(editor, article)
            held = wait_until(lambda: recall(editor, article)["tokens"].get("stream"))
            assert (held["received_at"], held["state"]) == (None, "pending")
            with stream.stream("GET", since, headers={"Last-Event-ID": id_}) as response:
                id_, _ = next(events(response))
            held = recall(editor, article)["tokens"]["stream"]
            assert (held["received_at"] is not None, held["state"]) == (True, "sent")
            with stream.stream("GET", since, headers={"Last-Event-ID": id_}) as response:
                next(events(response))
            assert recall(editor, article)["tokens"]["stream"]["state"] == "received"


@contextmanager
def program(folder: Path, origin: str, token: str) -> Iterator[subprocess.Popen[bytes]]:
    """A partner's program, killed at the end as a crash would."""
    command = [sys.executable, "-m", "tests.sync.follower", "wait", origin, str(folder / "copy"), token]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        yield process
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_partner_that_is_killed_and_comes_back_is_reached(
    store: Store, editor: httpx.Client, tmp_path: Path
) -> None:
    token = store.token("content:read", name="program")
    article = published(editor)

    def held() -> Recall:
        return recall(editor, article)["tokens"].get("program", {"received_at": None})

    with listening(store.app, store.portal) as origin:
        with program(tmp_path, origin, token):
            wait_until(lambda: held()["received_at"])
        withdraw(editor, article)
        # Sent, if the store has not noticed yet that nobody listens any more.
        assert held()["state"] in ("pending", "sent")
        with program(tmp_path, origin, token):
            wait_until(lambda: held()["state"] == "received")
    assert held()["last_version"] == article["version"]


def test_processes_know_together_what_has_arrived(
    store: Store, editor: httpx.Client, wire: httpx.Client
) -> None:
    token = wire.headers["Authorization"]
    with another(store) as second, second.client() as there:
        there.headers["Authorization"] = token
        since = now_at(wire)
        article = published(editor)
        since = page(there, since)["next"]  # told by one process …
        assert page(wire, since)["items"] == []  # … and acknowledged to the other, which writes first
        recall(editor, article)
    # What the second one held in memory was written as it ended.
    assert recall(editor, article)["tokens"]["wire"]["received_at"] is not None


def test_who_waits_for_the_next_change_writes_nothing(
    store: Store, editor: httpx.Client, wire: httpx.Client
) -> None:
    since = now_at(wire)
    article = published(editor)
    since = page(wire, since)["next"]

    def acked() -> list[Any]:
        page(wire, since)
        recall(editor, article)
        with store.database.reading() as session:
            return session.exec(select(CopyHolder.acked_at).order_by(CopyHolder.acked_at)).all()

    assert acked() == acked() == acked()


@pytest.mark.slow
def test_a_receiver_has_what_it_has_taken(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner, name="quayside", url=f"{partner.url}?key=secret") as hook:
        article = published(editor)
        wait_until(lambda: deliveries(keeper, hook, "&status=delivered"))
        partner.answer = (503, {"Retry-After": "5"}, b"down")
        withdraw(editor, article)
        wait_until(lambda: partner.refused)
        read = wait_until(
            lambda: (read := recall(editor, article))["webhooks"][0]["state"] == "sent" and read
        )
        [held] = read["webhooks"]
        assert (held["webhook_id"], held["name"], held["url"]) == (
            hook["id"],
            "quayside",
            partner.url.removesuffix("/hook"),
        )
        assert (held["last_version"], held["withdrawal_received_at"], read["outstanding"]) == (1, None, 1)
        assert held["received_at"] >= held["versions"][0]["sent_at"]
        partner.answer = (204, {}, b"")
        # Enabled anew, it does not wait for the schedule.
        for enabled in (False, True):
            keeper.patch(
                f"/v1/webhooks/{hook['id']}", json={"enabled": enabled}, headers={"If-Match": "*"}
            ).raise_for_status()
            if not enabled:
                assert recall(editor, article)["webhooks"][0]["state"] == "stopped"
        read = wait_until(lambda: (read := recall(editor, article))["reached"] and read)
        assert read["webhooks"][0]["withdrawal_received_at"] >= read["webhooks"][0]["withdrawal_sent_at"]
        assert (read["webhooks"][0]["state"], read["outstanding"]) == ("received", 0)


@pytest.mark.slow
def test_a_receiver_whose_webhook_was_deleted_still_has_it(
    editor: httpx.Client, keeper: httpx.Client
) -> None:
    with receiver() as partner:
        with webhook(keeper, partner) as hook:
            article = published(editor)
            wait_until(lambda: deliveries(keeper, hook, "&status=delivered"))
        withdraw(editor, article)
        read = recall(editor, article)
    [held] = read["webhooks"]
    assert (held["webhook_id"], held["url"], held["state"]) == (
        hook["id"],
        partner.url.removesuffix("/hook"),
        "stopped",
    )
    assert read["outstanding"] == 1


def test_it_is_for_those_who_may_withdraw(
    store: Store, client: httpx.Client, editor: httpx.Client, wire: httpx.Client
) -> None:
    address = f"/v1/articles/{published(editor)['id']}/recall"
    problem(client.get(address), 401)
    problem(wire.get(address), 403)
    with store.client("content:publish") as publisher:
        assert publisher.get(address).status_code == 200
    problem(editor.get("/v1/articles/01900000-0000-7000-8000-000000000000/recall"), 404)
