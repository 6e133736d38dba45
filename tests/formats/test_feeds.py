"""RSS, Atom and JSON Feed, read by a reader of feeds that is not ours."""

import json
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import feedparser
import httpx
import jsonschema_rs
import pytest
from pydantic import BaseModel, ConfigDict, Field

from service.formats.feeds import rss
from service.formats.feeds.feed import FeedArticle
from service.formats.feeds.written import OVERHEAD, WrittenArticles
from tests.articles.newsroom import caption, do, draft, edit, mark, published, soon
from tests.formats.front_page import illustrated
from tests.serving import ORIGIN, Store, another

SCHEMAS = Path(os.environ.get("COPYDESK_TEST_SCHEMAS", "../shared/schemas"))
XML = ["/feeds/rss.xml", "/feeds/atom.xml"]
ALL = [*XML, "/feeds/feed.json"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FeedAuthor(Strict):
    name: str
    url: str | None = None


class FeedAttachment(Strict):
    url: str = Field(pattern="^https://")
    mime_type: str = Field(pattern="^image/")
    title: str | None = None
    size_in_bytes: int | None = None


class FeedItem(Strict):
    id: str
    url: str = Field(pattern="^https://")
    title: str
    content_html: str
    summary: str | None = None
    image: str | None = None
    date_published: str
    date_modified: str
    authors: list[FeedAuthor] = []
    tags: list[str]
    language: str
    attachments: list[FeedAttachment] = []
    extension: dict[str, Any] = Field(alias="_copydesk")


class WholeFeed(Strict):
    """JSON Feed 1.1 as its specification has it, with the members that are written here."""

    version: str = Field(pattern="^https://jsonfeed.org/version/1.1$")
    title: str
    home_page_url: str
    feed_url: str
    description: str
    language: str
    authors: list[FeedAuthor]
    items: list[FeedItem]


def entries(client: httpx.Client, address: str) -> list[Any]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    parsed = feedparser.parse(
        answer.content, response_headers={"content-type": answer.headers["content-type"]}
    )
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed.entries


def titles(client: httpx.Client, address: str) -> list[str]:
    if address.startswith("/feeds/feed.json"):
        return [item.title for item in WholeFeed.model_validate(client.get(address).json()).items]
    return [entry.title for entry in entries(client, address)]


@pytest.mark.parametrize("address", XML)
def test_an_article_is_whole_in_a_feed(editor: httpx.Client, client: httpx.Client, address: str) -> None:
    article = illustrated(
        editor,
        authors=[{"name": "Mara Ellison"}, {"name": "Ben Okafor"}],
        section="City",
        tags=["trams"],
        language="en-GB",
        published_at="2026-05-04T08:00:00Z",
        copyright_notice="© Harbour Press",
    )
    (entry,) = entries(client, address)
    assert (entry.title, entry.summary) == ("Bridge reopens", "After a winter of repairs.")
    assert entry.id == f"urn:uuid:{article['id']}"
    assert entry.link == f"{ORIGIN}/read/{article['slug']}"
    assert [author.name for author in entry.authors] == ["Mara Ellison", "Ben Okafor"]
    assert [tag.term for tag in entry.tags] == ["City", "trams"]
    assert entry.published_parsed[:5] == (2026, 5, 4, 8, 0)
    assert entry.rights == "© Harbour Press"
    html = entry.content[0].value
    assert "Trams <em>cross</em> again &amp; again." in html
    assert f'src="{ORIGIN}/media/' in html
    (picture,) = entry.media_content
    assert picture["url"].startswith(f"{ORIGIN}/media/")
    assert (picture["width"], picture["height"], picture["medium"]) == ("40", "30", "image")
    assert entry.media_credit[0]["content"] == "Ana Lind / Harbour Press"
    assert "The swing bridge at first light." in client.get(address).text
    assert "A low bridge over calm water" in client.get(address).text
    (enclosure,) = entry.enclosures
    assert enclosure.href == picture["url"]
    assert client.get(enclosure.href).headers["content-type"] == enclosure.type
    assert enclosure.get("length", "0") == "0"


def test_an_article_is_whole_in_a_json_feed(editor: httpx.Client, client: httpx.Client) -> None:
    article = illustrated(
        editor, authors=[{"name": "Mara Ellison", "url": "https://mail.example/mara"}], tags=["trams"]
    )
    answer = client.get("/feeds/feed.json")
    assert answer.headers["content-type"] == "application/feed+json"
    (item,) = WholeFeed.model_validate(answer.json()).items
    assert (item.id, item.title, item.tags) == (f"urn:uuid:{article['id']}", "Bridge reopens", ["trams"])
    assert item.authors == [FeedAuthor(name="Mara Ellison", url="https://mail.example/mara")]
    assert item.attachments[0].title == "The swing bridge at first light."
    assert item.image == item.attachments[0].url
    (picture,) = item.extension["pictures"]
    assert picture["credit_line"] == "Ana Lind / Harbour Press"
    assert (picture["caption"], picture["alt_text"]) == (
        "The swing bridge at first light.",
        "A low bridge over calm water",
    )


def _version_1(schema: str) -> dict[str, Any]:
    """What the schema of version 1.1 takes over from that of version 1, which is not beside it: anything at
    all.
    """
    known: dict[str, Any] = {}
    for pointer in re.findall(r'"feed-1#/([^"]+)"', schema):
        place = known
        for part in pointer.split("/"):
            place = place.setdefault(part, {})
    return known


@pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason=f"the schema of JSON Feed is not at {SCHEMAS} (COPYDESK_TEST_SCHEMAS)"
)
def test_the_schema_of_json_feed_finds_nothing_wrong(editor: httpx.Client, client: httpx.Client) -> None:
    schema = (SCHEMAS / "json-feed-1.1.json").read_text()
    registry = jsonschema_rs.Registry([("https://json.schemastore.org/feed-1", _version_1(schema))])
    known = jsonschema_rs.Draft4Validator(json.loads(schema), registry=registry, validate_formats=True)
    illustrated(editor, authors=[{"name": "Mara Ellison"}], tags=["trams"])
    feed = client.get("/feeds/feed.json").json()
    assert [error.message for error in known.iter_errors(feed)] == []
    (item,) = feed["items"]
    for wrong in (
        {"logo": "x"},
        {"language": 1},
        {"items": [item | {"caption": "x"}]},
        {"items": [{"id": item["id"]}]},
    ):
        assert not known.is_valid(feed | wrong)


