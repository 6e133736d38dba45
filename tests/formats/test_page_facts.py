"""What a page states about its article is found in whatever form its makers wrote it."""

import json
from datetime import UTC, datetime

import pytest

from service.newspages import Author, Page, read_html
from service.newspages.jsonld import Json

URL = "https://www.fjordpost.example/nyheter/ferjen-er-tilbake"
HEADLINE = "Ferjen er tilbake etter en lang vinter"
TEXT = "".join(
    f"<p>{sentence}</p>"
    for sentence in (
        "Ferjen mellom øyene gikk igjen på mandag, ti uker etter at isen hadde stengt havnen for all trafikk.",
        "Havnesjefen sa at kontoret hans hadde hatt en lampe tent på bryggen gjennom hele den lange vinteren.",
        "Billettene koster det samme som i fjor, og sykler reiser fortsatt gratis på alle turer før klokken tolv.",
    )
)


def read(head: str = "", above: str = "", url: str = URL, heading: str = HEADLINE) -> Page:
    body = f"<main><article><h1>{heading}</h1>{above}<div class='brodtekst'>{TEXT}</div></article></main>"
    return read_html(
        f"<html lang='nb'><head><meta charset='utf-8'>{head}</head><body>{body}</body></html>".encode(), url
    )


def jsonld(value: Json) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def social(title: str, site: str = "Fjordposten") -> str:
    return f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="{site}">'


def names(found: Page) -> list[str]:
    return [author.name for author in found.authors]


@pytest.mark.parametrize(
    "title",
    [
        f"Sjøfart: {HEADLINE}",
        f"Fjordposten | {HEADLINE}",
        f"{HEADLINE} - Nyheter fra Fjordposten",
        f"Sjøfart: {HEADLINE} – Fjordposten",
    ],
)
def test_a_kicker_and_the_name_of_the_site_are_not_part_of_the_headline(title: str) -> None:
    assert read(social(title)).headline == HEADLINE


def test_a_colon_in_the_headline_that_is_shown_stays() -> None:
    whole = "Ordføreren: Ferjen kommer tilbake i mars"
    assert read(social(whole), heading=whole).headline == whole


def test_the_name_of_the_site_is_no_headline() -> None:
    assert read(social("Fjordposten")).headline == HEADLINE


def test_a_headline_given_as_the_name_of_the_site_is_still_the_headline() -> None:
    assert (
        read(
            social(HEADLINE, site=HEADLINE) + f"<title>{HEADLINE} og mer fra kysten</title>", heading="Kysten"
        ).headline
        == HEADLINE
    )


@pytest.mark.parametrize(
    "stated",
    [
        {"author": {"@id": "#kari"}},
        {"author": "#kari"},
        {"author": [[{"@type": "Person", "name": "Kari Nes"}]]},
        {"author": {"@list": [{"@type": "Person", "name": ["Kari Nes"]}]}},
        {"author": {"@type": "Person", "givenName": "Kari", "familyName": "Nes"}},
        {"author": "Av Kari Nes, reporter"},
        {"author": [5, None, {"@type": ["Person"], "name": {"@value": "Kari Nes"}}]},
        {"creator": "Kari Nes"},
    ],
)
def test_authors_are_found_in_every_form_of_json_ld(stated: dict[str, Json]) -> None:
    person: Json = {"@type": "Person", "@id": "#kari", "name": "Kari Nes"}
    article: Json = {"@type": "ReportageNewsArticle", "headline": HEADLINE, **stated}
    assert names(read(jsonld({"@graph": [person, article]}))) == ["Kari Nes"]


def test_what_the_article_leaves_out_its_page_may_say() -> None:
    page: Json = {"@type": "WebPage", "author": {"name": "Kari Nes"}, "datePublished": "2025-03-03T08:15:00Z"}
    found = read(jsonld([page, {"@type": "NewsArticle", "headline": HEADLINE, "datePublished": []}]))
    assert (names(found), found.published_at) == (["Kari Nes"], datetime(2025, 3, 3, 8, 15, tzinfo=UTC))


def test_another_story_on_the_page_says_nothing_of_this_one() -> None:
    other: Json = {
        "@type": "NewsArticle",
        "headline": "Isen på elven er borte",
        "author": {"name": "Per Vik"},
    }
    assert (
        names(read(jsonld([{"@type": "NewsArticle", "headline": HEADLINE, "image": "/a.jpg"}, other]))) == []
    )


