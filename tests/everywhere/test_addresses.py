"""Addresses are whole where the settings say so, and links lead somewhere from wherever a body is read."""

import re
from collections.abc import Iterator
from typing import Any

import feedparser
import httpx
import pytest

from tests.articles.newsroom import Article, draft, mark, published
from tests.images.pictures import make_own_image
from tests.serving import EDITOR, ORIGIN, Store, another

CDN = "https://cdn.example"
LINKED = (
    '<a href="#notes">notes</a> <a href="/about?a=1&amp;b=2">about</a> <a href="next">next</a>'
    ' <a href="https://else.example/x">else</a> <a href="tel:+49301">tel</a>'
)


def hrefs(found: str) -> list[str]:
    return re.findall(r'<a href="([^"]*)"', found)


def shown(editor: httpx.Client) -> Article:
    """Publish an article with a picture."""
    # One that no other store has published under other settings.
    image = make_own_image(editor, credit_line=mark())["id"]
    body = [{"type": "image", "image_id": image}]
    return published(editor, section="City", lead_image_id=image, body=body)


def relative(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Return the addresses in an answer that are not whole, each with its place."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from relative(member, f"{at}/{name}")
    elif isinstance(value, list):
        for each in value:
            yield from relative(each, at)
    elif isinstance(value, str) and (value.startswith("/") or 'src="/' in value or 'href="/' in value):
        yield at, value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "base"),
    [
        ({"absolute_urls": True}, ORIGIN),
        ({"media_url_public": f"{CDN}/"}, CDN),
        ({"media_url_public": f"{CDN}/press", "absolute_urls": True}, f"{CDN}/press"),
    ],
)
def test_addresses_are_whole_where_the_settings_say_so(
    store: Store, changes: dict[str, Any], base: str
) -> None:
    with (
        another(store, **changes) as second,
        second.client(*EDITOR) as editor,
        second.client() as client,
    ):
        article = shown(editor)
        published(editor, section="City")
        image = article["lead_image_id"]
        for address in (
            f"/v1/articles/{article['id']}?body=html",
            "/v1/articles?limit=1",
            "/v1/articles?limit=1&body=html",
            f"/v1/images/{image}",
            "/v1/changes",
            "/feeds/feed.json",
        ):
            answer = client.get(address).json()
            left = dict(relative(answer))
            assert set(left) <= (set() if "absolute_urls" in changes else {"/next"}), address
        for address in (f"/v1/articles/{article['id']}?body=html", f"/v1/images/{image}", "/v1/changes"):
            assert f"{base}/media/{image}/" in client.get(address).text, address
        if "absolute_urls" in changes:
            listed = client.get("/v1/articles?limit=1").json()
            assert client.get(listed["next"]).json()["items"][0]["id"] == article["id"]
            made = editor.post(f"/v1/articles/{article['id']}/previews", json={}).json()
            assert made["href"].startswith(f"{ORIGIN}/v1/previews/")
            assert client.get(made["href"]).status_code == 200
        page = client.get(f"/read/{article['slug']}")
        assert f"{base}/media/{image}/" in page.text
        assert "/".join(base.split("/")[:3]) in page.headers["content-security-policy"]
        assert client.get("/feeds/rss.xml").text.count(f'"{base}/media/{image}/') >= 1


def test_a_preview_shows_pictures_from_the_store_itself(store: Store) -> None:
    with another(store, media_url_public=CDN) as second, second.client(*EDITOR) as editor:
        article = draft(editor, lead_image_id=shown(editor)["lead_image_id"])
        made = editor.post(f"/v1/articles/{article['id']}/previews", json={}).json()
        with second.client() as client:
            preview = client.get(made["href"]).json()
        hrefs_of = [each["href"] for each in preview["lead_image"]["renditions"]]
        assert hrefs_of
        assert all(href.startswith(made["href"] + "/media/") for href in hrefs_of)


def test_links_in_a_body_lead_somewhere_wherever_it_is_read(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(
        editor,
        body=[
            {"type": "paragraph", "html": LINKED},
            {"type": "list", "items": [LINKED]},
            {"type": "table", "header": [[LINKED]], "rows": [[LINKED]]},
        ],
    )
    assert hrefs(article["body"][0]["html"])[1] == "/about?a=1&amp;b=2", "what is written is kept"
    whole = [
        "#notes",
        f"{ORIGIN}/about?a=1&amp;b=2",
        f"{ORIGIN}/read/next",
        "https://else.example/x",
        "tel:+49301",
    ] * 4
    address = f"/v1/articles/{article['id']}"
    assert hrefs(client.get(f"{address}?body=html").json()["body_html"]) == whole
    assert hrefs(client.get("/feeds/feed.json").json()["items"][0]["content_html"]) == whole
    entry = feedparser.parse(client.get("/feeds/atom.xml").content, sanitize_html=False).entries[0]
    assert hrefs(entry.content[0].value)[1] == f"{ORIGIN}/about?a=1&amp;b=2"
    ninjs = client.get(f"{address}?format=ninjs").json()
    assert f"{ORIGIN}/read/next" in str(ninjs)
    assert 'href=\\"next\\"' not in client.get(f"{address}?format=ninjs").text