def test_a_byline_is_named_where_no_author_is(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor, byline="Ana Lind in Porto")
    for address in ("/feeds/rss.xml", "/feeds/atom.xml"):
        (entry,) = feedparser.parse(client.get(address).content).entries
        assert entry.author == "Ana Lind in Porto"
    (item,) = client.get("/feeds/feed.json").json()["items"]
    assert item["authors"] == [{"name": "Ana Lind in Porto"}]
    data = client.get(f"/v1/articles/{article['id']}", params={"format": "jsonld"}).json()
    assert data["author"] == [{"@type": "Person", "name": "Ana Lind in Porto"}]


@pytest.mark.slow
@pytest.mark.parametrize("address", ALL)
def test_a_feed_without_articles_is_a_feed(client: httpx.Client, address: str) -> None:
    assert titles(client, address) == []


@pytest.mark.parametrize("address", ALL)
def test_only_what_is_published_is_in_a_feed_newest_first(
    editor: httpx.Client, client: httpx.Client, address: str
) -> None:
    draft(editor, headline="A draft")
    published(editor, headline="Held", embargoed_until=soon(600))
    published(editor, headline="Older", published_at="2020-01-01T00:00:00Z")
    published(editor, headline="Newer", published_at="2020-01-02T00:00:00Z")
    killed = published(editor, headline="Killed")
    assert titles(client, address) == ["Killed", "Newer", "Older"]
    do(editor, killed, "withdraw", reason="Wrong.")
    assert titles(client, address) == ["Newer", "Older"]


@pytest.mark.parametrize("address", ALL)
def test_feeds_are_narrowed_by_section_and_language(
    editor: httpx.Client, client: httpx.Client, address: str
) -> None:
    published(editor, headline="One", section="Arts & Life", language="en")
    published(editor, headline="Deux", section="Arts & Life", language="fr")
    published(editor, headline="Three", section="City", language="en")
    assert sorted(titles(client, f"{address}?section={quote('Arts & Life')}")) == ["Deux", "One"]
    assert titles(client, f"{address}?section={quote('Arts & Life')}&language=fr") == ["Deux"]
    assert titles(client, f"{address}?section=None") == []
    assert client.get(f"{address}?sort=x").status_code == 400
    assert client.get(f"{address}?language=12").status_code == 422


