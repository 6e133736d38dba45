"""Readers find articles from every page: by sections, by a search, and by what goes with an article."""

from datetime import timedelta

import httpx
import pytest

from service.web import routes
from tests.articles.newsroom import do, draft, edit, mark, published, trash
from tests.web.looking import one, page_of


@pytest.mark.parametrize(
    "path", ["/", "/search", "/read/{slug}", "/read/nothing", "/nowhere", "/consent", "/consent/report"]
)
def test_sections_and_search_are_on_every_page(client: httpx.Client, editor: httpx.Client, path: str) -> None:
    section = f"Harbour & sea {mark()}"
    article = published(editor, headline=mark(), section=section)
    response = client.get(path.format_map(article), headers={"Accept": "text/html"})
    page = page_of(response, 404 if "no" in path and "consent" not in path else 200)
    (link,) = page.xpath(f"//header//nav//a[.='{section}']/@href")
    assert article["headline"] in client.get(link).text
    (form,) = page.xpath("//header//form[@role='search']")
    assert (form.method, form.action, list(form.fields)) == ("GET", "/search", ["q"])


def test_a_search_finds_what_is_published_and_nothing_else(
    client: httpx.Client, editor: httpx.Client
) -> None:
    word = mark()
    body = [{"type": "paragraph", "html": f"The {word} <em>sank</em> & rose."}]
    shown = published(editor, headline="Ferry", body=body, section="Sea")
    in_headline = published(editor, headline=f"All about {word}")
    draft(editor, headline=f"{word} draft")
    killed = published(editor, headline=f"{word} killed")
    page = page_of(client.get("/search", params={"q": word}))
    assert killed["headline"] in page.text_content()
    do(editor, killed, "withdraw", reason="Wrong.")
    response = client.get("/search", params={"q": f"{word} ", "utm_source": "letter"})
    page = page_of(response)
    assert page.xpath("//main//h2/a/@href") == [f"/read/{one['slug']}" for one in (in_headline, shown)]
    assert f"The <mark>{word}</mark> sank &amp; rose." in response.text
    assert one(page, "//meta[@name='robots']/@content") == "noindex"
    assert one(page, "//header//input/@value") == word
    assert "Disallow: /search" in client.get("/robots.txt").text


@pytest.mark.slow
def test_a_search_goes_on_page_by_page(client: httpx.Client, editor: httpx.Client) -> None:
    word = mark()
    made = {published(editor, headline=f"{word} {number}")["slug"] for number in range(23)}
    seen, following = [], f"/search?q={word}"
    while following:
        page = page_of(client.get(following))
        found = page.xpath("//main//h2/a/@href")
        assert len(found) <= 20
        seen += found
        following = next(iter(page.xpath("//a[@rel='next']/@href")), None)
    assert sorted(seen) == sorted(f"/read/{slug}" for slug in made)


@pytest.mark.parametrize(
    ("q", "status"),
    [
        ("", 200),
        ("  ", 200),
        ('-"', 200),
        ("<b>x</b>", 200),
        ("x" * 200, 200),
        ("x" * 201, 422),
        ("a\0b", 422),
    ],
)
def test_any_search_is_answered_with_a_page_in_which_it_is_harmless(
    client: httpx.Client, q: str, status: int
) -> None:
    response = client.get("/search", params={"q": q})
    assert page_of(response, status).xpath("//main//h2") == []
    assert "<b>" not in response.text


def test_under_an_article_are_those_that_go_with_it_in_its_language(
    client: httpx.Client, editor: httpx.Client
) -> None:
    tag = mark()
    members = {"tags": [tag], "language": "fr"}
    article = published(editor, headline=f"Lui {mark()}", **members)
    other, later = (published(editor, headline=f"{name} {mark()}", **members) for name in ("Un", "Deux"))
    published(editor, headline="Anglais", tags=[tag], language="en")
    address = f"/read/{article['slug']}"

    def related() -> list[str]:
        return [
            str(each) for each in page_of(client.get(address)).xpath("//section[@class='related']//a/text()")
        ]

    assert related() == [later["headline"], other["headline"]]
    other = edit(editor, other, headline="Un autre titre")
    assert related() == [later["headline"], "Un autre titre"]
    do(editor, later, "withdraw", reason="Faux.")
    assert related() == ["Un autre titre"]
    trash(editor, other)
    assert related() == []


def test_the_page_of_an_article_may_be_kept_by_caches_in_front_as_any_other(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor, headline=mark())
    page, listed = (client.get(path).headers for path in (f"/read/{article['slug']}", "/v1/articles"))
    assert page["cache-control"] == listed["cache-control"]


def test_a_new_article_appears_under_an_older_one_when_its_page_is_made_again(
    client: httpx.Client, editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "NEWS_WITHIN", timedelta(seconds=-1))
    section = mark()
    address = f"/read/{published(editor, headline=mark(), section=section)['slug']}"
    assert page_of(client.get(address)).xpath("//section[@class='related']") == []
    later = published(editor, headline=mark(), section=section)
    (shown,) = page_of(client.get(address)).xpath("//section[@class='related']//a/text()")
    assert shown == later["headline"]
