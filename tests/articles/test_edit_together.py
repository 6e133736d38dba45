"""Edits that arrive at the same time share a transaction, and nobody can tell."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.articles.newsroom import (
    caption,
    do,
    draft,
    ids,
    if_match,
    mark,
    picture,
    problem,
    published,
    trash,
)
from tests.articles.test_create_together import at_once
from tests.patience import wait_until
from tests.postgres import WAITING_FOR_A_LOCK
from tests.serving import Store
from tests.sync.following import follow, now_at


@pytest.mark.slow
def test_articles_that_are_published_together_are_numbered_together(
    client: httpx.Client, editor: httpx.Client
) -> None:
    drafts = [draft(editor, tags=[mark()]) for _ in range(24)]
    place = now_at(client)
    answers = at_once(
        [lambda each=each: editor.post(f"/v1/articles/{each['id']}/publish") for each in drafts]
    )
    for article, answer in zip(drafts, answers, strict=True):
        assert (answer.status_code, answer.json()["status"]) == (200, "published")
        assert answer.json()["id"] == article["id"]
        assert client.get(f"/v1/articles/{article['slug']}").status_code == 200
    told, _ = follow(client, place)
    assert {entry["id"] for entry in told} == {article["id"] for article in drafts}
    # Those of one transaction have one time.
    assert len({entry["changed_at"] for entry in told}) < 24


@pytest.mark.slow
def test_articles_that_are_replaced_together_are_numbered_together(
    client: httpx.Client, editor: httpx.Client
) -> None:
    articles = [published(editor) for _ in range(24)]
    place = now_at(client)
    answers = at_once(
        [
            lambda each=each: editor.put(
                f"/v1/articles/{each['id']}", json={**each, "summary": "Anew"}, headers=if_match(each)
            )
            for each in articles
        ]
    )
    assert [(answer.status_code, answer.json()["summary"]) for answer in answers] == [(200, "Anew")] * 24
    told, _ = follow(client, place)
    assert {entry["id"] for entry in told} == {article["id"] for article in articles}
    # Those of one transaction have one time.
    assert len({entry["changed_at"] for entry in told}) < 24


@pytest.mark.slow
def test_one_edit_that_is_refused_spoils_no_other(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    taken, word = published(editor)["slug"], mark()
    articles = [published(editor, headline=f"{word} {number}") for number in range(20)]
    trash(editor, articles[4])

    def patch(number: int) -> httpx.Response:
        article = articles[number]
        wish: dict[str, object] = {"summary": f"{word} again", "tags": [word]}
        match = if_match(article)
        if number % 5 == 0:
            wish |= {"slug": taken, "headline": "Never seen"}
        if number % 5 == 1:
            match = {"If-Match": '"7"'}
        if number % 5 == 2:
            wish |= {"lead_image_id": str(uuid4())}
        return editor.patch(f"/v1/articles/{article['id']}", json=wish, headers=match)

    answers = at_once([lambda number=number: patch(number) for number in range(20)])
    wanted = [409, 412, 422, 200, 410] + [409, 412, 422, 200, 200] * 3
    assert [answer.status_code for answer in answers] == wanted
    for article, status in zip(articles, wanted, strict=True):
        if status not in (200, 410):
            assert client.get(f"/v1/articles/{article['id']}").json()["headline"] == article["headline"]
            assert editor.get(f"/v1/articles/{article['id']}").json() == article
    done = {article["id"] for article, status in zip(articles, wanted, strict=True) if status == 200}
    assert set(ids(client.get(f"/v1/articles?tag={word}&limit=50"))) == done
    assert set(ids(editor.get(f"/v1/articles?tag={word}&status=published&limit=50"))) == done


def test_edits_of_one_article_at_the_same_time_lose_none(editor: httpx.Client) -> None:
    article = published(editor)
    path = f"/v1/articles/{article['id']}"
    answers = at_once(
        [
            lambda n=n: editor.patch(path, json={"summary": f"Edit {n}"}, headers=if_match(article))
            for n in range(8)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert editor.get(path).json() == won
    corrections = at_once(
        [
            lambda n=n: editor.post(f"{path}/corrections", json={"kind": "correction", "text": f"Line {n}."})
            for n in range(8)
        ]
    )
    assert {answer.status_code for answer in corrections} == {201}
    assert len(editor.get(path).json()["corrections"]) == 8
    assert len(editor.get(f"{path}/versions").json()["items"]) == 10


@pytest.mark.slow
def test_of_edits_that_take_one_key_at_the_same_time_one_has_it(editor: httpx.Client) -> None:
    articles, key = [draft(editor) for _ in range(8)], mark()
    answers = at_once(
        [
            lambda each=each: editor.patch(
                f"/v1/articles/{each['id']}",
                json={"source": "coast.example", "external_id": key},
                headers=if_match(each),
            )
            for each in articles
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    (refused, *_) = (answer for answer in answers if answer.status_code == 409)
    assert refused.json()["id"] == won["id"]


def test_each_is_edited_in_the_name_and_with_the_rights_of_its_own_caller(
    store: Store, editor: httpx.Client
) -> None:
    articles = [published(editor) for _ in range(12)]
    with (
        store.client("content:read", "content:write", name="night desk") as night,
        store.client("content:read", "content:write", "content:publish", name="day desk") as day,
    ):
        answers = at_once(
            [
                lambda desk=desk, each=each: desk.patch(
                    f"/v1/articles/{each['id']}", json={"summary": "New"}, headers=if_match(each)
                )
                for desk, each in zip((night, day) * 6, articles, strict=True)
            ]
        )
    for place, (article, answer) in enumerate(zip(articles, answers, strict=True)):
        if place % 2 == 0:
            assert problem(answer, 403, "forbidden")["scope"] == "content:publish"
            continue
        last, *_ = editor.get(f"/v1/articles/{article['id']}/versions").json()["items"]
        assert (last["version"], last["actor"]) == (2, "day desk")


@pytest.mark.slow
def test_an_answer_with_a_key_is_kept_with_its_edit(editor: httpx.Client) -> None:
    articles, keys = [published(editor) for _ in range(12)], [uuid4().hex for _ in range(12)]
    posts = [
        lambda each=each, key=key: editor.post(
            f"/v1/articles/{each['id']}/withdraw", json={"reason": key}, headers={"Idempotency-Key": key}
        )
        for each, key in zip(articles, keys, strict=True)
    ]
    first, again = at_once(posts), at_once(posts)
    for answer, replay in zip(first, again, strict=True):
        assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
        assert (replay.content, replay.headers["idempotent-replayed"]) == (answer.content, "true")


def test_the_desk_finds_an_article_by_its_new_words_tags_and_pictures_after_each_kind_of_edit(
    editor: httpx.Client,
) -> None:
    first, second, tag = mark(), mark(), mark()
    article = draft(editor, headline=f"Pier {first}", tags=[tag])
    path = f"/v1/articles/{article['id']}"

    def found(query: str) -> bool:
        return article["id"] in ids(editor.get(f"/v1/articles?{query}"))

    article = editor.patch(path, json={"headline": f"Pier {second}"}, headers=if_match(article)).json()
    assert [found(f"{query}&status=draft") for query in (f"q={first}", f"q={second}", f"tag={tag}")] == [
        False,
        True,
        True,
    ]
    do(editor, article, "publish")
    assert (found(f"q={second}&status=published"), found(f"tag={tag}&status=published")) == (True, True)
    article = editor.patch(path, json={"tags": []}, headers={"If-Match": "*"}).json()
    assert (found(f"q={second}&status=published"), found(f"tag={tag}&status=published")) == (True, False)


def test_an_edit_that_is_refused_for_its_source_claims_no_slug(store: Store, editor: httpx.Client) -> None:
    article, slug = draft(editor, source="wire"), mark()
    with store.client("content:read", "content:write", name="wire", source="wire") as wire:
        wish = {"source": "elsewhere", "slug": slug}
        refused = wire.patch(f"/v1/articles/{article['id']}", json=wish, headers=if_match(article))
    problem(refused, 403)
    assert draft(editor, slug=slug)["slug"] == slug


@pytest.mark.slow
def test_what_changes_in_a_caption_while_its_article_waits_for_a_number_is_published(
    store: Store, client: httpx.Client, editor: httpx.Client
) -> None:
    if store.settings.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    image = picture(editor)
    words, article = caption(editor, image["id"]), draft(editor, lead_image_id=image["id"])
    url = store.settings.database_url
    with (
        psycopg.connect(url) as other,
        psycopg.connect(url, autocommit=True) as looking,
        ThreadPoolExecutor() as pool,
    ):
        other.execute("SELECT FROM published_sequence FOR UPDATE")
        publishing = pool.submit(do, editor, article, "publish")
        wait_until(lambda: looking.execute(WAITING_FOR_A_LOCK).rowcount > 0)
        other.execute(
            "UPDATE caption SET text = 'As it is now.', version = version + 1 WHERE id = %s", (words["id"],)
        )
        other.commit()
        publishing.result()
    read = client.get(f"/v1/articles/{article['id']}").json()
    assert read["lead_image"]["caption"]["text"] == "As it is now."


@pytest.mark.slow
def test_a_second_article_makes_no_picture_public_again_and_publishes_the_caption_that_it_has_for_it(
    client: httpx.Client, editor: httpx.Client
) -> None:
    image = picture(editor)
    caption(editor, image["id"])
    published(editor, lead_image_id=image["id"])
    second, third = (draft(editor, lead_image_id=image["id"]) for _ in range(2))
    own = caption(editor, image["id"], article_id=third["id"], text="The third article's own.")
    place = now_at(client)
    do(editor, second, "publish")
    told, place = follow(client, place)
    assert [entry["id"] for entry in told] == [second["id"]]
    do(editor, third, "publish")
    told, place = follow(client, place)
    assert [entry["id"] for entry in told] == [own["id"], image["id"], third["id"]]
    assert own["id"] in [each["id"] for each in client.get(f"/v1/images/{image['id']}").json()["captions"]]
    do(editor, third, "unpublish")
    told, _ = follow(client, place)
    assert {entry["id"] for entry in told} == {own["id"], image["id"], third["id"]}
    assert client.get(f"/v1/captions/{own['id']}").status_code in (404, 410)
