"""A message that waits, or is sent again, gives nothing that is not public any more; and nothing to a token that
is over.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from service.tables import now, write_time
from service.webhooks import delivery
from tests.articles.newsroom import Article, caption, do, edit, mark, picture, problem, published, trash
from tests.patience import wait_until
from tests.serving import Store
from tests.webhooks.keeping import deliveries, read, webhook
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_worker import Clock, work

SENDERS = 0
SINCE = {"since": "2020-01-01T00:00:00Z"}


def _expire(editor: httpx.Client, article: Article) -> None:
    edit(editor, article, usable_until=write_time(now() + timedelta(seconds=1)))
    wait_until(lambda: editor.get(f"/v1/articles/{article['id']}").json()["expired_at"])


ENDS: dict[str, Callable[[httpx.Client, Article], object]] = {
    "withdrawn": lambda editor, article: do(editor, article, "withdraw", reason="It was made up."),
    "unpublished": lambda editor, article: do(editor, article, "unpublish"),
    "deleted": trash,
    "expired": _expire,
}


@pytest.mark.slow
@pytest.mark.parametrize("reason", ENDS)
def test_what_is_not_public_any_more_is_sent_as_its_removal(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver, reason: str
) -> None:
    image = picture(editor)
    caption(editor, image["id"], text="A harbour that nobody may see.")
    with webhook(keeper, partner) as hook:
        article = published(editor, headline="A story that nobody may read", lead_image_id=image["id"])
        ENDS[reason](editor, article)
        work(store.database, Clock())
        assert keeper.post(f"/v1/webhooks/{hook['id']}/redeliver", json=SINCE).status_code == 202
        work(store.database, Clock())
    assert {told["data"]["op"] for told in partner.taken} == {"remove"}
    assert "nobody may" not in str(partner.taken)
    of_article = [told for told in partner.taken if told["data"]["id"] == article["id"]]
    assert {(told["type"], told["data"]["reason"]) for told in of_article} == {("article.remove", reason)}


def test_what_is_public_again_is_sent_as_it_was(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner, kinds=["article"]):
        article = published(editor)
        do(editor, article, "unpublish")
        do(editor, article, "publish")
        work(store.database, Clock())
    assert [told["data"]["op"] for told in partner.taken] == ["put", "remove", "put"]


@pytest.fixture
def mine() -> str:
    return mark()


@pytest.fixture
def holder(store: Store, mine: str) -> Iterator[httpx.Client]:
    """A partner whose contract gives what has a tag."""
    with store.client("webhooks:write", name="partner", contract={"tags": [mine]}) as client:
        yield client


def test_what_waits_for_a_revoked_token_is_never_sent(
    store: Store,
    editor: httpx.Client,
    admin: httpx.Client,
    holder: httpx.Client,
    partner: Receiver,
    mine: str,
) -> None:
    own = holder.post("/v1/webhooks", json={"url": partner.url}).json()
    partner.secret = own["secret"]
    published(editor, tags=[mine])
    work(store.database, Clock())
    assert len(partner.taken) == 1
    published(editor, tags=[mine])
    assert admin.delete(f"/v1/tokens/{own['token_id']}").status_code == 204
    assert delivery.lease(store.database, Clock(), 5) == []
    wait_until(lambda: not read(admin, own)["enabled"])
    assert read(admin, own)["disabled_reason"].endswith("revoked or expired")
    [sent] = deliveries(admin, own)
    address = f"/v1/webhooks/{own['id']}"
    assert problem(admin.post(f"{address}/redeliver", json=SINCE), 409)["type"] == "/problems/nothing-sent"
    problem(admin.post(f"{address}/deliveries/{sent['id']}/redeliver"), 409)
    assert admin.post(f"{address}/resume").status_code == 200
    assert delivery.lease(store.database, Clock(), 5) == []


@pytest.mark.slow
def test_nothing_but_its_end_is_sent_again_after_the_end_of_a_contract(
    store: Store, editor: httpx.Client, admin: httpx.Client, partner: Receiver, mine: str
) -> None:
    contract = {"tags": [mine], "until": write_time(now() + timedelta(seconds=2))}
    with store.client("webhooks:write", name="ending", contract=contract) as holder:
        own = holder.post("/v1/webhooks", json={"url": partner.url}).json()
    partner.secret = own["secret"]
    published(editor, tags=[mine])
    work(store.database, Clock())
    wait_until(lambda: len(deliveries(admin, own)) == 2)
    work(store.database, Clock())
    ended, sent = deliveries(admin, own)
    address = f"/v1/webhooks/{own['id']}"
    problem(admin.post(f"{address}/redeliver", json=SINCE), 409)
    problem(admin.post(f"{address}/deliveries/{sent['id']}/redeliver"), 409)
    assert admin.post(f"{address}/deliveries/{ended['id']}/redeliver").status_code == 202
    work(store.database, Clock())
    assert [told["type"] for told in partner.taken] == ["article.put", "contract.ended", "contract.ended"]


def test_what_was_sent_is_recalled_although_its_webhook_was_deleted_meanwhile(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner, kinds=["article"]) as hook:
        article = published(editor)
        [message] = delivery.lease(store.database, Clock(), 5)
    taken = delivery.attempt_of(now(), 1, {}, None, "late")
    assert delivery.record(store.database, message, taken, None, Clock()) is None
    recalled = editor.get(f"/v1/articles/{article['id']}/recall").json()
    assert hook["id"] in str(recalled)


@contextmanager
def _breaking_off(head: bytes) -> Iterator[str]:
    """A receiver that says how it decides, and then closes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(head)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
        thread.join()


@pytest.mark.parametrize(("status", "then"), [("200 OK", "delivered"), ("410 Gone", "pending")])
def test_a_status_counts_although_the_body_behind_it_breaks_off(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver, status: str, then: str
) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Length: 10\r\n\r\nok".encode()
    with _breaking_off(head) as partner.url, webhook(keeper, partner, kinds=["article"]) as hook:
        published(editor)
        work(store.database, Clock())
        [told] = deliveries(keeper, hook)
        assert (told["status"], told["attempts"][0]["answer"]) == (then, "ok")
        assert read(keeper, hook)["enabled"] is (then == "delivered")
