"""An embargo's end, and a schedule's time: by themselves, once, after a restart and with two workers too."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, update

from service import tables
from service.articles.models import Article as ArticleRow
from service.rooms import open_database
from service.tables import now
from tests.articles.newsroom import (
    Article,
    do,
    draft,
    edit,
    ids,
    if_match,
    mark,
    picture,
    pointers,
    problem,
    published,
    soon,
)
from tests.clocks import MovableClock, clock
from tests.databases import KINDS, empty_database
from tests.patience import wait_until
from tests.serving import EDITOR, Store, another, running, serving, settings_for

__all__ = ["clock"]


def appears(client: httpx.Client, article: Article) -> Article:
    """Wait for an article to be public."""
    wait_until(lambda: client.get(f"/v1/articles/{article['id']}").status_code == 200)
    return client.get(f"/v1/articles/{article['id']}").json()


def let_fall_due(url: str, folder: Path, at: datetime) -> None:
    """Bring the time of all that is scheduled forward."""
    database = open_database(settings_for(url, folder))
    with database.writing() as session:
        scheduled = update(ArticleRow).where(col(ArticleRow.scheduled_for).is_not(None))
        session.execute(scheduled.values(scheduled_for=at, embargoed_until=None))
    database.close()


def actions(editor: httpx.Client, article: Article) -> list[str]:
    """What happened to an article, the last first."""
    return [
        version["action"] for version in editor.get(f"/v1/articles/{article['id']}/versions").json()["items"]
    ]


def test_an_embargo_hides_an_article_on_every_surface(client: httpx.Client, editor: httpx.Client) -> None:
    word, image = mark(), picture(editor)["id"]
    article = published(
        editor,
        headline=f"Held {word}",
        section=word,
        tags=[word],
        lead_image_id=image,
        embargoed_until=soon(3600),
    )
    assert (article["status"], article["scheduled_for"], article["published_at"]) == (
        "scheduled",
        article["embargoed_until"],
        None,
    )
    for query in (f"q={word}", f"section={word}", f"tag={word}", f"image_id={image}"):
        assert client.get(f"/v1/articles?{query}&count=true").json() == {
            "items": [],
            "next": None,
            "cursor": None,
            "total": 0,
        }
    for address in (
        f"/v1/articles/{article['id']}",
        f"/v1/articles/{article['slug']}",
        f"/v1/images/{image}",
    ):
        problem(client.get(address), 404)
    assert word not in client.get("/v1/articles?limit=200").text
    assert image not in client.get("/v1/images?limit=200").text


@pytest.mark.slow
def test_readers_who_asked_before_get_it_on_time_at_every_address(
    clock: MovableClock, client: httpx.Client, editor: httpx.Client
) -> None:
    word, end = mark(), clock.in_(minutes=10)
    article = published(editor, headline=f"Held {word}", section=word, embargoed_until=end)
    for address in (f"/v1/articles/{article['id']}", f"/v1/articles/{article['slug']}"):
        problem(client.get(address), 404)
    assert ids(client.get(f"/v1/articles?section={word}")) == []
    clock.set_forward(minutes=10)
    shown = appears(client, article)
    assert (shown["status"], shown["published_at"], shown["scheduled_for"]) == ("published", end, None)
    assert client.get(f"/v1/articles/{article['slug']}").status_code == 200
    assert (
        ids(client.get(f"/v1/articles?section={word}"))
        == ids(client.get(f"/v1/articles?q={word}"))
        == [article["id"]]
    )
    assert actions(editor, article) == ["published", "created"]


@pytest.mark.slow
def test_an_embargo_outlasts_an_earlier_schedule(client: httpx.Client, editor: httpx.Client) -> None:
    article = do(editor, draft(editor, embargoed_until=(end := soon(3600))), "publish", at=soon(0.2))
    assert article["scheduled_for"] == end
    later = edit(editor, article, embargoed_until=(new_end := soon(7200)))
    assert (later["status"], later["scheduled_for"]) == ("scheduled", new_end)
    time.sleep(0.5)
    problem(client.get(f"/v1/articles/{article['id']}"), 404)


def test_lifting_an_embargo_shows_nothing_before_somebody_publishes(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor, embargoed_until=soon(3600))
    lifted = edit(editor, article, embargoed_until=None)
    assert lifted["status"] == "scheduled"
    problem(client.get(f"/v1/articles/{article['id']}"), 404)
    do(editor, lifted, "publish")
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_an_embargo_can_be_shortened(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, embargoed_until=soon(7200))
    shorter = soon(3600)
    article = edit(editor, article, embargoed_until=shorter)
    assert (article["status"], article["scheduled_for"]) == ("scheduled", shorter)
    article = edit(editor, article, embargoed_until=soon(-60))
    assert (article["status"], article["scheduled_for"]) == ("published", None)
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_a_shorter_embargo_publishes_nothing_before_the_time_that_was_asked_for(editor: httpx.Client) -> None:
    at = soon(7200)
    article = do(editor, draft(editor, embargoed_until=soon(3600)), "publish", at=at)
    article = edit(editor, article, embargoed_until=soon(1800))
    assert (article["status"], article["scheduled_for"]) == ("scheduled", at)


def test_a_time_that_a_longer_embargo_outlasts_is_not_forgotten(editor: httpx.Client) -> None:
    at, shorter = soon(7200), soon(3600)
    article = do(editor, draft(editor, embargoed_until=(end := soon(36000))), "publish", at=at)
    assert article["scheduled_for"] == end
    article = edit(editor, article, embargoed_until=shorter)
    assert (article["status"], article["scheduled_for"]) == ("scheduled", at)
    article = do(editor, edit(editor, article, embargoed_until=end), "publish")
    assert edit(editor, article, embargoed_until=shorter)["scheduled_for"] == shorter


def test_an_article_of_a_version_that_kept_no_time_waits_for_its_embargo_alone(
    store: Store, editor: httpx.Client
) -> None:
    article = do(editor, draft(editor, embargoed_until=soon(7200)), "publish", at=soon(1800))
    with store.database.writing() as session:
        session.execute(update(ArticleRow).values(publish_at=None))
    shorter = soon(3600)
    assert edit(editor, article, embargoed_until=shorter)["scheduled_for"] == shorter


def test_a_live_article_is_not_taken_away_by_publishing_it_later(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    for at, status in ((soon(3600), 409), (soon(-3600), 200)):
        answer = editor.post(f"/v1/articles/{article['id']}/publish", json={"at": at})
        assert answer.status_code == status, answer.text
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_a_date_may_be_some_minutes_ahead_as_clocks_are(editor: httpx.Client) -> None:
    for seconds, status in ((240, 201), (360, 422)):
        answer = editor.post("/v1/articles", json={"headline": mark(), "published_at": soon(seconds)})
        assert answer.status_code == status, answer.text


def test_what_was_published_before_the_clock_was_set_back_can_still_be_edited(
    editor: httpx.Client, clock: MovableClock
) -> None:
    article = published(editor)
    path = f"/v1/articles/{article['id']}"
    clock.set_forward(hours=-1)
    article = edit(editor, article, headline="Tram line to the harbour refused")
    put = editor.put(path, json={**article, "summary": "It is."}, headers=if_match(article))
    assert (put.status_code, put.json()["published_at"]) == (200, article["published_at"])
    later = {"published_at": soon(3_000)}
    refused = editor.patch(path, json=later, headers=if_match(put.json()))
    assert pointers(refused) == ["/published_at"]


def test_an_embargo_that_has_passed_holds_nothing_back(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, embargoed_until="2020-01-01T00:00:00Z")
    assert article["status"] == "published"
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


@pytest.mark.slow
def test_what_is_trashed_or_unpublished_meanwhile_does_not_appear(
    store: Store, client: httpx.Client, editor: httpx.Client, tmp_path: Path
) -> None:
    trashed, back, kept = (do(editor, draft(editor), "publish", at=soon(3600)) for _ in range(3))
    editor.delete(f"/v1/articles/{trashed['id']}", headers={"If-Match": "*"})
    do(editor, back, "unpublish")
    let_fall_due(store.settings.database_url, tmp_path, now())
    appears(client, kept)
    for article in (trashed, back):
        problem(client.get(f"/v1/articles/{article['id']}"), 404)


@pytest.mark.parametrize("kind", KINDS)
def test_what_fell_due_while_nobody_ran_is_there_with_the_first_request(
    kind: str, tmp_path: Path, sqlite_template: Path
) -> None:
    with empty_database(kind, tmp_path, sqlite_template) as url:
        with running(settings_for(url, tmp_path)) as before, before.client(*EDITOR) as editor:
            article = published(editor, embargoed_until=soon(3600))
        let_fall_due(url, tmp_path, end := now())
        with (
            running(settings_for(url, tmp_path)) as after,
            after.client() as client,
            after.client(*EDITOR) as editor,
        ):
            shown = client.get(f"/v1/articles/{article['id']}").json()
            assert shown["status"] == "published"
            assert datetime.fromisoformat(shown["published_at"]) == end
            assert actions(editor, article) == ["published", "created"]


def test_two_workers_publish_once(clock: MovableClock, store: Store, editor: httpx.Client) -> None:
    if store.settings.is_sqlite:
        pytest.skip("SQLite is served by one process")
    with another(store) as second, second.client() as there, store.client() as here:
        end = clock.in_(minutes=10)
        articles = [published(editor, headline=f"Held {n}", embargoed_until=end) for n in range(12)]
        clock.set_forward(minutes=10)
        for article in articles:
            assert appears(here, article)["version"] == 2
            assert appears(there, article)["version"] == 2
            assert actions(editor, article) == ["published", "created"]


@pytest.mark.slow
@pytest.mark.parametrize("hours", [1, -1])
def test_a_machine_whose_clock_is_wrong_goes_by_the_database(
    hours: int, tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = tables.machine_time
    monkeypatch.setattr(tables.CLOCK, "ahead", timedelta())
    monkeypatch.setattr(tables, "machine_time", lambda: right() + timedelta(hours=hours))
    with (
        serving("postgresql", tmp_path, sqlite_template) as store,
        store.client(*EDITOR) as editor,
        store.client() as reader,
    ):
        held = published(editor, embargoed_until=soon(1800))
        due = appears(reader, published(editor, embargoed_until=soon(1)))
        problem(reader.get(f"/v1/articles/{held['id']}"), 404)
        assert abs(datetime.fromisoformat(due["published_at"]) - right()) < timedelta(minutes=10)
