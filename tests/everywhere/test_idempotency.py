"""POST with an Idempotency-Key happens at most once."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import select

from service.http import routing
from service.http.idempotency import KeptAnswer, forget_old
from service.tables import now
from tests.articles.newsroom import draft, mark, problem
from tests.images.pictures import picture
from tests.patience import wait_until
from tests.serving import Store, another


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


def count(editor: httpx.Client, word: str) -> int:
    return editor.get(f"/v1/articles?view=staff&section={word}&count=true").json()["total"]


def test_the_first_answer_is_replayed_byte_for_byte(editor: httpx.Client) -> None:
    word, headers = mark(), key()
    body = {"headline": "Once", "section": word}
    first = editor.post("/v1/articles", json=body, headers=headers)
    editor.patch(
        f"/v1/articles/{first.json()['id']}", json={"headline": "Edited since"}, headers={"If-Match": "*"}
    )
    for _ in range(3):
        again = editor.post("/v1/articles", json=body, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        for name in ("content-type", "etag", "location", "cache-control"):
            assert again.headers[name] == first.headers[name]
    assert count(editor, word) == 1


def unless_busy(answer: httpx.Response) -> httpx.Response | None:
    """Return an answer; None where a busy machine asks to come again."""
    return None if answer.status_code == 503 and answer.headers["retry-after"] else answer


@pytest.mark.slow
def test_twenty_at_once_make_one_article(editor: httpx.Client) -> None:
    for _ in range(3):
        word, headers, ready = mark(), key(), threading.Barrier(20)
        body = {"headline": "Once", "section": word}

        def post(
            _: int, body: object = body, headers: dict[str, str] = headers, ready: threading.Barrier = ready
        ) -> httpx.Response:
            ready.wait()
            return wait_until(lambda: unless_busy(editor.post("/v1/articles", json=body, headers=headers)))

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(post, range(20)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        made = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.content for answer in made}) == 1
        assert sum("idempotent-replayed" not in answer.headers for answer in made) == 1
        for answer in answers:
            if answer.status_code == 409:
                problem(answer, 409, "still-running")
                assert answer.headers["retry-after"] == "1"
        assert count(editor, word) == 1


def test_a_key_belongs_to_one_body_one_address_and_one_token(store: Store, editor: httpx.Client) -> None:
    headers = key()
    first = editor.post("/v1/articles", json={"headline": "One"}, headers=headers)
    problem(editor.post("/v1/articles", json={"headline": "Two"}, headers=headers), 422, "key-reused")
    article = first.json()
    assert (
        editor.post(
            f"/v1/articles/{article['id']}/corrections", json={"text": "One"}, headers=headers
        ).status_code
        == 201
    )
    with store.client("content:write") as other:
        made = other.post("/v1/articles", json={"headline": "One"}, headers=headers)
        assert made.json()["id"] != article["id"]
    assert (
        editor.post("/v1/articles", json={"headline": "One"}, headers=headers).json()["id"] == article["id"]
    )


@pytest.mark.parametrize("status", [401, 403, 409, 422])
def test_a_refused_request_leaves_its_key_free_at_once(
    store: Store, client: httpx.Client, editor: httpx.Client, status: int
) -> None:
    slug, headers = draft(editor, slug=mark())["slug"], key()
    body = {"headline": "Now", "slug": slug, "status": "draft"}
    if status == 401:
        problem(
            client.post("/v1/articles", json=body, headers={**headers, "Authorization": "Bearer cd_x"}), 401
        )
    elif status == 403:
        with store.client("content:read") as reader:
            problem(reader.post("/v1/articles", json=body, headers=headers), 403)
    elif status == 422:
        problem(editor.post("/v1/articles", json={"headline": ""}, headers=headers), 422)
    else:
        problem(editor.post("/v1/articles", json=body, headers=headers), 409, "slug-taken")
        problem(editor.post("/v1/articles", json=body, headers=headers), 409, "slug-taken")
    assert editor.post("/v1/articles", json={"headline": "Now"}, headers=headers).status_code == 201


@pytest.mark.slow
def test_requests_that_fail_at_once_leave_no_turn_behind(editor: httpx.Client) -> None:
    slug = draft(editor, slug=mark())["slug"]
    with ThreadPoolExecutor(20) as pool:
        codes = list(
            pool.map(
                lambda _: (
                    editor.post(
                        "/v1/articles", json={"headline": "x", "slug": slug}, headers=key()
                    ).status_code
                ),
                range(40),
            )
        )
    assert set(codes) == {409}
    assert editor.post("/v1/articles", json={"headline": "x"}).status_code == 201


@pytest.mark.parametrize("value", ["", "x" * 256])
def test_a_key_has_a_length(editor: httpx.Client, value: str) -> None:
    problem(editor.post("/v1/articles", json={"headline": "x"}, headers={"Idempotency-Key": value}), 400)


def test_another_worker_replays_too(store: Store, editor: httpx.Client) -> None:
    headers = {**key(), "Authorization": editor.headers["authorization"]}
    first = editor.post("/v1/articles", json={"headline": "Once"}, headers=headers)
    with another(store) as second, second.client() as there:
        assert there.post("/v1/articles", json={"headline": "Once"}, headers=headers).content == first.content


def set_back(store: Store, by: timedelta, *, answered: bool) -> None:
    with store.database.writing() as session:
        changes = "" if answered else ", status = NULL"
        when = now() - by
        session.execute(
            text(f"UPDATE kept_answer SET claimed_at = :at{changes}"),
            {"at": when if not store.settings.is_sqlite else f"{when:%Y-%m-%d %H:%M:%S.%f}"},
        )


def test_an_answer_is_kept_for_a_day(store: Store, editor: httpx.Client) -> None:
    headers = key()
    first = editor.post("/v1/articles", json={"headline": "Daily"}, headers=headers)
    set_back(store, timedelta(hours=23), answered=True)
    forget_old(store.database)
    assert editor.post("/v1/articles", json={"headline": "Daily"}, headers=headers).content == first.content
    set_back(store, timedelta(hours=25), answered=True)
    forget_old(store.database)
    with store.database.reading() as session:
        assert session.execute(KeptAnswer.__table__.select()).all() == []
    assert (
        editor.post("/v1/articles", json={"headline": "Daily"}, headers=headers).json()["id"]
        != first.json()["id"]
    )


def test_the_claim_of_a_process_that_died_lapses(store: Store, editor: httpx.Client) -> None:
    headers = key()
    first = editor.post("/v1/articles", json={"headline": "Half done"}, headers=headers)
    set_back(store, timedelta(seconds=30), answered=False)
    problem(
        editor.post("/v1/articles", json={"headline": "Half done"}, headers=headers), 409, "still-running"
    )
    set_back(store, timedelta(seconds=61), answered=False)
    assert (
        editor.post("/v1/articles", json={"headline": "Half done"}, headers=headers).json()["id"]
        != first.json()["id"]
    )


def test_a_form_that_is_sent_again_is_the_same_whatever_its_boundary(editor: httpx.Client) -> None:
    headers, form = key(), {"file": ("ferry.png", picture(colour="teal"), "image/png")}
    first, again = (
        editor.post("/v1/images", files=form, data={"credit_line": "Ana Lind"}, headers=headers)
        for _ in range(2)
    )
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (again.status_code, again.content) == (201, first.content)
    problem(
        editor.post("/v1/images", files=form, data={"credit_line": "Tom Reyes"}, headers=headers),
        422,
        "key-reused",
    )
    other = {"file": ("ferry.png", picture(colour="navy"), "image/png")}
    problem(
        editor.post("/v1/images", files=other, data={"credit_line": "Ana Lind"}, headers=headers),
        422,
        "key-reused",
    )


def test_a_body_that_does_not_say_its_length_is_known_again(editor: httpx.Client) -> None:
    headers = {**key(), "Content-Type": "application/json"}
    first, again = (
        editor.post("/v1/articles", content=iter([b'{"headline": ', b'"One"}']), headers=headers)
        for _ in range(2)
    )
    assert (again.status_code, again.content) == (201, first.content)
    problem(
        editor.post("/v1/articles", content=iter([b'{"headline": ', b'"Two"}']), headers=headers),
        422,
        "key-reused",
    )


def test_a_token_that_was_revoked_is_told_no_earlier_answer(
    client: httpx.Client, admin: httpx.Client
) -> None:
    token = admin.post("/v1/tokens", json={"name": "wire", "scopes": ["content:write"]}).json()
    headers = {**key(), "Authorization": f"Bearer {token['token']}"}
    assert client.post("/v1/articles", json={"headline": "Once"}, headers=headers).status_code == 201
    admin.delete(f"/v1/tokens/{token['id']}")
    problem(client.post("/v1/articles", json={"headline": "Once"}, headers=headers), 401)


@pytest.mark.slow
def test_an_answer_with_a_secret_is_replayed_and_never_kept_in_clear(
    store: Store, admin: httpx.Client, client: httpx.Client
) -> None:
    hook = {"url": "https://partner.example/hook", "enabled": False}
    made = admin.post("/v1/webhooks", json=hook).json()
    shown_once = (
        ("/v1/tokens", {"name": "wire", "scopes": ["admin"]}, "token"),
        ("/v1/webhooks", hook, "secret"),
        (f"/v1/webhooks/{made['id']}/secret", None, "secret"),
    )
    for path, body, member in shown_once:
        headers = key()
        first, again = (admin.post(path, json=body, headers=headers) for _ in range(2))
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        with store.database.reading() as session:
            kept = session.exec(select(KeptAnswer.body)).all()
        assert kept
        assert not [body for body in kept if first.json()[member].encode() in body]
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    secret = re.compile("(^|_)(token|secret|password)$")
    assert {
        name for name, shape in shapes.items() if any(map(secret.search, shape.get("properties", ())))
    } == {
        "TokenMade",
        "WebhookMade",
    }, "a member of an answer that is a secret is declared as `Secret`, and its shape is named here"


@pytest.mark.parametrize("as_lines", [True, False])
def test_a_short_bulk_import_is_answered_once_for_a_key(editor: httpx.Client, *, as_lines: bool) -> None:
    items = [{"source": "keyed.example", "external_id": mark(), "headline": "Once"} for _ in range(3)]
    content = "\n".join(map(json.dumps, items)) if as_lines else json.dumps(items)
    media_type = "application/x-ndjson" if as_lines else "application/json"
    headers = {**key(), "Content-Type": media_type}
    address = "/v1/articles/bulk?mode=create"
    first = editor.post(address, content=content, headers=headers)
    assert first.text.count('"status":201') == 3
    again = editor.post(address, content=content, headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-type"] == first.headers["content-type"] == media_type
    assert again.headers["idempotent-replayed"] == "true"
    problem(editor.post(address, content=content + " ", headers=headers), 422, "key-reused")
    # Of a body whose length is not announced, only the items say whether they were there.
    sent = editor.post(address, content=iter([content.encode()]), headers={**headers, **key()})
    assert sent.text.count('"status":409,"id"') == 3


def test_a_long_answer_is_sent_whole_and_not_kept(
    editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "LONGEST_KEPT", 100)
    items = [{"source": "long.example", "external_id": mark(), "headline": "Once"} for _ in range(3)]
    content, headers = json.dumps(items), {**key(), "Content-Type": "application/json"}
    for status in (201, 200):
        answer = editor.post("/v1/articles/bulk", content=content, headers=headers)
        assert [each["status"] for each in answer.json()["items"]] == [status] * 3
        assert "idempotent-replayed" not in answer.headers