@pytest.mark.parametrize(
    "script",
    [
        '{"@type": "NewsArticle", "headline": "X", "author": {"name": "Kari Nes"},}',
        '/*<![CDATA[*/ {"@type": "NewsArticle", "author": "Kari Nes"} /*]]>*/',
        '{"@type": "WebSite"} {"@type": "NewsArticle", "author": "Kari Nes"};',
        '{"@type": "LiveBlogPosting", "author": "Kari Nes"} and what no parser reads',
        "{&quot;@type&quot;: &quot;NewsArticle&quot;, &quot;author&quot;: &quot;Kari Nes&quot;}",
    ],
)
def test_json_ld_that_breaks_the_rules_is_read_as_far_as_it_can_be(script: str) -> None:
    assert names(read(f'<script type="application/LD+json">{script}</script>')) == ["Kari Nes"]


@pytest.mark.parametrize(
    "byline",
    [
        '<p class="byline">Av <a href="/a/1">Kari Nes</a> og <a href="/a/2">Per Vik</a></p>',
        '<div class="documentAuthors">Von Kari Nes und Per Vik</div>',
        '<div rel="author">Kari Nes, Per Vik</div>',
        '<p><a href="/autor/kari-nes">Kari Nes</a> / <a href="/autor/per-vik">Per Vik</a></p>',
        '<span data-testid="story-byline">By Kari Nes and Per Vik</span>',
        "<p>Przez Kari Nes i Per Vik</p>",
        "<p>Autores: Kari Nes y Per Vik</p>",
        "<div>Ein Bericht von Kari Nes und Per Vik</div>",
    ],
)
def test_a_byline_that_readers_see_names_the_authors(byline: str) -> None:
    assert names(read(above=byline)) == ["Kari Nes", "Per Vik"]


@pytest.mark.parametrize(
    "beside",
    [
        '<section id="comments"><cite class="fn author">Ola Dahl sagt:</cite></section>',
        '<div class="related-stories"><a rel="author" href="/ola">Ola Dahl</a></div>',
        '<span class="meta-prep-author">Posted on</span>',
        '<div class="author-bio">Writes about the sea and lives by it.</div>',
    ],
)
def test_who_comments_or_writes_elsewhere_is_no_author(beside: str) -> None:
    assert names(read(above=f"<div>{beside}</div>")) == []


def test_a_name_of_three_parts_stays_one_and_a_desk_keeps_its_slash() -> None:
    def stated(*authors: str) -> list[str]:
        return names(
            read(
                jsonld(
                    {
                        "@type": "NewsArticle",
                        "headline": HEADLINE,
                        "author": [{"name": name} for name in authors],
                    }
                )
            )
        )

    assert stated("José Ruiz y Sol") == ["José Ruiz y Sol"]
    assert stated("Ana Ruiz y Eva Sol") == ["Ana Ruiz", "Eva Sol"]
    assert stated("dpa/lno") == ["dpa/lno"]
    assert stated("Kari Nes/Reuters") == ["Kari Nes"]


def test_one_author_of_several_has_a_page_of_their_own() -> None:
    found = read(above='<p class="byline">Av <a rel="author" href="/ansatte/kari-nes">Kari Nes</a></p>')
    assert found.authors == (Author("Kari Nes", "https://www.fjordpost.example/ansatte/kari-nes"),)


@pytest.mark.parametrize(
    ("head", "above"),
    [
        ('<meta name="publication_date" content="2025-03-03 08:15:00 +0000">', ""),
        ('<meta name="pubdate" content="1740989700">', ""),
        ("", "<span class='publish-time'>Publisert: 3. mars 2025, kl. 08:15</span>"),
        ("", "<div class='artikel-datum'>Aktualisiert am 03.03.2025 08:15 Uhr</div>"),
        ("", "<time>3 marca 2025, 08:15</time>"),
        ("", "<p class='date'>Pazartesi, 3 Mart 2025 08:15</p>"),
        ("", "<p class='time'>입력 2025. 3. 3. 08:15</p>"),
        ("", "<p class='pubtime'>2025年3月3日 08:15</p>"),
        ("", "<time datetime='soon'>3 de março de 2025, 8:15</time>"),
    ],
)
def test_the_time_is_read_in_many_languages_and_places(head: str, above: str) -> None:
    assert read(head, above).published_at == datetime(2025, 3, 3, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "path", ["2025/03/03/ferjen", "20250303/ferjen.html", "2025-03/03/c_112.htm", "a/t20250303_1.html"]
)
def test_the_day_in_an_address_is_the_last_resort(path: str) -> None:
    assert read(url=f"https://fjordpost.example/{path}").published_at == datetime(
        2025, 3, 3, 12, 0, tzinfo=UTC
    )


def test_the_clock_of_the_page_is_not_the_time_of_the_article() -> None:
    page = f"<body><header><time>1 April 2025</time></header><main><h1>{HEADLINE}</h1><time>3 March 2025</time><article>{TEXT}</article></main>"
    assert read_html(page.encode(), URL).published_at == datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
