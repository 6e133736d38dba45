"""An article as a NewsArticle of schema.org."""

import httpx
import pytest

from tests.articles.newsroom import do, draft
from tests.formats.front_page import illustrated
from tests.serving import ORIGIN


@pytest.mark.slow
def test_a_newsarticle_says_what_the_article_says(editor: httpx.Client, client: httpx.Client) -> None:
    article = illustrated(
        editor,
        authors=[{"name": "Mara Ellison", "url": "https://mail.example/mara"}],
        section="City",
        tags=["trams"],
    )
    do(editor, article, "corrections", text="The bridge has four lanes.")
    answer = client.get(f"/v1/articles/{article['slug']}?format=jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    said = answer.json()
    assert (said["@context"], said["@type"], said["headline"]) == (
        "https://schema.org",
        "NewsArticle",
        "Bridge reopens",
    )
    assert said["url"] == f"{ORIGIN}/read/{article['slug']}"
    assert said["author"] == [{"@type": "Person", "name": "Mara Ellison", "url": "https://mail.example/mara"}]
    assert (said["datePublished"], said["articleSection"], said["keywords"]) == (
        article["published_at"],
        "City",
        ["trams"],
    )
    assert said["dateModified"] > article["updated_at"]
    assert said["articleBody"].startswith("Trams cross again & again.")
    (correction,) = said["correction"]
    assert (correction["@type"], correction["text"]) == ("CorrectionComment", "The bridge has four lanes.")
    image = said["image"][0]
    assert image["url"].startswith(f"{ORIGIN}/media/")
    assert (image["caption"], image["creditText"]) == (
        "The swing bridge at first light.",
        "Ana Lind / Harbour Press",
    )
    assert len(said["image"]) == len({round(each["width"] / each["height"], 2) for each in said["image"]})


def test_accept_asks_for_a_form_too_and_no_cache_mixes_them_up(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = illustrated(editor)
    address = f"/v1/articles/{article['slug']}"
    for _ in range(2):
        plain = client.get(address)
        linked = client.get(address, headers={"Accept": "text/html, application/ld+json;q=0.9"})
        assert plain.headers["content-type"] == "application/json"
        assert linked.headers["content-type"] == "application/ld+json"
        assert linked.json()["@type"] == "NewsArticle"
        assert "accept" in [name.strip().lower() for name in plain.headers["vary"].split(",")]
        assert "accept" in [name.strip().lower() for name in linked.headers["vary"].split(",")]
    both = client.get(address, headers={"Accept": "application/ld+json;q=0.5, application/json"})
    assert both.headers["content-type"] == "application/json"
    assert editor.get(address, headers={"Accept": "application/ld+json"}).json()["@type"] == "NewsArticle"
    assert (
        client.get(
            address, headers={"Accept": "application/ld+json", "If-None-Match": linked.headers["etag"]}
        ).status_code
        == 304
    )
    assert client.get(f"{address}?format=xml").status_code == 422


def test_a_form_shows_no_more_than_the_article_does(editor: httpx.Client, client: httpx.Client) -> None:
    hidden = draft(editor, headline="Not yet")
    killed = illustrated(editor, headline="Killed")
    do(editor, killed, "withdraw", reason="Wrong.")
    assert client.get(f"/v1/articles/{hidden['id']}?format=jsonld").status_code == 404
    assert client.get(f"/v1/articles/{killed['id']}?format=jsonld").status_code == 410
    assert editor.get(f"/v1/articles/{hidden['id']}?format=jsonld").json()["headline"] == "Not yet"
