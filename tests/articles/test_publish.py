"""POST /v1/articles/{id}/publish and /unpublish."""

from uuid import uuid4

import httpx
import pytest

from service.articles import read
from tests.articles.newsroom import (
    do,
    draft,
    edit,
    if_match,
    mark,
    picture,
    pointers,
    problem,
    published,
    soon,
    trash,
)
from tests.serving import Store


def test_publishing_again_changes_nothing(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    before = client.get(f"/v1/articles/{article['id']}").headers["etag"]
    for body in (None, {}, {"at": None}):
        assert editor.post(f"/v1/articles/{article['id']}/publish", json=body).json() == article
    assert editor.post(f"/v1/articles/{article['id']}/publish").json() == article
    assert client.get(f"/v1/articles/{article['id']}").headers["etag"] == before


@pytest.mark.parametrize("note", [None, "For the desk."])
def test_readers_get_what_the_desk_was_answered_and_it_is_shaped_once(
    client: httpx.Client, editor: httpx.Client, monkeypatch: pytest.MonkeyPatch, note: str | None
) -> None:
    article, shaped = draft(editor, edition_note=note, lead_image_id=picture(editor)["id"]), []
    shape = read._read

    def noted(article, pictures):
        shaped.append(article.id)
        return shape(article, pictures)

    monkeypatch.setattr(read, "_read", noted)
    answered = do(editor, article, "publish")
    assert len(shaped) == 1
    assert (answered["status"], answered["edition_note"]) == ("published", note)
    assert client.get(f"/v1/articles/{article['id']}").json() == answered | {"edition_note": None}


def test_a_time_to_come_schedules_and_a_time_gone_by_publishes_now(
    client: httpx.Client, editor: httpx.Client
) -> None:
    later = soon(3600)
    article = do(editor, draft(editor), "publish", at=later)
    assert (article["status"], article["scheduled_for"], article["published_at"]) == (
        "scheduled",
        later,
        None,
    )
    problem(client.get(f"/v1/articles/{article['id']}"), 404)
    sooner = do(editor, article, "publish", at=soon(1800))
    assert sooner["scheduled_for"] < later
    now = do(editor, sooner, "publish", at="2020-01-01T00:00:00Z")
    assert (now["status"], now["scheduled_for"]) == ("published", None)
    assert now["published_at"] > "2026"
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_the_date_of_an_older_article_survives_its_publication(editor: httpx.Client) -> None:
    article = do(editor, draft(editor, published_at="2011-11-11T11:11:11Z"), "publish")
    assert article["published_at"] == article["first_published_at"] == "2011-11-11T11:11:11Z"


def test_unpublishing_forgets_the_date_but_not_the_first_one(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    back = do(editor, article, "unpublish")
    assert (back["status"], back["published_at"], back["first_published_at"]) == (
        "draft",
        None,
        article["first_published_at"],
    )
    assert do(editor, back, "unpublish") == back
    again = do(editor, back, "publish")
    assert again["published_at"] > article["published_at"]
    assert again["first_published_at"] == article["first_published_at"]


def test_unpublishing_what_is_scheduled_takes_it_off_the_schedule(editor: httpx.Client) -> None:
    article = do(editor, do(editor, draft(editor), "publish", at=soon(3600)), "unpublish")
    assert (article["status"], article["scheduled_for"]) == ("draft", None)


@pytest.mark.parametrize("action", ["publish", "unpublish", "withdraw"])
def test_only_a_publisher_changes_what_is_public(
    client: httpx.Client, store: Store, editor: httpx.Client, action: str
) -> None:
    address = f"/v1/articles/{published(editor)['id']}/{action}"
    body = {"reason": "x"} if action == "withdraw" else None
    problem(client.post(address, json=body), 401)
    with store.client("content:read", "content:write") as writer:
        assert problem(writer.post(address, json=body), 403)["scope"] == "content:publish"


@pytest.mark.parametrize("action", ["publish", "unpublish", "withdraw", "corrections", "restore"])
def test_an_action_needs_an_article_and_honours_if_match(editor: httpx.Client, action: str) -> None:
    body = {"withdraw": {"reason": "x"}, "corrections": {"text": "x"}}.get(action)
    for key in (str(uuid4()), "not-an-id", "%00"):
        problem(editor.post(f"/v1/articles/{key}/{action}", json=body), 404)
    article = published(editor)
    later = edit(editor, article, summary="Read this first")
    stale = editor.post(f"/v1/articles/{article['id']}/{action}", json=body, headers=if_match(article))
    assert problem(stale, 412)["current_version"] == 2
    assert editor.post(
        f"/v1/articles/{article['id']}/{action}", json=body, headers=if_match(later)
    ).status_code in (200, 201)
    gone = published(editor)
    trash(editor, gone)
    if action != "restore":
        problem(editor.post(f"/v1/articles/{gone['id']}/{action}", json=body), 410)


def test_a_time_that_is_none_is_refused(editor: httpx.Client) -> None:
    article = draft(editor)
    for at in ("tomorrow", "2030-01-01T00:00:00", "9999-12-31T23:59:59-14:00", [], {}):
        assert pointers(editor.post(f"/v1/articles/{article['id']}/publish", json={"at": at})) == ["/at"]
    assert pointers(editor.post(f"/v1/articles/{article['id']}/publish", json={"when": soon(1)})) == ["/when"]


def test_a_scheduled_article_is_edited_without_losing_its_place(editor: httpx.Client) -> None:
    article = do(editor, draft(editor), "publish", at=soon(3600))
    after = edit(editor, article, headline=f"Better {mark()}")
    assert (after["status"], after["scheduled_for"]) == ("scheduled", article["scheduled_for"])


def test_what_is_scheduled_and_then_published_at_once_is_dated_now(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = do(editor, draft(editor), "publish", at=soon(86_400))
    live = do(editor, article, "publish")
    assert soon(-60) < live["published_at"] <= soon(0)
    assert live["first_published_at"] == live["published_at"]
    assert edit(editor, live, summary="Earlier than planned.")["summary"] == "Earlier than planned."
    assert client.get(f"/v1/articles/{article['id']}").json()["published_at"] == live["published_at"]
