"""Saved HTML pages are read into the articles that they show."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from service.newspages import (
    Author,
    Banner,
    FoundPicture,
    Heading,
    ItemList,
    Paragraph,
    PictureBlock,
    Quote,
    read_html,
)
from tests.formats.ferry_page import (
    CAPTION,
    HEAD,
    HEADLINE,
    SUMMARY,
    TEXTS,
    URL,
    WHOLE,
    article,
    figure,
    only_picture,
    p,
    page,
    read,
)


def test_a_whole_page_becomes_its_article_and_nothing_else() -> None:
    found = read(WHOLE, HEAD)
    lead = FoundPicture(
        "https://www.harbourpost.example/media/pier.jpg",
        "A queue on a pier",
        CAPTION,
        "Bo Ek/Harbour Post",
        1200,
        800,
    )
    link = '<a href="https://www.harbourpost.example/tides?a=1&amp;b=2">the <strong>tides</strong></a>'
    assert found.blocks == (
        PictureBlock(lead),
        Paragraph(TEXTS[0]),
        Paragraph(f"See {link} &amp; <em>winds</em> here before the first ship sails on Monday morning."),
        Heading(2, "What the captain saw"),
        Paragraph(TEXTS[1]),
        Quote("We never put out the lamp.", "Harbour master"),
        Paragraph(TEXTS[2]),
        ItemList(ordered=True, items=("Board before noon.", "Bring the <em>blue</em> ticket.")),
        Paragraph(TEXTS[3]),
    )
    assert found.lead == lead


def test_the_facts_of_a_whole_page_are_told() -> None:
    found = read(WHOLE, HEAD)
    assert (found.headline, found.summary, found.section, found.language) == (
        HEADLINE,
        SUMMARY,
        "Islands",
        "en-IE",
    )
    assert found.authors == (
        Author("Ann Lee", "https://www.harbourpost.example/people/ann-lee"),
        Author("Wu Min"),
    )
    assert found.byline == "Ann Lee, Wu Min"
    assert found.tags == ("ferries", "winter")
    assert found.published_at == datetime(2025, 3, 3, 8, 15, tzinfo=timezone(timedelta(hours=1)))
    assert found.updated_at == datetime(2025, 3, 3, 9, 0, tzinfo=UTC)
    assert found.site == "harbourpost.example"
    assert found.canonical_url == "https://www.harbourpost.example/news/2025/ferry-line-reopens?utm=none"
    assert found.credit_line == "With input from Reuters"


def test_the_cookie_banner_keeps_its_own_words() -> None:
    assert read(WHOLE, HEAD).banner == Banner(
        title="Your privacy",
        body="We use cookies to count our readers. You can change your mind in our cookie settings.",
        accept_label="Accept all",
        reject_label="Reject all",
    )


def test_a_picture_stands_between_the_paragraphs_where_the_page_shows_it() -> None:
    found = read(
        article(p(TEXTS[0]), p(TEXTS[1]), figure(f"<figcaption>{CAPTION}</figcaption>"), p(TEXTS[2]))
    )
    assert [type(block) for block in found.blocks] == [Paragraph, Paragraph, PictureBlock, Paragraph]


@pytest.mark.parametrize(
    ("inner", "caption", "credit"),
    [
        (f"<figcaption>{CAPTION} /Xinhua</figcaption>", CAPTION, "Xinhua"),
        (f"<figcaption>{CAPTION} (AP Photo/Ann Lee)</figcaption>", CAPTION, "AP Photo/Ann Lee"),
        (
            f"<figcaption><p>{CAPTION}</p><p class='photo-credit'>© Ann Lee</p></figcaption>",
            CAPTION,
            "Ann Lee",
        ),
        (f"<figcaption>{CAPTION}<button>Share</button> Click to enlarge</figcaption>", CAPTION, None),
        (
            f"<figcaption>{CAPTION}</figcaption><figcaption class='mobile'>{CAPTION}</figcaption>",
            CAPTION,
            None,
        ),
        (
            "<figcaption><span class='copyright'>Ann Lee / Getty Images</span></figcaption>",
            None,
            "Ann Lee / Getty Images",
        ),
        ("<figcaption></figcaption>", None, None),
    ],
)
def test_the_caption_is_neither_alt_nor_credit_nor_instruction(
    inner: str, caption: str | None, credit: str | None
) -> None:
    picture = only_picture(read(article(p(TEXTS[0]), figure(inner), p(TEXTS[1]), p(TEXTS[2]))))
    assert (picture.caption, picture.credit, picture.alt) == (caption, credit, "A queue on a pier")


@pytest.mark.parametrize(
    "markup",
    [
        '<div class="wp-block"><img src="/media/pier.jpg"><p class="image-caption">{0}</p></div>',
        '<div><div><img src="/media/pier.jpg"></div><div class="x1">{0}</div></div>',
        '<div class="image-widget"><img src="/media/pier.jpg"><p>{0}</p></div>',
        '<div class="photo"><figure><img data-src="/media/pier.jpg" src="data:image/gif;base64,xx"></figure><span class="legend">{0}</span></div>',
    ],
)
def test_a_caption_is_found_outside_a_figure_too(markup: str) -> None:
    found = read(article(p(TEXTS[0]), markup.format(CAPTION), p(TEXTS[1]), p(TEXTS[2])))
    picture = only_picture(found)
    assert (picture.caption, picture.url) == (CAPTION, "https://www.harbourpost.example/media/pier.jpg")
    assert sum(CAPTION in str(block) for block in found.blocks) == 1


def test_teasers_icons_and_repeated_pictures_are_no_pictures_of_the_article() -> None:
    lead = figure(f"<figcaption>{CAPTION}</figcaption>")
    teaser = '<a href="/other-story"><img src="/media/other.jpg" alt="Another story"></a>'
    icon = '<img src="/media/dot.png" width="16" height="16"><img src="/p.gif" width="1" height="1">'
    found = read(article(lead, p(TEXTS[0]), teaser, p(TEXTS[1]), icon, lead, p(TEXTS[2])))
    assert [type(block) for block in found.blocks] == [PictureBlock, Paragraph, Paragraph, Paragraph]


def test_a_page_that_shows_no_picture_may_name_one() -> None:
    found = read(
        article(*map(p, TEXTS)),
        '<meta property="og:image" content="/media/social.jpg"><meta property="og:image:alt" content="A pier">',
    )
    assert found.lead == FoundPicture("https://www.harbourpost.example/media/social.jpg", "A pier")
    assert found.blocks == tuple(map(Paragraph, TEXTS))


def test_microdata_and_visible_marks_serve_where_no_json_is() -> None:
    marks = '<div class="byline">By <a rel="author" href="/people/ann-lee">Ann Lee</a></div><time datetime="2025-03-03T08:15:00Z">Monday</time>'
    found = read(article(marks, *map(p, TEXTS)))
    assert found.authors == (Author("Ann Lee", "https://www.harbourpost.example/people/ann-lee"),)
    assert found.published_at == datetime(2025, 3, 3, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "shown",
    ['<span class="date">erstellt: 03. März 2025, 08:15</span>', '<p class="pubdate">Le 3 mars 2025</p>'],
)
def test_a_date_that_only_readers_see_is_read(shown: str) -> None:
    stated = read(article(shown.replace("Le ", ""), *map(p, TEXTS))).published_at
    assert stated is not None
    assert stated.date() == datetime(2025, 3, 3, tzinfo=UTC).date()


def test_broken_and_strange_json_is_passed_over() -> None:
    broken = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": </script>'
    strange = '<script type="application/ld+json">[{"@type":["NewsArticle",3],"headline":{"a":1},"author":[null,3,"Ann Lee"],"datePublished":2025}]</script>'
    found = read(article(*map(p, TEXTS)), broken + strange)
    assert (found.headline, found.authors, found.published_at) == (HEADLINE, (Author("Ann Lee"),), None)


def test_an_icon_is_no_picture_of_the_article() -> None:
    found = read(
        article(p(TEXTS[0]), '<div><img src="/icons/print.svg" width="300"></div>', p(TEXTS[1]), p(TEXTS[2]))
    )
    assert found.blocks == tuple(map(Paragraph, TEXTS[:3]))


def test_an_address_that_pictures_share_is_that_of_a_placeholder() -> None:
    shown = [
        figure(f"<figcaption>{text}</figcaption>", '<img src="/wait.png" alt="">')
        for text in ("Ice.", "Snow on the quay.", "Rain.")
    ]
    found = read(article(p(TEXTS[0]), *shown, p(TEXTS[1]), p(TEXTS[2])))
    pictures = [block.picture for block in found.blocks if isinstance(block, PictureBlock)]
    assert [picture.caption for picture in pictures] == ["Ice.", "Snow on the quay.", "Rain."]
    assert {picture.url for picture in pictures} == {None}


@pytest.mark.parametrize(
    ("stated", "read_as"),
    [
        ("2026-05-04", "2026-05-04T12:00:00+00:00"),
        ("2026-05-04T00:00:00+09:00", "2026-05-04T12:00:00+00:00"),
        ("2026-05-04T00:00:00Z", "2026-05-04T00:00:00+00:00"),
        ("2026-05-04T08:00:00+09:00", "2026-05-04T08:00:00+09:00"),
        ("4 May 2026", "2026-05-04T12:00:00+00:00"),
    ],
)
def test_a_day_without_a_time_stays_that_day_in_every_zone(stated: str, read_as: str) -> None:
    head = f'<meta property="article:published_time" content="{stated}">'
    found = read_html(page(article(*map(p, TEXTS)), head), URL)
    assert found.published_at is not None
    assert found.published_at.isoformat() == read_as


def test_a_headline_that_two_words_differently_is_not_the_older_one_of_opengraph() -> None:
    head = """<meta property="og:title" content="Island bakery may get a boat in time for the old summer fair">
    <script type="application/ld+json">{"@type": "NewsArticle", "headline": "Northhead bakery: boat for islanders sails again from Monday morning"}</script>"""
    body = f"<article><h1>Northhead bakery boat for islanders sails again from Monday</h1>{''.join(map(p, TEXTS))}</article>"
    assert (
        read_html(page(body, head), URL).headline
        == "Northhead bakery boat for islanders sails again from Monday"
    )


def test_text_that_is_divided_by_line_breaks_alone_is_paragraphs() -> None:
    found = read(f"<h1>{HEADLINE}</h1><div class='text'>{'<br><br>'.join(TEXTS)}</div>")
    assert found.blocks == tuple(map(Paragraph, TEXTS))


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "cp1252", "iso-8859-1"])
@pytest.mark.parametrize("claimed", ["right", "wrong", "none"])
def test_the_text_is_read_whatever_charset_is_claimed(charset: str, claimed: str) -> None:
    text = "Où sont passées les clés du phare ? Nul ne l’a su, à l’été déjà fini, près de la jetée où l'on dînait."
    encoded = text.replace("’", "'")
    source = f"<html lang=fr><h1>Les clés du phare perdues</h1>{p(encoded)}{p(TEXTS[0])}</html>".encode(
        charset
    )
    found = read_html(source, URL, {"right": charset, "wrong": "utf-8", "none": None}[claimed])
    assert found.blocks[0] == Paragraph(encoded)


def test_a_page_in_japanese_is_read() -> None:
    texts = [
        "二つの島を結ぶフェリーは月曜日、氷で港が閉ざされてから十週間ぶりに運航を再開した。",
        "港長は「毎日数えていた」と話し、事務所は冬の間ずっと桟橋に明かりをともし続けたという。",
        "料金は去年と変わらず、自転車は正午までのすべての便で無料のまま運ばれる予定である。",
    ]
    figure_ja = figure(
        "<figcaption>今年最初の便に乗る人たち＝三月三日、古い桟橋で、山田太郎撮影</figcaption>"
    )
    source = f"<article><h1>冬の嵐を越えてフェリーが再開</h1><div>{p(texts[0])}{figure_ja}{p(texts[1])}{p(texts[2])}</div></article>"
    found = read_html(page(source, lang=""), URL)
    assert (found.headline, found.language) == ("冬の嵐を越えてフェリーが再開", "ja")
    assert [block.html for block in found.blocks if isinstance(block, Paragraph)] == texts
    picture = only_picture(found)
    assert (picture.caption, picture.credit) == ("今年最初の便に乗る人たち＝三月三日、古い桟橋で", "山田太郎")
