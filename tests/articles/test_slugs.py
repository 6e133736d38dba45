"""Slugs: made, claimed, kept for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.articles.newsroom import do, draft, edit, if_match, mark, problem, published


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("Straße & Brücke: 50 % mehr!", "strasse-brucke-50-mehr"),
        ("Über Nacht", "uber-nacht"),
        ("東京の図書館", "dong-jing-notu-shu-guan"),
        ("Новости дня", "novosti-dnia"),
        ("…!?", "article"),
        ("🦊🦊", "article"),
        ("Don't — stop", "dont-stop"),
        ("Don’t — stop", "dont-stop"),
        ("バスとパス", "basutopasu"),
        ("スーパー", "supa"),
        ("E\u0301conomie", "economie"),
    ],
)
def test_a_slug_is_made_from_the_headline(editor: httpx.Client, headline: str, slug: str) -> None:
    made = draft(editor, headline=headline)["slug"]
    assert made == slug or made.startswith(f"{slug}-")


def test_a_long_headline_makes_a_slug_that_ends_with_a_word(editor: httpx.Client) -> None:
    slug = draft(editor, headline="harbour " * 60)["slug"]
    assert 80 < len(slug) <= 120
    assert set(slug.split("-")) == {"harbour"}


def test_a_long_headline_is_cut_at_its_end(editor: httpx.Client) -> None:
    long = "x" * 60
    slug = draft(editor, headline=f"First {long} {long} at last")["slug"]
    assert slug == f"first-{long}" or slug.startswith(f"first-{long}-")
    assert "last" not in slug


def test_a_slug_is_never_what_an_id_looks_like(client: httpx.Client, editor: httpx.Client) -> None:
    id_ = str(uuid4())
    article = published(editor, headline=id_)
    assert article["slug"] != id_
    assert client.get(f"/v1/articles/{article['slug']}").json()["id"] == article["id"]
    for bad in (id_, id_.upper(), "A", "a--b", "-a", "a-", "a_b", "ä", "a b", "", "x" * 121, "a/b", "a\n"):
        problem(editor.post("/v1/articles", json={"headline": "x", "slug": bad}), 422)


def test_a_slug_that_another_article_has_or_had_is_refused_with_its_id(editor: httpx.Client) -> None:
    article = draft(editor, slug=mark())
    moved = edit(editor, article, slug=mark())
    other = draft(editor)
    for slug in (article["slug"], moved["slug"]):
        assert (
            problem(editor.post("/v1/articles", json={"headline": "x", "slug": slug}), 409, "slug-taken")[
                "id"
            ]
            == article["id"]
        )
        refused = editor.patch(f"/v1/articles/{other['id']}", json={"slug": slug}, headers=if_match(other))
        assert problem(refused, 409, "slug-taken")["id"] == article["id"]
    assert edit(editor, moved, slug=article["slug"])["slug"] == article["slug"]


def test_an_old_slug_leads_to_the_newest_whatever_was_asked_with_it(
    client: httpx.Client, editor: httpx.Client
) -> None:
    first = published(editor, slug=mark())
    second = edit(editor, first, slug=mark())
    for caller in (client, editor):
        for query in ("", "?body=html"):
            moved = caller.get(f"/v1/articles/{first['slug']}{query}")
            assert (moved.status_code, moved.headers["location"]) == (
                308,
                f"/v1/articles/{second['slug']}{query}",
            )
            assert (
                caller.get(f"/v1/articles/{first['slug']}{query}", follow_redirects=True).json()["id"]
                == first["id"]
            )
    assert edit(editor, second, slug=first["slug"])["slug"] == first["slug"]
    for caller in (client, editor):
        assert caller.get(f"/v1/articles/{first['slug']}").status_code == 200
        assert (
            caller.get(f"/v1/articles/{second['slug']}").headers["location"]
            == f"/v1/articles/{first['slug']}"
        )


def test_a_slug_that_only_a_draft_had_is_nobodys_business(client: httpx.Client, editor: httpx.Client) -> None:
    first = draft(editor, slug=mark())
    second = edit(editor, first, slug=mark())
    for slug in (first["slug"], second["slug"]):
        problem(client.get(f"/v1/articles/{slug}"), 404)
    assert editor.get(f"/v1/articles/{first['slug']}").status_code == 308
    second = do(editor, second, "publish")
    problem(client.get(f"/v1/articles/{first['slug']}"), 404)
    third = edit(editor, second, slug=mark())
    problem(client.get(f"/v1/articles/{first['slug']}"), 404)
    assert client.get(f"/v1/articles/{second['slug']}").headers["location"] == f"/v1/articles/{third['slug']}"
    fourth = edit(editor, do(editor, third, "unpublish"), slug=mark())
    fifth = do(editor, edit(editor, fourth, slug=mark()), "publish")
    problem(client.get(f"/v1/articles/{fourth['slug']}"), 404)
    assert client.get(f"/v1/articles/{third['slug']}").headers["location"] == f"/v1/articles/{fifth['slug']}"


def test_a_new_headline_leaves_the_slug(editor: httpx.Client) -> None:
    article = draft(editor, headline=f"Before {mark()}")
    assert edit(editor, article, headline="After")["slug"] == article["slug"]


def test_many_articles_of_one_headline_at_once_get_slugs_of_their_own(
    client: httpx.Client, editor: httpx.Client
) -> None:
    headline, ready = f"Breaking {mark()}", threading.Barrier(20)

    def create(_: int) -> str:
        ready.wait()
        return published(editor, headline=headline)["slug"]

    with ThreadPoolExecutor(20) as pool:
        slugs = list(pool.map(create, range(20)))
    assert len(set(slugs)) == 20
    base = headline.lower().replace(" ", "-")
    assert base in slugs
    assert all(slug.startswith(base) for slug in slugs)
    assert all(client.get(f"/v1/articles/{slug}").status_code == 200 for slug in slugs)


def test_of_many_that_ask_for_one_slug_at_once_one_gets_it(editor: httpx.Client) -> None:
    slug, ready = mark(), threading.Barrier(8)

    def create(n: int) -> httpx.Response:
        ready.wait()
        return editor.post("/v1/articles", json={"headline": f"Race {n}", "slug": slug})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json()["id"] for answer in answers} == {
        next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    }
