"""A picture may stand in thousands of articles: a change of it is written at once, and reaches them in
batches.
"""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text, update
from sqlmodel import col, select

from service.articles.models import Article
from service.published import backlog as rendering_again
from service.published import render
from service.published.backlog import Backlog
from service.published.models import Awaiting, Kind
from service.rooms import open_database
from tests.articles.newsroom import do, edit
from tests.images.pictures import change, make_article, make_caption, make_image
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import EDITOR, Store, serving
from tests.sync.following import follow, now_at

MANY = 7


@pytest.fixture
def in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction of a change has no time for articles, and a batch is two of them."""
    monkeypatch.setattr(render, "SECONDS_OF_ARTICLES", -1.0)
    monkeypatch.setattr(render, "ALWAYS", 0)
    monkeypatch.setattr(render, "ARTICLES_AT_ONCE", 2)
    monkeypatch.setattr(rendering_again, "ARTICLES_AT_ONCE", 2)
    # The serving process leaves the articles to the test.
    monkeypatch.setattr(Backlog, "next_of_changed_pictures", lambda _: None)


@pytest.fixture
def batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> Backlog:
    backlog = Backlog(open_database(store.settings))
    backlog.database.rendering = 1
    return backlog


def awaiting(store: Store) -> list[UUID]:
    with store.database.reading() as session:
        return list(session.exec(select(Awaiting.image_id)))


NEXT = Backlog.next_of_changed_pictures


def drain(backlog: Backlog) -> None:
    while work := NEXT(backlog):
        backlog.finish(work)
    backlog.database.close()


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_the_first_articles_show_a_change_at_once_however_busy_the_machine_is(
    store: Store, editor: httpx.Client, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "ALWAYS", 2)
    image = make_image(editor)
    caption = make_caption(editor, image, "Before.")
    articles = [make_article(editor, image)["id"] for _ in range(3)]
    change(editor, f"/v1/captions/{caption['id']}", {"text": "After."})
    read = [client.get(f"/v1/articles/{article}").json() for article in articles]
    assert [each["body"][0]["caption"]["text"] for each in read] == ["Before.", "After.", "After."]
    assert awaiting(store) == [UUID(image["id"])]


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_a_changed_caption_reaches_every_article_once_the_newest_first(
    store: Store, editor: httpx.Client, client: httpx.Client, batches: Backlog
) -> None:
    image = make_image(editor)
    caption = make_caption(editor, image, "Before.")
    drafted = make_article(editor, image, status="draft")
    articles = [make_article(editor, image)["id"] for _ in range(MANY)]
    place, staff_place = now_at(client), now_at(editor, "&view=staff")
    change(editor, f"/v1/captions/{caption['id']}", {"text": "After."})
    # The picture and its caption are told in the transaction of the change.
    assert {entry["kind"] for entry in follow(client, place)[0]} == {"caption", "image"}
    assert awaiting(store) == [UUID(image["id"])]
    drain(batches)
    entries = [entry for entry in follow(client, place)[0] if entry["kind"] == "article"]
    assert sorted(entry["id"] for entry in entries) == sorted(articles)
    assert all(entry["data"]["body"][0]["caption"]["text"] == "After." for entry in entries)
    batch = {entry["id"] for entry in entries[:2]}
    assert batch == set(articles[-2:])
    told = [entry["id"] for entry in follow(editor, staff_place)[0] if entry["kind"] == "article"]
    assert sorted(told) == sorted([*articles, drafted["id"]])
    assert awaiting(store) == []


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_no_batch_undoes_what_happens_between_batches(
    store: Store, editor: httpx.Client, client: httpx.Client, batches: Backlog
) -> None:
    """Edits, withdrawals, removals and further changes of the picture, at random between two batches."""
    chance = random.Random(5)
    image = make_image(editor)
    caption = make_caption(editor, image, "Text 0.")
    articles = [make_article(editor, image) for _ in range(MANY)]
    words, copy = "Text 0.", {}
    place = "/v1/changes?limit=200"
    for number in range(1, 25):
        work = NEXT(batches)
        what = chance.choice(["caption", "caption", "edit", "withdraw", "unpublish", "nothing"])
        article = chance.choice(articles)
        state = editor.get(f"/v1/articles/{article['id']}").json()["status"]
        if what == "caption":
            words = f"Text {number}."
            change(editor, f"/v1/captions/{caption['id']}", {"text": words})
        elif what == "edit" and state == "published":
            now = editor.get(f"/v1/articles/{article['id']}").json()
            edit(editor, now, headline=f"Headline {number}")
        elif what == "unpublish" and state == "published" and len(articles) > 3:
            do(editor, article, "unpublish")
            articles.remove(article)
        elif what == "withdraw" and state == "published" and len(articles) > 3:
            do(editor, article, "withdraw", reason="A court order")
            articles.remove(article)
            assert client.get(f"/v1/articles/{article['id']}").status_code == 410
        if work is not None:
            batches.finish(work)
    drain(batches)
    entries, _ = follow(client, place)
    for entry in entries:
        copy[entry["id"]] = entry["data"] if entry["op"] == "put" else None
    for article in articles:
        read = client.get(f"/v1/articles/{article['id']}").json()
        assert read["body"][0]["caption"]["text"] == words
        assert copy[article["id"]] == read
    public = {id_ for id_, data in copy.items() if data is not None and "headline" in data}
    assert public == {article["id"] for article in articles}


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_two_processes_share_the_articles_and_none_is_told_twice(
    store: Store, editor: httpx.Client, client: httpx.Client, batches: Backlog
) -> None:
    image = make_image(editor)
    caption = make_caption(editor, image, "Before.")
    articles = [make_article(editor, image)["id"] for _ in range(MANY)]
    place = now_at(client)
    change(editor, f"/v1/captions/{caption['id']}", {"text": "After."})
    other = Backlog(open_database(store.settings))
    other.database.rendering = 1
    while (work := NEXT(batches)) and (same := NEXT(other)):
        other.finish(same)
        batches.finish(work)
    told = [entry["id"] for entry in follow(client, place)[0] if entry["kind"] == "article"]
    assert sorted(told) == sorted(articles)
    other.database.close()


@pytest.mark.slow
@pytest.mark.usefixtures("in_small_batches")
def test_a_batch_and_a_writer_of_its_article_do_not_wait_for_each_other(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with (
        serving("postgresql", tmp_path, sqlite_template) as store,
        store.client(*EDITOR) as editor,
        ThreadPoolExecutor(1) as beside,
    ):
        image = make_image(editor)
        caption = make_caption(editor, image, "Before.")
        article = make_article(editor, image)
        change(editor, f"/v1/captions/{caption['id']}", {"text": "After."})
        # The article's own transaction shows the new words: the batch only marks the article as told again.
        edit(editor, article, headline="Harbour closed")
        backlog = Backlog(open_database(store.settings))
        backlog.database.rendering = 1
        work = NEXT(backlog)
        assert work is not None
        with store.database.writing() as session:
            render.lock_counter(session)
            finishing = beside.submit(backlog.finish, work)
            wait_until(lambda: session.execute(text(WAITING_FOR_A_LOCK)).rowcount)
            render.touch(session, Kind.ARTICLE, UUID(article["id"]))
            headline = update(Article).where(col(Article.id) == UUID(article["id"]))
            session.execute(headline.values(headline="Harbour open after all"))
        finishing.result()
        backlog.database.close()
        assert editor.get(f"/v1/articles/{article['id']}").json()["headline"] == "Harbour open after all"


def test_a_picture_in_few_articles_changes_them_in_its_own_transaction(
    store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    image = make_image(editor)
    caption = make_caption(editor, image, "Before.")
    article = make_article(editor, image)
    change(editor, f"/v1/captions/{caption['id']}", {"text": "After."})
    assert client.get(f"/v1/articles/{article['id']}").json()["body"][0]["caption"]["text"] == "After."
    assert awaiting(store) == []
