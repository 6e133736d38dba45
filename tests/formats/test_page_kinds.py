"""A pattern alone deletes no text and no picture: each kind of markup and wording that importers stumble over
is read for what it says.
"""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.newspages import (
    Dropped,
    Paragraph,
    read_dump,
    read_html,
)
from service.tables import now
from tests.formats.lock_page import HEADLINE, TEXTS, URL, added, page


@pytest.mark.parametrize(
    "sentence",
    [
        "»Wir lassen niemanden warten«, sagte der Schleusenwärter, bevor er das Tor zum ersten Mal öffnete.",
        "» Nous n’attendons personne », a dit l’éclusier avant d’ouvrir la porte pour la première fois.",
        "Zum Thema Hochwasser sagte die Bürgermeisterin, dass die Mauer im Herbst erhöht werden solle.",
        "Mehr dazu wollte der Sprecher der Wasserbehörde am Montag in der Kreisstadt nicht sagen.",
        "相关部门星期六表示，船闸的维修费用将由两个村庄共同承担，明年春天以前全部付清。",
        "関連する工事は来年の春までに終わる見通しだと、担当者は土曜日の会見で説明した。",
        "Subscribers to the boat club had paid for the gates, its treasurer told the assembly in May.",
        "Related costs were not in the first budget, as the auditors of the district had noted.",
        "Follow the towpath on foot and the sound of the water is there for three miles.",
        "Register offices in both villages were closed for the day so that all could be there.",
        "Anyone who finds the missing bell is asked to phone the lock keeper on 0114 496 0123.",
        "Copyright in the song belongs to the choir, which sang it twice at the opening of the lock.",
        "With contributions from nineteen villages, the fund paid for the bell and for its rope.",
        "Quellen aus dem Umfeld der Behörde sagten am Sonntag, dass die Kosten gestiegen seien.",
        "Most read the letter aloud before they signed it and passed it to the next household.",
    ],
)
def test_a_sentence_that_begins_like_furniture_is_a_paragraph(sentence: str) -> None:
    found = page(f"<p>{sentence}</p>")
    assert added(found) == [Paragraph(sentence)]
    assert (found.credit_line, found.authors) == (None, ())


@pytest.mark.parametrize(
    "names",
    [
        "overflow-hidden rounded",
        "hidden md:block",
        "group-hover:hidden w-full",
        "embedded-entity",
        "media-embed embed-responsive",
        "social-housing",
        "ad-hoc-layout",
        "headline-player-of-the-year",
        "copyrighted-work",
        "menu-of-the-day",
        "shadow-lg share-price",
    ],
)
@pytest.mark.parametrize(
    "markup",
    [
        '<p class="{0}">The keeper says that the lime needs a whole winter before it bears the frost.</p>',
        '<div class="{0}"><img src="/gate.jpg" width="800" height="600" alt="The gate"></div>',
        '<div class="{0}"><figure><img src="/gate.jpg" alt="x"><figcaption>The gate.</figcaption></figure></div>',
    ],
)
def test_a_class_that_only_contains_a_telling_word_says_nothing(names: str, markup: str) -> None:
    assert len(added(page(markup.format(names)))) == 1


@pytest.mark.parametrize(
    "names", ["hidden", "ad", "social-share", "related-stories", "ads-banner", "author-box"]
)
def test_a_box_that_is_named_for_what_is_no_article_is_left_out(names: str) -> None:
    box = f'<div class="{names}"><a href="/2"><img src="/two.jpg" width="300"> The weir is to be raised</a></div>'
    found = page(box)
    assert added(found) == []
    assert Dropped("text", "The weir is to be raised") in found.dropped


@pytest.mark.parametrize(
    ("above", "below", "stated", "authors"),
    [
        ("Von Ana Lind", "", "post.example", ["Ana Lind"]),
        ("Von Ana Lind, Redakteurin 09.09.2025", "", "", ["Ana Lind"]),
        ("Text: Ana Lind", "", "POST Nachrichten", ["Ana Lind"]),
        ("", "<p>ali/dpa</p>", "Folgen", ["ali/dpa"]),
        ("", "", "Redaktion", ["Redaktion"]),
    ],
)
def test_the_paper_is_no_author_where_somebody_is_named(
    above: str, below: str, stated: str, authors: list[str]
) -> None:
    person = f'<script type="application/ld+json">{{"@type":"NewsArticle","author":{{"name":"{stated}"}}}}</script>'
    line = f"<p>{above}</p>" if above else ""
    paragraphs = "".join(f"<p>{text}</p>" for text in TEXTS)
    body = f"<article><h1>{HEADLINE}</h1>{line}<div>{paragraphs}{below}</div></article>"
    found = read_html(
        f"<html lang=de>{person if stated else ''}{body}</html>".encode(), "https://www.post.example/x"
    )
    assert [author.name for author in found.authors] == authors
    assert found.blocks == tuple(map(Paragraph, TEXTS))


def test_who_translated_or_edited_has_not_written() -> None:
    line = '<div class="byline">By <a rel="author" href="/p/ana">Ana Lind</a>, translated by Bo Ek</div>'
    assert [author.name for author in page("", above=line).authors] == ["Ana Lind"]


