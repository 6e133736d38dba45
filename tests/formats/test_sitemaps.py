"""Sitemaps: the news of two days, and all articles cut into files."""

import random
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from lxml import etree
from sqlalchemy import event, update

from service.formats.sitemaps.parts import Part, all_parts, read_part
from service.formats.sitemaps.starts import Starts
from service.published import totals
from service.published.models import PublishedSequence
from service.published.names import COUNTED_AS
from service.tables import now
from tests.articles.newsroom import Article, do, edit, published
from tests.formats.front_page import illustrated
from tests.serving import ORIGIN, Store, another

NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
    "i": "http://www.google.com/schemas/sitemap-image/1.1",
}


def found(client: httpx.Client, address: str, path: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    return [
        str(text) for text in etree.fromstring(answer.content).xpath(f"//{path}/text()", namespaces=NAMES)
    ]


def ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def test_the_news_sitemap_holds_two_days(editor: httpx.Client, client: httpx.Client) -> None:
    published(editor, headline="Too old", published_at=ago(49))
    young = published(editor, headline="Yesterday & today", published_at=ago(30), language="pt-BR")
    new = illustrated(editor, headline="Now", language="zh-Hant")
    address = "/sitemaps/news.xml"
    assert found(client, address, "n:title") == ["Now", "Yesterday & today"]
    assert found(client, address, "s:loc") == [f"{ORIGIN}/read/{each['slug']}" for each in (new, young)]
    assert found(client, address, "n:language") == ["zh-tw", "pt"]
    assert found(client, address, "n:name") == ["Copydesk", "Copydesk"]
    assert found(client, address, "n:publication_date")[0] == new["published_at"]
    assert found(client, address, "i:loc")[0].startswith(f"{ORIGIN}/media/")


@pytest.mark.slow
def test_news_leaves_its_sitemap_when_it_is_two_days_old_though_nothing_changes(
    editor: httpx.Client, client: httpx.Client
) -> None:
    published(
        editor,
        headline="Nearly too old",
        published_at=(datetime.now(UTC) - timedelta(days=2, seconds=-2)).isoformat(),
    )
    assert found(client, "/sitemaps/news.xml", "n:title") == ["Nearly too old"]
    deadline = datetime.now(UTC) + timedelta(seconds=5)
    while found(client, "/sitemaps/news.xml", "n:title"):
        assert datetime.now(UTC) < deadline


@pytest.mark.slow
def test_the_index_names_the_news_for_as_long_as_there_are_any(
    editor: httpx.Client, client: httpx.Client
) -> None:
    published(editor, headline="Too old", published_at=ago(49))
    news = f"{ORIGIN}/sitemaps/news.xml"
    assert news not in found(client, "/sitemaps/index.xml", "s:loc")
    published(
        editor,
        headline="Nearly too old",
        published_at=(datetime.now(UTC) - timedelta(days=2, seconds=-2)).isoformat(),
    )
    assert news in found(client, "/sitemaps/index.xml", "s:loc")
    deadline = datetime.now(UTC) + timedelta(seconds=10)
    while news in found(client, "/sitemaps/index.xml", "s:loc"):
        assert datetime.now(UTC) < deadline


def test_the_index_leads_to_every_article_by_its_section(editor: httpx.Client, client: httpx.Client) -> None:
    city = [published(editor, section="City & Port") for _ in range(2)]
    none = published(editor)
    killed = published(editor, section="Gone")
    do(editor, killed, "withdraw", reason="Wrong.")
    files = found(client, "/sitemaps/index.xml", "s:loc")
    assert files[0] == f"{ORIGIN}/sitemaps/news.xml"
    listed = {file: found(client, file, "s:loc") for file in files[1:]}
    assert sorted(each for places in listed.values() for each in places) == sorted(
        f"{ORIGIN}/read/{each['slug']}" for each in [*city, none]
    )
    assert len(listed) == 2
    assert found(client, files[1], "s:lastmod")


def test_an_article_that_belongs_elsewhere_is_listed_under_our_own_address(
    store: Store, editor: httpx.Client
) -> None:
    article = published(editor, canonical_url="https://mail.example/ferry", headline="Über die Brücke")
    with another(store, article_url="https://news.example/{id}/lesen-ä") as second, second.client() as client:
        assert found(client, "/sitemaps/articles.xml", "s:loc") == [
            f"https://news.example/{article['id']}/lesen-%C3%A4"
        ]


def test_files_are_cut_by_key_and_hold_each_article_once(
    store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    at = "2026-05-04T08:00:00.123456Z"
    made = [published(editor, section="City", published_at=at)["id"] for _ in range(7)] + [
        published(editor)["id"]
    ]
    with store.database.reading() as session:
        parts = all_parts(session, Starts(3))
        assert [part.section for part in parts].count("City") == 3
        held = [str(place.id) for part in parts for place in read_part(session, part, 3)]
    assert sorted(held) == sorted(made)
    start = parts[[part.section for part in parts].index("City") + 1].start
    assert start is not None
    rest = client.get(
        "/sitemaps/articles.xml",
        params={"section": "City", "published": start[0].isoformat(), "id": str(start[1])},
    )
    assert rest.text.count("<loc>") == 4


def listed(store: Store, starts: Starts) -> tuple[list[Part], set[str]]:
    """Return the files, and the articles that are in them."""
    with store.database.reading() as session:
        parts = all_parts(session, starts)
        files = [read_part(session, part, starts.longest) for part in parts]
    return parts, {str(article.id) for file in files for article in file}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_files_whose_starts_are_kept_hold_every_article_whatever_changes(
    store: Store, editor: httpx.Client, seed: int
) -> None:
    chance, starts, made = random.Random(seed), Starts(2), dict[str, Article]()
    acts, most = ["publish"] * 5 + ["edit", "move", "withdraw"], 0
    for _ in range(40):
        section, hours = chance.choice(("City", None)), chance.choice((0, 0, 0, chance.uniform(0, 99)))
        at, act = ago(hours), chance.choice(acts) if made else "publish"
        article = chance.choice(list(made.values())) if made else {}
        if act == "withdraw":
            do(editor, made.pop(article["id"]), "withdraw", reason="Wrong.")
            continue
        if act == "publish":
            article = published(editor, section=section, published_at=at)
        elif act == "edit":
            article = edit(editor, article, summary=f"It is {at}.")
        else:
            article = edit(editor, article, section=section, published_at=at)
        made[article["id"]] = article
        parts, held = listed(store, starts)
        assert held == {*made}
        most = max(most, len({*parts}))
    assert most > 4


def test_a_new_article_has_no_section_walked_again(store: Store, editor: httpx.Client) -> None:
    for hours in range(7, 0, -1):
        published(editor, section="City", published_at=ago(hours))
    starts = Starts(3)
    before, _ = listed(store, starts)
    published(editor, section="City")
    published(editor, section="Port")
    with store.database.reading() as session:
        statements = list[str]()
        event.listen(session.connection(), "before_cursor_execute", lambda *args: statements.append(args[2]))
        after = all_parts(session, starts)
        walks = [each for each in statements if each.startswith("SELECT published.published_at")]
        assert statements and not walks
    assert [*before, Part("Port")] == after
    old = published(editor, section="City", published_at=ago(9))
    _, held = listed(store, starts)
    assert old["id"] in held


def test_the_index_is_the_same_from_kept_counts_as_from_counting(store: Store, editor: httpx.Client) -> None:
    moving = [published(editor, section="City") for _ in range(5)]
    published(editor, section="Port")
    published(editor)
    edit(editor, moving[0], section="Port")
    edit(editor, moving[1], section=None)
    do(editor, moving[2], "withdraw", reason="Wrong.")
    with store.database.writing() as session:
        session.execute(update(PublishedSequence).values(counted_at=now(), counted_as=COUNTED_AS))
        assert totals.of_sections(session) == {"City": 2, "Port": 2, None: 2}
        kept = [all_parts(session, Starts(longest)) for longest in (1, 2, 50)]
        session.execute(update(PublishedSequence).values(counted_at=None))
        assert totals.of_sections(session) is None
        assert [all_parts(session, Starts(longest)) for longest in (1, 2, 50)] == kept
    assert [len(parts) for parts in kept] == [6, 3, 3]
