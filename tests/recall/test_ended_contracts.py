"""A holder of a contract counts as having dropped its copies once it has learnt that the contract ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.tables import now, write_time
from tests.articles.newsroom import edit, mark, published
from tests.patience import wait_until
from tests.recall.test_recall import recall, withdraw
from tests.serving import Store
from tests.sync.following import follow
from tests.webhooks.receiver import Receiver

pytestmark = pytest.mark.slow


def ending(**members: Any) -> dict[str, Any]:
    """A contract that is over in a moment."""
    return {**members, "until": write_time(now() + timedelta(seconds=2))}


def refused(partner: httpx.Client, place: str) -> Callable[[], bool]:
    """Return true when a cursor is refused because the contract has ended."""
    return lambda: partner.get(place).status_code == 410


def test_a_follower_has_dropped_what_it_had_once_it_begins_again_after_the_end(
    store: Store, editor: httpx.Client
) -> None:
    tag = mark()
    article, killed_before = published(editor, tags=[tag]), published(editor, tags=[tag])
    with store.client(name="ending", contract=ending(tags=[tag])) as partner:
        entries, place = follow(partner)
        assert {each["id"] for each in entries} == {article["id"], killed_before["id"]}
        wait_until(refused(partner, place))
        withdraw(editor, killed_before)
        held = recall(editor, killed_before)
        assert (held["tokens"]["ending"]["state"], held["outstanding"]) == ("stopped", 1)
        beginning = partner.get(place).json()["start"]
        entries, nothing = follow(partner, beginning)
        assert entries == []
        assert recall(editor, article)["tokens"]["ending"]["dropped_at"] is None
        assert partner.get(nothing).status_code == 200
        held = recall(editor, killed_before)
        assert (held["tokens"]["ending"]["state"], held["outstanding"]) == ("removed", 0)
        before = recall(editor, article)["tokens"]["ending"]
        assert before["dropped_at"] is not None
        assert (before["state"], before["received_at"] is not None) == (None, True)
        withdraw(editor, article)
        after = recall(editor, article)
        assert after["tokens"]["ending"] | {"state": None} == before
        assert (after["tokens"]["ending"]["state"], after["reached"], after["outstanding"]) == (
            "removed",
            0,
            0,
        )


def test_a_follower_that_was_not_refused_may_still_have_what_it_had(
    store: Store, editor: httpx.Client
) -> None:
    tag = mark()
    article = published(editor, tags=[tag])
    with store.client(name="ending", contract=ending(tags=[tag])) as partner, store.client() as other:
        place = follow(partner)[1]
        wait_until(lambda: follow(partner)[0] == [])
        # Another program of the partner begins, with nothing that it could drop.
        nothing = follow(partner)[1]
        assert partner.get(nothing).status_code == 200
        withdraw(editor, article)
        assert recall(editor, article)["tokens"]["ending"]["state"] == "stopped"
        assert (partner.get(place).status_code, partner.get(nothing).status_code) == (410, 200)
        assert recall(editor, article)["tokens"]["ending"]["state"] == "removed"
        assert other.get(nothing).status_code == 410


def test_a_picture_is_dropped_with_the_contract_too(store: Store, editor: httpx.Client) -> None:
    tag = mark()
    image = editor.post("/v1/images", json={}).json()
    article = published(editor, tags=[tag], lead_image_id=image["id"])
    with store.client(name="ending", contract=ending(tags=[tag])) as partner:
        entries, place = follow(partner)
        assert [each["id"] for each in entries] == [article["id"]]
        wait_until(refused(partner, place))
        assert (
            editor.post(f"/v1/images/{image['id']}/withdraw", json={"reason": "Altered."}).status_code == 200
        )
        address = f"/v1/images/{image['id']}/recall"
        [held] = editor.get(address).json()["tokens"]
        assert (held["state"], held["articles"], held["dropped_at"]) == ("stopped", 1, None)
        assert partner.get(follow(partner)[1]).status_code == 200
        told = editor.get(address).json()
        [held] = told["tokens"]
        assert (held["state"], held["articles_outstanding"], told["outstanding"]) == ("removed", 0, 0)
        assert held["dropped_at"] is not None


def test_a_receiver_has_dropped_what_it_had_once_it_has_taken_the_end(
    store: Store, editor: httpx.Client, partner: Receiver
) -> None:
    tag = mark()
    with store.client("webhooks:write", name="ending", contract=ending(tags=[tag])) as holder:
        partner.secret = holder.post("/v1/webhooks", json={"url": partner.url}).json()["secret"]
        article = published(editor, tags=[tag])
        wait_until(lambda: partner.taken and partner.taken[-1]["type"] == "contract.ended")
        wait_until(lambda: recall(editor, article)["webhooks"][0]["dropped_at"] is not None)
        withdraw(editor, article)
        told = recall(editor, article)
        assert (told["webhooks"][0]["state"], told["outstanding"]) == ("removed", 0)


def test_what_has_left_a_contract_was_dropped_before_it_is_withdrawn(
    store: Store, editor: httpx.Client
) -> None:
    tag = mark()
    article = published(editor, tags=[tag])
    with store.client(name="partner", contract={"tags": [tag]}) as partner:
        place = follow(partner)[1]
        article = edit(editor, article, tags=[])
        entries, place = follow(partner, place)
        assert [(each["op"], each["reason"]) for each in entries] == [("remove", "left_scope")]
        follow(partner, place)
        assert recall(editor, article)["tokens"]["partner"]["state"] is None
        withdraw(editor, article)
        told = recall(editor, article)
        assert (told["tokens"]["partner"]["state"], told["outstanding"]) == ("removed", 0)
