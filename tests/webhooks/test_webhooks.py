"""A partner is told of what is published, signed, in order, with a log."""

from uuid import uuid4

import httpx
import pytest
from sqlmodel import select

from service.webhooks.models import Webhook
from tests.articles.newsroom import do, draft, mark, problem, published
from tests.articles.newsroom import edit as edit_article
from tests.patience import wait_until
from tests.serving import Store
from tests.sync.following import follow, now_at
from tests.webhooks.keeping import deliveries, edit, read, webhook
from tests.webhooks.receiver import Receiver


@pytest.mark.slow
def test_what_is_published_is_told_as_the_feed_has_it(
    client: httpx.Client, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner):
        since = now_at(client)
        draft(editor)
        article = published(editor)
        wait_until(lambda: len(partner.taken) == 1)
        do(editor, article, "withdraw", reason="It named the wrong person.")
        wait_until(lambda: len(partner.taken) == 2)
    put, removed = partner.taken
    assert (put["type"], put["data"]["id"]) == ("article.put", article["id"])
    assert put["data"]["data"] == {**article, "edition_note": None}
    assert (removed["type"], removed["data"]["reason"], removed["data"]["detail"]) == (
        "article.remove",
        "withdrawn",
        "It named the wrong person.",
    )
    assert removed["data"] == follow(client, since)[0][-1]
    assert removed["timestamp"] == removed["data"]["changed_at"]


