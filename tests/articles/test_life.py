"""What happens to an article between its first draft and its withdrawal, as readers and editors see it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from service.articles.inline import sanitise
from tests.articles.newsroom import (
    do,
    draft,
    edit,
    ids,
    if_match,
    mark,
    pointers,
    problem,
    published,
    soon,
    trash,
    walk,
)
from tests.clocks import MovableClock, clock
from tests.patience import wait_until

__all__ = ["clock"]


def test_a_draft_is_hidden_from_readers_everywhere(editor: httpx.Client, client: httpx.Client) -> None:
    word = mark()
    article = draft(editor, headline=f"Tram {word}", tags=[word], section=word)
    assert client.get(f"/v1/articles/{article['id']}").status_code == 404
    assert client.get(f"/v1/articles/{article['slug']}").status_code == 404
    for query in (f"q={word}", f"tag={word}", f"section={word}&count=true"):
        page = client.get(f"/v1/articles?{query}").json()
        assert (page["items"], page.get("total", 0)) == ([], 0)
    assert client.get("/v1/articles?status=draft").status_code == 401
    assert article["id"] not in ids(editor.get(f"/v1/articles?q={word}"))
    assert article["id"] in ids(editor.get(f"/v1/articles?view=staff&q={word}"))


def test_publishing_shows_it_and_unpublishing_hides_it_at_once(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = draft(editor)
    shown = do(editor, article, "publish")
    assert (shown["status"], shown["published_at"], shown["version"]) == (
        "published",
        shown["first_published_at"],
        2,
    )
    assert client.get(f"/v1/articles/{article['slug']}").json()["headline"] == article["headline"]
    do(editor, article, "unpublish")
    assert client.get(f"/v1/articles/{article['slug']}").status_code == 404


@pytest.mark.slow
def test_an_embargoed_article_is_hidden_from_readers_until_its_time_and_then_appears_by_itself(
    clock: MovableClock, editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(editor, embargoed_until=clock.in_(minutes=10))
    assert article["status"] == "scheduled"
    assert client.get(f"/v1/articles/{article['id']}").status_code == 404
    clock.set_forward(minutes=10)
    wait_until(lambda: client.get(f"/v1/articles/{article['id']}").status_code == 200)
    shown = client.get(f"/v1/articles/{article['id']}").json()
    assert (shown["status"], shown["scheduled_for"]) == ("published", None)


def test_a_new_embargo_takes_a_published_article_back(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor)
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200
    assert edit(editor, article, embargoed_until=soon(3600))["status"] == "scheduled"
    assert client.get(f"/v1/articles/{article['id']}").status_code == 404


def test_a_withdrawn_article_is_gone_with_its_reason_and_cannot_be_edited(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(editor)
    killed = do(editor, article, "withdraw", reason="The photograph was not ours.")
    gone = problem(client.get(f"/v1/articles/{article['slug']}"), 410, "withdrawn")
    assert (gone["reason"], "The photograph was not ours." in gone["detail"]) == ("withdrawn", True)
    refused = editor.patch(
        f"/v1/articles/{article['id']}", json={"headline": "Other"}, headers=if_match(killed)
    )
    assert problem(refused, 409, "article-withdrawn")["article_status"] == "withdrawn"
    problem(editor.post(f"/v1/articles/{article['id']}/publish"), 409)


def test_the_trash_answers_410_and_gives_back_what_it_holds(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(editor)
    trash(editor, article)
    problem(client.get(f"/v1/articles/{article['id']}"), 410)
    problem(editor.get(f"/v1/articles/{article['id']}"), 410)
    assert do(editor, article, "restore")["status"] == "published"
    assert client.get(f"/v1/articles/{article['id']}").status_code == 200


def test_an_old_slug_leads_to_the_new_one_for_ever_and_is_never_given_away(
    editor: httpx.Client, client: httpx.Client
) -> None:
    first = published(editor, headline=f"Tram {mark()}")
    second = edit(editor, first, slug=f"tram-{mark()}")
    third = edit(editor, second, slug=f"tram-{mark()}")
    for old in (first["slug"], second["slug"]):
        for reader in (client, editor):
            moved = reader.get(f"/v1/articles/{old}")
            assert (moved.status_code, moved.headers["location"]) == (308, f"/v1/articles/{third['slug']}")
    taken = editor.post("/v1/articles", json={"headline": "Other", "slug": first["slug"]})
    assert problem(taken, 409, "slug-taken")["id"] == first["id"]


def test_twenty_articles_of_one_headline_get_twenty_slugs(editor: httpx.Client) -> None:
    headline = f"Tram {mark()}"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: draft(editor, headline=headline), range(20)))
    assert len({article["slug"] for article in made}) == 20


def test_reading_and_putting_back_changes_nothing(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor, tags=["a"], body=[{"type": "list", "ordered": True, "items": ["one", "two"]}])
    read = editor.get(f"/v1/articles/{article['id']}")
    before = client.get(f"/v1/articles/{article['id']}").headers["etag"]
    put = editor.put(
        f"/v1/articles/{article['id']}", json=read.json(), headers={"If-Match": read.headers["etag"]}
    )
    assert (put.status_code, put.json()) == (200, read.json())
    assert client.get(f"/v1/articles/{article['id']}").headers["etag"] == before


def test_of_two_edits_of_one_version_the_second_is_told_the_current_one(editor: httpx.Client) -> None:
    article = draft(editor)
    edit(editor, article, headline="First")
    late = editor.patch(
        f"/v1/articles/{article['id']}", json={"headline": "Second"}, headers=if_match(article)
    )
    assert problem(late, 412, "precondition-failed")["current_version"] == 2
    problem(editor.patch(f"/v1/articles/{article['id']}", json={"headline": "Third"}), 428)


def test_what_the_service_sets_cannot_be_written(editor: httpx.Client) -> None:
    article = draft(editor)
    refused = editor.patch(
        f"/v1/articles/{article['id']}", json={"version": 9, "id": str(uuid4())}, headers={"If-Match": "*"}
    )
    assert set(pointers(refused)) == {"/version", "/id"}
    assert pointers(editor.post("/v1/articles", json={"headline": "x", "created_at": soon(0)})) == [
        "/created_at"
    ]


def test_every_write_is_a_version_that_can_be_compared_and_brought_back(editor: httpx.Client) -> None:
    article = draft(editor, headline="One")
    second = edit(editor, article, headline="Two", tags=["new"])
    versions = editor.get(f"/v1/articles/{article['id']}/versions").json()["items"]
    assert [(version["version"], version["action"], version["actor"]) for version in versions] == [
        (2, "edited", "editor"),
        (1, "created", "editor"),
    ]
    changes = editor.get(f"/v1/articles/{article['id']}/versions/2/diff").json()["changes"]
    assert {change["field"]: (change["before"], change["after"]) for change in changes} == {
        "headline": ("One", "Two"),
        "tags": ([], ["new"]),
    }
    back = editor.post(f"/v1/articles/{article['id']}/versions/1/restore").json()
    assert (back["headline"], back["tags"], back["version"], back["slug"]) == ("One", [], 3, second["slug"])


def test_a_correction_is_shown_to_readers(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor)
    do(editor, article, "corrections", text="The bridge is 300 metres long, not 200.")
    shown = client.get(f"/v1/articles/{article['id']}").json()["corrections"]
    assert [(one["kind"], one["text"]) for one in shown] == [
        ("correction", "The bridge is 300 metres long, not 200.")
    ]


def test_full_text_finds_accents_phrases_and_chinese_alike_on_both_databases(
    editor: httpx.Client, client: httpx.Client
) -> None:
    word = mark()
    one = published(
        editor, headline=f"Élection {word}", body=[{"type": "paragraph", "html": "港口电车<em>恢复</em>通车"}]
    )
    other = published(
        editor, headline="Other", body=[{"type": "paragraph", "html": f"the {word} said election night"}]
    )
    assert ids(client.get(f"/v1/articles?q={word} election")) == [one["id"], other["id"]]
    assert ids(client.get(f'/v1/articles?q=ELECTION {word} "election night"')) == [other["id"]]
    assert one["id"] in ids(client.get("/v1/articles?q=恢复"))
    assert ids(client.get(f"/v1/articles?q=电港 {word}")) == []


@pytest.mark.parametrize("who", ["reader", "editor"])
def test_a_walk_through_pages_neither_repeats_nor_skips_while_articles_come_and_go(
    editor: httpx.Client, client: httpx.Client, who: str
) -> None:
    section = mark()
    made = [published(editor, section=section)["id"] for _ in range(9)]
    walked = []
    for number, item in enumerate(
        walk(client if who == "reader" else editor, f"/v1/articles?section={section}&limit=2")
    ):
        walked.append(item["id"])
        if number == 2:
            published(editor, section=section)
            trash(editor, item)
    assert walked == made[::-1]


@pytest.mark.slow
@given(st.text(max_size=200) | st.text(alphabet="<>/=\"'abp scriptonhref:javascript", max_size=200))
@hypothesis(deadline=None, max_examples=200)
def test_cleaning_what_is_clean_changes_nothing_and_lets_no_script_through(value: str) -> None:
    clean = sanitise(value)
    assert sanitise(clean) == clean
    assert "<script" not in clean.lower()
    assert "javascript:" not in clean.lower().split("<a")[-1].split(">")[0] or "href" not in clean.lower()
