"""The webhooks of a token with a contract are told what the contract gives, and of its end."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from service.tables import now, write_time
from tests.articles.newsroom import edit, mark, published
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.following import follow
from tests.webhooks.keeping import deliveries, webhook
from tests.webhooks.receiver import Receiver


@pytest.fixture
def mine() -> str:
    return mark()


@pytest.fixture
def holder(store: Store, mine: str) -> Iterator[httpx.Client]:
    """A partner whose contract gives what has a tag."""
    contract = {"tags": [mine], "pictures": "none"}
    with store.client("webhooks:write", name="partner", contract=contract) as client:
        yield client


@pytest.mark.slow
def test_a_webhook_is_told_what_the_contract_of_its_token_gives(
    editor: httpx.Client, holder: httpx.Client, partner: Receiver, mine: str
) -> None:
    image = editor.post("/v1/images", json={"credit_line": "Ana Lind"}).json()
    with webhook(holder, partner):
        never = published(editor, tags=["other"])
        article = published(editor, tags=[mine], lead_image_id=image["id"])
        edit(editor, never, summary="Newer")
        left = edit(editor, article, tags=["other"])
        edit(editor, left, summary="Newer")
        last = published(editor, tags=[mine, "other"])
        wait_until(lambda: partner.taken and partner.taken[-1]["data"]["id"] == last["id"])
    told = [(each["data"]["id"], each["data"]["reason"]) for each in partner.taken]
    assert told == [(article["id"], None), (article["id"], "left_scope"), (last["id"], None)]
    assert image["id"] not in str(partner.taken[0])
    assert partner.taken[-1]["data"] == follow(holder)[0][-1]


def test_a_holder_sees_and_changes_its_own_webhooks_alone(
    store: Store,
    editor: httpx.Client,
    keeper: httpx.Client,
    holder: httpx.Client,
    partner: Receiver,
    mine: str,
) -> None:
    with webhook(keeper, partner) as house, webhook(holder, partner) as own:
        published(editor, tags=[mine])
        wait_until(lambda: len(deliveries(keeper, house)) >= 1)
        address = f"/v1/webhooks/{house['id']}"
        told = deliveries(keeper, house)[0]["id"]
        listed = holder.get("/v1/webhooks?count=true").json()
        assert ([each["id"] for each in listed["items"]], listed["total"]) == ([own["id"]], 1)
        every_version = {"If-Match": "*"}
        for answer in (
            holder.get(address),
            holder.put(address, json={"url": "https://partner.example/"}, headers=every_version),
            holder.patch(address, json={"enabled": False}, headers=every_version),
            holder.post(f"{address}/secret"),
            holder.post(f"{address}/test"),
            holder.post(f"{address}/resume"),
            holder.get(f"{address}/deliveries"),
            holder.get(f"{address}/deliveries/{told}"),
            holder.post(f"{address}/deliveries/{told}/redeliver"),
            holder.post(f"{address}/redeliver", json={"since": "2020-01-01T00:00:00Z"}),
            holder.delete(address, headers=every_version),
        ):
            assert answer.status_code == 404, answer.text
        assert holder.get(f"/v1/webhooks/{own['id']}/deliveries/{told}").status_code == 404
        # The house may look at its partner's, which stays the partner's.
        changed = keeper.patch(f"/v1/webhooks/{own['id']}", json={"name": "Newer"}, headers=every_version)
        assert changed.json()["token_id"] == own["token_id"]
        taken = keeper.patch(f"/v1/webhooks/{own['id']}", json={"token_id": None}, headers=every_version)
        assert taken.status_code == 422


def test_a_webhook_of_a_revoked_token_is_told_nothing(
    editor: httpx.Client, admin: httpx.Client, holder: httpx.Client, partner: Receiver, mine: str
) -> None:
    own = holder.post("/v1/webhooks", json={"url": partner.url}).json()
    assert admin.delete(f"/v1/tokens/{own['token_id']}").status_code == 204
    published(editor, tags=[mine])
    assert admin.get(f"/v1/webhooks/{own['id']}/deliveries").json()["items"] == []


@pytest.mark.slow
def test_the_end_of_a_contract_is_told_and_nothing_after_it(
    store: Store, editor: httpx.Client, admin: httpx.Client, partner: Receiver, mine: str
) -> None:
    until = now() + timedelta(seconds=3)
    contract = {"tags": [mine], "until": write_time(until)}
    with store.client("webhooks:write", name="ending", contract=contract) as holder:
        made = holder.post("/v1/webhooks", json={"url": partner.url}).json()
        partner.secret = made["secret"]
        published(editor, tags=[mine])
        before, place = follow(holder)
        assert len(before) == 1
        wait_until(lambda: partner.taken and partner.taken[-1]["type"] == "contract.ended")
        assert partner.taken[-1]["data"] == {"until": write_time(until)}
        published(editor, tags=[mine])
        refused = holder.get(place)
        assert (refused.status_code, refused.json()["type"]) == (410, "/problems/contract-ended")
        assert follow(holder, refused.json()["start"])[0] == []
        for address in ("/v1/articles?count=true", "/v1/images?count=true", "/v1/sections?count=true"):
            told = holder.get(address).json()
            assert (told["items"], told["total"]) == ([], 0)
        assert holder.get(f"/v1/webhooks/{made['id']}").status_code == 403
        log = admin.get(f"/v1/webhooks/{made['id']}/deliveries").json()["items"]
        assert [each["type"] for each in log] == ["contract.ended", "article.put"]