@pytest.mark.slow
def test_it_can_be_narrowed_and_what_leaves_is_told(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    sport = mark()
    with webhook(keeper, partner, sections=[sport], languages=["en"], kinds=["article"]):
        published(editor, section="Elsewhere")
        published(editor, section=sport, language="fr")
        article = published(editor, section=sport)
        article = edit_article(editor, article, section="Elsewhere")
        edit_article(editor, article, headline="Nobody of sport is told")
        last = published(editor, section=sport)
        wait_until(lambda: partner.taken and partner.taken[-1]["data"]["id"] == last["id"])
    assert [(told["data"]["id"], told["data"]["reason"]) for told in partner.taken] == [
        (article["id"], None),
        (article["id"], "left_scope"),
        (last["id"], None),
    ]


def test_lists_say_how_many_there_are(editor: httpx.Client, keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner) as hook, webhook(keeper, partner):
        for _ in range(3):
            published(editor)
        assert keeper.get("/v1/webhooks?limit=1&count=true").json()["total"] >= 2
        for query, total in (("", 3), ("&status=failed", 0)):
            assert (
                keeper.get(f"/v1/webhooks/{hook['id']}/deliveries?limit=1&count=true{query}").json()["total"]
                == total
            )


def test_what_was_read_can_be_put_back(keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner, name="Harbour") as hook:
        path = f"/v1/webhooks/{hook['id']}"
        before = keeper.get(path)
        unchanged = {"If-Match": before.headers["etag"]}
        for put_back in (keeper.put, keeper.patch):
            same = put_back(path, json=before.json(), headers=unchanged)
            assert (same.status_code, same.headers["etag"]) == (200, before.headers["etag"])
            refusal = problem(put_back(path, json={**before.json(), "version": 7}, headers=unchanged), 422)
            assert [error["pointer"] for error in refusal["errors"]] == ["/version"]
        whole = keeper.put(path, json={"url": hook["url"], "kinds": ["article"]}, headers=unchanged).json()
        assert (whole["name"], whole["kinds"], whole["version"]) == (None, ["article"], 2)
        problem(keeper.put(path, json={"url": hook["url"]}), 428)
        problem(keeper.put(path, json={"url": hook["url"]}, headers=unchanged), 412)
        problem(keeper.put(f"/v1/webhooks/{uuid4()}", json={"url": hook["url"]}), 404)


def test_null_enables_no_webhook_and_sends_it_no_other_kinds(keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner, kinds=["image"], enabled=False) as hook:
        path = f"/v1/webhooks/{hook['id']}"
        for member in ("enabled", "kinds", "url"):
            refused = problem(keeper.patch(path, json={member: None}, headers={"If-Match": "*"}), 422)
            assert [each["pointer"] for each in refused["errors"]] == [f"/{member}"]
        assert keeper.get(path).json()["version"] == hook["version"]


def test_a_refused_write_tells_nobody(editor: httpx.Client, keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner) as hook:
        article = published(editor)
        taken = published(editor)
        problem(
            editor.patch(
                f"/v1/articles/{article['id']}", json={"slug": taken["slug"]}, headers={"If-Match": "*"}
            ),
            409,
        )
        assert len(deliveries(keeper, hook)) == 2
        assert keeper.get(f"/v1/webhooks/{hook['id']}/deliveries?limit=1&count=true").json()["total"] == 2
        assert keeper.get("/v1/webhooks?count=true").json()["total"] == 1


@pytest.mark.slow
def test_the_log_says_what_was_sent_and_answered(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    partner.answer = (200, {}, b"thank you")
    with webhook(keeper, partner) as hook:
        published(editor)
        [delivery] = wait_until(lambda: deliveries(keeper, hook, "&status=delivered"))
        whole = keeper.get(f"/v1/webhooks/{hook['id']}/deliveries/{delivery['id']}").json()
    [attempt] = whole["attempts"]
    assert (attempt["status"], attempt["answer"], attempt["fault"]) == (200, "thank you", None)
    assert attempt["ms"] >= 0
    assert attempt["request_headers"]["webhook-id"] == whole["message_id"] == partner.ids[0]
    assert whole["request_body"].startswith('{"type":"article.put"')
    assert whole["finished_at"] is not None


def test_a_secret_is_shown_once_and_lies_sealed(
    store: Store, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        assert hook["secret"].startswith("whsec_")
        assert "secret" not in read(keeper, hook)
        with store.database.reading() as session:
            row = session.exec(select(Webhook)).one()
        assert hook["secret"].encode() not in row.secret
        assert len(row.secret) == 12 + 32 + 16


def test_while_a_secret_is_changed_both_are_good(keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner) as hook:
        rotated = keeper.post(f"/v1/webhooks/{hook['id']}/secret").json()
        assert rotated["secret"] != hook["secret"]
        assert rotated["old_secret_until"] is not None
        for secret in (hook["secret"], rotated["secret"]):
            partner.secret = secret
            assert keeper.post(f"/v1/webhooks/{hook['id']}/test").json()["status"] == "delivered"
        assert [signature.count("v1,") for signature in partner.signatures] == [2, 2]


def test_a_test_says_at_once_what_came_of_it(keeper: httpx.Client, partner: Receiver) -> None:
    with webhook(keeper, partner) as hook:
        keyed = {"Idempotency-Key": str(uuid4())}
        done = keeper.post(f"/v1/webhooks/{hook['id']}/test", headers=keyed).json()
        assert keeper.post(f"/v1/webhooks/{hook['id']}/test", headers=keyed).json() == done
        assert (done["type"], done["status"], done["attempts"][0]["status"]) == (
            "webhook.test",
            "delivered",
            204,
        )
        partner.answer = (500, {}, b"out of order")
        done = keeper.post(f"/v1/webhooks/{hook['id']}/test").json()
        assert (done["status"], done["attempts"][0]["answer"]) == ("failed", "out of order")
        assert [told["type"] for told in deliveries(keeper, hook)] == ["webhook.test"] * 2
        assert read(keeper, hook)["enabled"]


@pytest.mark.slow
def test_410_disables_and_enabling_goes_on_with_what_is_pending(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    partner.answer = (410, {}, b"")
    with webhook(keeper, partner) as hook:
        article = published(editor)
        off = wait_until(lambda: None if (now := read(keeper, hook))["enabled"] else now)
        assert off["disabled_reason"].startswith("gone")
        published(editor)  # who is disabled is told nothing
        partner.answer = (204, {}, b"")
        assert edit(keeper, hook, enabled=True)["disabled_reason"] is None
        wait_until(lambda: partner.taken)
        assert [told["data"]["id"] for told in partner.taken] == [article["id"]]
        assert edit(keeper, hook, enabled=False)["disabled_reason"] == "disabled by its keeper"


@pytest.mark.slow
def test_a_redirect_is_not_followed_and_retry_after_is_kept_to(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        partner.answer = (302, {"Location": partner.url, "Retry-After": "3600"}, b"")
        article = published(editor)
        waiting = wait_until(lambda: (now := read(keeper, hook))["retry_at"] and now)
        assert partner.refused == 1
        assert waiting["retry_at"] > article["updated_at"][:11]
        [delivery] = deliveries(keeper, hook)
        assert (delivery["status"], delivery["attempts"][0]["status"]) == ("pending", 302)


@pytest.mark.slow
def test_messages_are_sent_again_by_id_and_by_time(
    editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        first, second = published(editor), published(editor)
        wait_until(lambda: len(deliveries(keeper, hook, "&status=delivered")) == 2)
        oldest = deliveries(keeper, hook)[-1]
        again = keeper.post(f"/v1/webhooks/{hook['id']}/deliveries/{oldest['id']}/redeliver")
        assert again.status_code == 202
        wait_until(lambda: len(partner.taken) == 3)
        wait_until(lambda: len(deliveries(keeper, hook, "&status=delivered")) == 2)
        done = keeper.post(f"/v1/webhooks/{hook['id']}/redeliver", json={"since": oldest["created_at"]})
        assert (done.status_code, done.json()) == (202, {"count": 2})
        wait_until(lambda: len(partner.taken) == 5)
        assert [told["data"]["id"] for told in partner.taken] == [
            article["id"] for article in (first, second, first, first, second)
        ]
        assert partner.ids[0] == partner.ids[2] == partner.ids[3]
        nothing = keeper.post(
            f"/v1/webhooks/{hook['id']}/redeliver",
            json={"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z"},
        )
        assert nothing.json() == {"count": 0}


@pytest.mark.parametrize(
    "url", ["http://169.254.1.1/hook", "http://localhost:22/", "ftp://partner.example/", "not an address"]
)
def test_addresses_that_are_never_called_are_refused_or_fail(keeper: httpx.Client, url: str) -> None:
    response = keeper.post("/v1/webhooks", json={"url": url})
    if response.status_code == 201:
        hook = response.json()
        done = keeper.post(f"/v1/webhooks/{hook['id']}/test").json()
        assert done["status"] == "failed"
        assert "public internet" in done["attempts"][0]["fault"]
        keeper.delete(f"/v1/webhooks/{hook['id']}", headers={"If-Match": "*"})
        return
    problem(response, 422)


def test_only_its_keepers_know_of_a_webhook(
    store: Store, editor: httpx.Client, keeper: httpx.Client, partner: Receiver
) -> None:
    with webhook(keeper, partner) as hook:
        for address in ("", f"/{hook['id']}", f"/{hook['id']}/deliveries"):
            problem(editor.get(f"/v1/webhooks{address}"), 403)
            with store.client() as reader:
                problem(reader.get(f"/v1/webhooks{address}"), 401)
        problem(keeper.patch(f"/v1/webhooks/{hook['id']}", json={"name": "x"}), 428)
        problem(
            keeper.patch(f"/v1/webhooks/{hook['id']}", json={"name": "x"}, headers={"If-Match": '"7"'}), 412
        )
        assert keeper.get("/v1/webhooks").json()["items"][0]["id"] == hook["id"]
    problem(keeper.get(f"/v1/webhooks/{hook['id']}"), 404)
