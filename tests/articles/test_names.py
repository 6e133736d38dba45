"""GET /v1/sections, /v1/tags and /v1/authors."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import select, update

from service.published.counting import Counting
from service.published.models import NameField, PublishedName, PublishedSequence
from service.tables import now
from tests.articles.newsroom import Article, do, draft, edit, mark, published, trash, walk
from tests.serving import Store

LISTS = {"sections": NameField.SECTION, "tags": NameField.TAG, "authors": NameField.AUTHOR}


def names(client: httpx.Client, kind: str, among: set[str]) -> dict[str, Article]:
    """The names of a list that are among some."""
    return {item["name"]: item for item in walk(client, f"/v1/{kind}?limit=200") if item["name"] in among}


def counts(client: httpx.Client, kind: str, among: set[str]) -> dict[str, int]:
    """How many articles names have."""
    return {name: item["count"] for name, item in names(client, kind, among).items()}


def test_names_are_those_of_published_articles_with_their_counts_and_newest(
    client: httpx.Client, editor: httpx.Client
) -> None:
    section, tag, author, hidden = (mark() for _ in range(4))
    members: dict[str, Any] = {"section": section, "tags": [tag], "authors": [{"name": author}]}
    published(editor, **members, published_at="2021-03-04T05:06:07Z")
    published(editor, **members, published_at="2020-03-04T05:06:07Z")
    draft(editor, section=hidden, tags=[hidden], authors=[{"name": hidden}])
    for kind, name in (("sections", section), ("tags", tag), ("authors", author)):
        for caller in (client, editor):
            assert names(caller, kind, {name, hidden}) == {
                name: {"name": name, "count": 2, "newest_at": "2021-03-04T05:06:07Z"}
            }


def test_counts_follow_every_change_of_an_article(client: httpx.Client, editor: httpx.Client) -> None:
    old, new = mark(), mark()
    both = {old, new}
    article = published(editor, section=old, tags=[old])
    assert counts(client, "sections", both) == counts(client, "tags", both) == {old: 1}
    article = edit(editor, article, section=new, tags=[old, new])
    assert counts(client, "sections", both) == {new: 1}
    assert counts(client, "tags", both) == {old: 1, new: 1}
    article = do(editor, article, "unpublish")
    assert counts(client, "sections", both) == counts(client, "tags", both) == {}
    article = do(editor, article, "publish")
    trash(editor, article)
    assert counts(client, "sections", both) == {}
    article = do(editor, article, "restore")
    assert counts(client, "sections", both) == {new: 1}
    do(editor, article, "withdraw", reason="Wrong.")
    assert counts(client, "sections", both) == counts(client, "tags", both) == {}


def test_names_are_paged_in_their_order(client: httpx.Client, editor: httpx.Client) -> None:
    begins = mark()
    wanted = [f"{begins}{letter}" for letter in "abcde"]
    published(editor, tags=random.Random(1).sample(wanted, 5))
    paged = [item["name"] for item in walk(client, "/v1/tags?limit=2") if item["name"] in wanted]
    assert paged == wanted
    answer = client.get("/v1/tags?limit=1&count=true&fields=name")
    assert answer.json()["total"] == len(list(walk(client, "/v1/tags?limit=200"))) >= 5
    assert list(answer.json()["items"][0]) == ["name"]
    assert 'rel="next"' in answer.headers["link"]


@pytest.mark.parametrize("kind", LISTS)
def test_names_are_kept_by_caches_until_an_article_changes(
    client: httpx.Client, editor: httpx.Client, kind: str
) -> None:
    article = published(editor, section=mark(), tags=[mark()], authors=[{"name": mark()}])
    first = client.get(f"/v1/{kind}")
    assert first.headers["cache-control"].startswith("public")
    assert client.get(f"/v1/{kind}", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert editor.get(f"/v1/{kind}").headers["cache-control"] == "private, no-store"
    name = {
        "sections": article["section"],
        "tags": article["tags"][0],
        "authors": article["authors"][0]["name"],
    }
    assert name[kind] in names(client, kind, {name[kind]})
    trash(editor, article)
    assert not names(client, kind, {name[kind]})


@pytest.fixture
def count_anew(store: Store) -> Callable[[], None]:
    """Have a job count every name anew."""

    def count() -> None:
        with store.database.writing() as session:
            session.execute(update(PublishedSequence).values(counted_at=now() - timedelta(days=2)))
        counting = Counting(store.database)
        while store.portal.call(counting.step) < 60.0:
            pass

    return count


def test_what_an_older_version_has_left_wrong_is_counted_anew(
    store: Store, client: httpx.Client, editor: httpx.Client, count_anew: Callable[[], None]
) -> None:
    right, lost, stale = mark(), mark(), mark()
    published(editor, section=right, tags=[right, lost], authors=[{"name": right}])
    published(editor, section=lost, tags=[right])
    with store.database.writing() as session:
        session.execute(text("UPDATE published_name SET count = 9 WHERE value = :name"), {"name": right})
        session.execute(text("DELETE FROM published_name WHERE value = :name"), {"name": lost})
        session.add(PublishedName(field="tag", value=stale, count=4))
    assert counts(editor, "tags", {right, lost, stale}) == {right: 9}
    count_anew()
    assert counts(editor, "tags", {right, lost, stale}) == {right: 2, lost: 1}
    assert counts(editor, "sections", {right, lost}) == {right: 1, lost: 1}
    assert counts(editor, "authors", {right}) == {right: 1}
    with store.database.reading() as session:
        assert not session.exec(select(PublishedName).where(PublishedName.value == stale)).all()


@pytest.mark.slow
def test_counts_that_changes_have_made_are_those_that_counting_finds(
    store: Store, client: httpx.Client, editor: httpx.Client, count_anew: Callable[[], None]
) -> None:
    chance, own = random.Random(3), [mark() for _ in range(4)]
    articles = [draft(editor) for _ in range(5)]
    for _ in range(40):
        place = chance.randrange(5)
        article = articles[place]
        if article["status"] == "published" and chance.random() < 0.3:
            articles[place] = do(editor, article, "unpublish")
        elif article["status"] == "draft" and chance.random() < 0.6:
            articles[place] = do(editor, article, "publish")
        else:
            tags = chance.sample(own, chance.randint(0, 4))
            section = chance.choice([None, *own])
            articles[place] = edit(editor, article, section=section, tags=tags)
    before = [counts(client, kind, set(own)) for kind in LISTS]
    live = [article for article in articles if article["status"] == "published"]
    tagged = {name: sum(name in article["tags"] for article in live) for name in own}
    assert before[1] == {name: count for name, count in tagged.items() if count}
    count_anew()
    assert [counts(editor, kind, set(own)) for kind in LISTS] == before


def own_names(partner: httpx.Client, kind: str, among: set[str]) -> dict[str, tuple[int, bool]]:
    """Return names among some, each with its count and whether it may have more."""
    found = names(partner, kind, among).values()
    return {item["name"]: (item["count"], item.get("count_is_minimum", False)) for item in found}


@pytest.mark.slow
@pytest.mark.parametrize("most", [5, 1_000])
def test_names_under_a_contract_that_gives_much_are_true_and_bounded(
    store: Store, editor: httpx.Client, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    for name, value in {"MOST_GIVEN": 0, "MOST_READ": most, "OF_EACH": 2}.items():
        monkeypatch.setattr(f"service.published.named.{name}", value)
    chance, own = random.Random(5), [mark() for _ in range(6)]
    language, given = "oc", dict[str, dict[str, int]]()
    for number in range(24):
        name, is_given = chance.choice(own), chance.random() < 0.5
        members: dict[str, Any] = {"section": name, "tags": [name], "authors": [{"name": name}]}
        published(editor, **members, language=language if is_given else "nl", headline=f"{name} {number}")
        for kind in LISTS:
            of_kind = given.setdefault(kind, {})
            of_kind[name] = of_kind.get(name, 0) + is_given
    with store.client(contract={"languages": [language]}) as partner:
        for kind in LISTS:
            truth = {name: count for name, count in given[kind].items() if count}
            found = own_names(partner, kind, set(own))
            assert {name: count for name, (count, more) in found.items() if not more}.items() <= truth.items()
            assert all(count <= truth[name] for name, (count, _) in found.items())
            first = partner.get(f"/v1/{kind}?count=true").json()
            if most == 5:
                assert first["total_is_minimum"]
                assert any(more for _, more in found.values())
            else:
                assert {name: count for name, (count, _) in found.items()} == truth
                assert "total_is_minimum" not in first


def test_sections_that_a_contract_gives_whole_have_the_counts_that_are_kept(
    store: Store, editor: httpx.Client
) -> None:
    own, other = mark(), mark()
    for section in (own, own, other):
        published(editor, section=section, tags=[section])
    with store.client(contract={"sections": [own, mark()]}) as partner:
        assert own_names(partner, "sections", {own, other}) == {own: (2, False)}
        assert partner.get("/v1/sections?count=true").json()["total"] == 1
        assert own_names(partner, "tags", {own, other}) == {own: (2, False)}
    with store.client(contract={"sections": [own], "kinds": ["image"]}) as partner:
        answer = partner.get("/v1/sections?count=true").json()
        assert (answer["items"], answer["total"]) == ([], 0)