@pytest.mark.parametrize(
    ("lang", "head", "above", "published"),
    [
        ("en-US", "", "<div class=date>05/04/2024</div>", "2024-05-04T12:00:00+00:00"),
        ("en-GB", "", "<div class=date>05/04/2024</div>", "2024-04-05T12:00:00+00:00"),
        ("en-US", "", "<div class=date>05.04.2024</div>", "2024-04-05T12:00:00+00:00"),
        (
            "en",
            "Sat May 04 2024 10:20:30 GMT+0200 (Central European Summer Time)",
            "",
            "2024-05-04T10:20:30+02:00",
        ),
        ("en", "20240504", "", "2024-05-04T12:00:00+00:00"),
        ("en", "20240504102030", "", "2024-05-04T10:20:30+00:00"),
    ],
)
def test_a_date_is_read_as_its_place_writes_it(lang: str, head: str, above: str, published: str) -> None:
    meta = f'<meta property="article:published_time" content="{head}">' if head else ""
    found = page("", meta, lang, above=above)
    assert found.published_at is not None
    assert found.published_at.isoformat() == published


@pytest.mark.parametrize(
    "stated",
    [
        '{"@type":"NewsArticle","headline":"x","author":{"@type":"Person","name":{"@type":"Person","name":"Ana Lind"}}}',
        '{"@type":"NewsArticle","headline":"The "old" lock","description":"He said "no", she "yes".","author":{"name":"Ana Lind"}}',
    ],
)
def test_broken_and_nested_json_still_names_the_author(stated: str) -> None:
    found = page("", f'<script type="application/ld+json">{stated}</script>')
    assert [author.name for author in found.authors] == ["Ana Lind"]


def test_a_backslash_that_escapes_nothing_spoils_nothing() -> None:
    stated = r'{"@type":"NewsArticle","headline":"The keeper\'s \lock","author":{"name":"Ana Lind"}}'
    assert page("", f'<script type="application/ld+json">{stated}</script>').authors[0].name == "Ana Lind"


def test_a_standfirst_that_only_readers_see_is_the_summary() -> None:
    found = page(
        "",
        above="<header><p class='standfirst'>Four years after the flood, boats pass the mill.</p></header>",
    )
    assert found.summary == "Four years after the flood, boats pass the mill."


@pytest.mark.parametrize(
    "line",
    [
        "Anyone who finds the bell is asked to phone the keeper on 0114 496 0123.",
        "Terms of the truce",
        "Privacy",
        "Topics",
        "All rights reserved for boats, the sign above the gate has said since 1911.",
    ],
)
def test_in_a_dump_nothing_cuts_off_what_follows(line: str) -> None:
    found = read_dump("\n\n".join([HEADLINE, *TEXTS[:2], line, *TEXTS[2:]]))
    assert [getattr(block, "html", "") for block in found.blocks] == [*TEXTS[:2], line, *TEXTS[2:]]


@pytest.mark.parametrize(
    "link",
    [
        "Zum Inhalt springen",
        "Aller au contenu",
        "Ir al contenido",
        "Till innehållet",
        "跳到主要内容",
        "본문 바로가기",
    ],
)
def test_a_link_to_the_content_is_no_headline(link: str) -> None:
    assert read_dump("\n\n".join([link, HEADLINE, *TEXTS])).headline == HEADLINE


def test_a_date_beneath_the_standfirst_is_the_date() -> None:
    found = read_dump(
        "\n\n".join(
            [HEADLINE, "Boats pass the mill again after the flood.", "By Ana Lind", "4 May 2024", *TEXTS]
        )
    )
    assert found.published_at == datetime(2024, 5, 4, 12, tzinfo=UTC)
    assert "4 May 2024" not in str(found.blocks)


def bring_in(editor: httpx.Client, inside: str, head: str = "") -> httpx.Response:
    paragraphs = "".join(f"<p>{text}</p>" for text in TEXTS)
    source = f"<html lang=en><head>{head}</head><article><h1>{HEADLINE}</h1>{paragraphs[:250]}{inside}{paragraphs[250:]}</article></html>"
    return editor.post(
        f"/v1/imports?fetch_images=false&url={URL}",
        content=source.encode(),
        headers={"Content-Type": "text/html"},
    )


@pytest.mark.parametrize("ahead", [timedelta(hours=11), timedelta(hours=47)])
def test_today_is_not_the_future(editor: httpx.Client, ahead: timedelta) -> None:
    stated = now() + ahead
    head = f'<meta property="article:published_time" content="{stated.isoformat()}">'
    first = bring_in(editor, "", head).json()
    assert (first["published_at"] is None) == (ahead > timedelta(hours=24))
    again = bring_in(editor, "", head).json()
    assert (again["published_at"], again["version"]) == (first["published_at"], 1)


def test_the_answer_says_what_was_left_out(editor: httpx.Client) -> None:
    answer = bring_in(
        editor,
        '<iframe src="https://polls.example/7"></iframe><iframe src="https://player.vimeo.com/video/1"></iframe>'
        '<iframe src="https://www.dailymotion.com/embed/video/x1"></iframe><video src="/lock.mp4"></video>'
        "<table><tr><th>Month</th><th>Boats</th></tr><tr><td>May</td><td>12</td></tr></table>"
        '<div class="related-stories"><a href="/2">The weir is to be raised</a></div>',
    )
    assert answer.status_code == 201, answer.text
    article = answer.json()
    assert article["import"] == {
        "dropped": [
            {"what": "text", "where": "The weir is to be raised"},
            {"what": "embed", "where": "https://polls.example/7"},
            {"what": "video", "where": "https://post.example/lock.mp4"},
        ],
        "unfetched": [],
    }
    body = {block["type"]: block for block in article["body"]}
    assert body["embed"]["url"] == "https://player.vimeo.com/video/1"
    assert body["table"]["rows"] == [["May", "12"]]
    assert "https://www.dailymotion.com/embed/video/x1</a>" in answer.text
    assert "import" not in editor.get(f"/v1/articles/{article['id']}").json()