@pytest.mark.slow
@pytest.mark.parametrize("address", ALL)
def test_an_unchanged_feed_is_not_sent_again_and_a_changed_caption_changes_it(
    editor: httpx.Client, client: httpx.Client, address: str
) -> None:
    article = illustrated(editor)
    first = client.get(address)
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert client.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    words = article["lead_image"]["caption"]
    for change in ({"text": "The bridge at noon."}, {"alt_text": "A bridge"}):
        answer = editor.patch(f"/v1/captions/{words['id']}", json=change, headers={"If-Match": "*"})
        assert answer.status_code == 200
    second = client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert "The bridge at noon." in second.text
    edit(editor, editor.get(f"/v1/articles/{article['id']}").json(), headline="Bridge shuts")
    assert titles(client, address) == ["Bridge shuts"]


@pytest.mark.slow
def test_feeds_are_kept_ready(store: Store, editor: httpx.Client, client: httpx.Client) -> None:
    illustrated(editor)

    def hits() -> float:
        lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("copydesk_cache_hits_total")).split()[1])

    for address in [*ALL, "/sitemaps/news.xml", "/sitemaps/index.xml"]:
        client.get(address)
        before = hits()
        client.get(address)
        assert hits() == before + 1, address


def test_lists_and_feeds_lead_to_each_other(editor: httpx.Client, client: httpx.Client) -> None:
    published(editor, section="City")
    link = client.get("/v1/articles?section=City&limit=1").headers["link"]
    for name, media_type in (("rss.xml", "rss+xml"), ("atom.xml", "atom+xml"), ("feed.json", "feed+json")):
        assert f'</feeds/{name}?section=City>; rel="alternate"; type="application/{media_type}"' in link
    found = client.get("/feeds/atom.xml?section=City").headers["link"]
    assert f'<{ORIGIN}/feeds/atom.xml?section=City>; rel="self"' in found
    assert f'<{ORIGIN}/feeds/rss.xml?section=City>; rel="alternate"' in found


def test_links_lead_to_the_publications_own_pages(store: Store, editor: httpx.Client) -> None:
    article = published(editor, canonical_url="https://mail.example/ferry")
    with (
        another(store, article_url="https://news.example/read/{slug}", site_name="Larkmouth Mail") as second,
        second.client() as client,
    ):
        parsed = feedparser.parse(client.get("/feeds/rss.xml").content)
        assert parsed.feed.title == "Larkmouth Mail"
        assert parsed.entries[0].link == f"https://news.example/read/{article['slug']}"
    with store.client() as client:
        assert entries(client, "/feeds/atom.xml")[0].link == "https://mail.example/ferry"


@pytest.mark.parametrize("address", ALL)
def test_no_character_breaks_a_feed(editor: httpx.Client, client: httpx.Client, address: str) -> None:
    image = illustrated(editor)["lead_image_id"]
    odd = "Ice ]]> <b>&amp; \ufffe\uffff \u0085\u2028 \U0001f9ca"
    article = published(
        editor,
        headline=odd,
        summary=odd,
        section=odd,
        tags=[odd],
        authors=[{"name": odd}],
        lead_image_id=image,
    )
    caption(editor, image, article_id=article["id"], text=odd, language="en")
    assert "<b>" in titles(client, address)[0]
    assert titles(client, f"{address}?section={quote(odd)}") != []


def test_a_feed_writes_anew_only_the_articles_that_have_changed(
    editor: httpx.Client, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, written, write = mark(), [], rss.write_article

    def noting(feed_article: FeedArticle) -> bytes:
        written.append(feed_article.article.headline)
        return write(feed_article)

    monkeypatch.setattr(rss, "write_article", noting)
    first = published(editor, headline="Low water", section=section)
    published(editor, headline="Slack water", section=section)
    before = client.get(f"/feeds/rss.xml?section={section}").text
    edit(editor, first, headline="High water")
    after = client.get(f"/feeds/rss.xml?section={section}").text
    assert written == ["Slack water", "Low water", "High water"]
    assert ("Low water" in before, "Low water" in after, "High water" in after) == (True, False, True)
    assert [entry.title for entry in feedparser.parse(after).entries] == ["Slack water", "High water"]


def test_written_articles_stay_within_their_bytes(
    store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    slugs = [published(editor, headline=f"Buoy {number}")["slug"] for number in range(4)]
    documents = [client.get(f"/v1/articles/{slug}").content for slug in slugs]
    size = len(WrittenArticles(store.settings).all("rss.xml", documents[:1], rss.write_article)[0].written)
    kept = WrittenArticles(store.settings, most_bytes=2 * (size + OVERHEAD) + 10)
    made = kept.all("rss.xml", documents, rss.write_article)
    assert [each.written.count(b"<item>") for each in made] == [1] * 4
    assert (len(kept), kept.bytes) == (2, sum(len(each.written) + OVERHEAD for each in made[2:]))
    assert kept.all("rss.xml", documents[3:], rss.write_article)[0] is made[3]
