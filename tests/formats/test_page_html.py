"""Saved HTML pages are read into the articles that they show."""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from html import escape

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from service.newspages import (
    Author,
    Banner,
    Block,
    FoundPicture,
    Heading,
    ItemList,
    NotAnArticle,
    Page,
    Paragraph,
    PictureBlock,
    Quote,
    read_html,
)

URL = "https://www.harbourpost.example/news/2025/ferry-line-reopens"
HEADLINE = "Ferry line reopens after the long winter storms"
SUMMARY = "Ten weeks of ice are over, and bicycles still travel free."
TEXTS = (
    "The ferry between the two islands sailed again on Monday, ten weeks after ice had closed the harbour.",
    "“We counted every day,” said the harbour master, whose office had kept a lamp burning on the pier all winter.",
    "Tickets cost what they cost last year, and bicycles still travel free of charge on every crossing before noon.",
    "The town council will meet on Thursday to decide whether a second ship should be bought for the summer season.",
)
CAPTION = "Passengers board the first ferry of the year at the old pier."


def page(body: str, head: str = "", lang: str = "en-GB") -> bytes:
    return f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'.encode()


def article(*parts: str) -> str:
    return f'<article><h1>{HEADLINE}</h1><div class="article-body">{"".join(parts)}</div></article>'


def p(text: str) -> str:
    return f"<p>{text}</p>"


def figure(
    inner: str, image: str = '<img src="/media/pier.jpg" alt="A queue on a pier" width="1200" height="800">'
) -> str:
    return f"<figure>{image}{inner}</figure>"


def read(body: str, head: str = "") -> Page:
    return read_html(page(body, head), URL)


def only_picture(found: Page) -> FoundPicture:
    (block,) = (block for block in found.blocks if isinstance(block, PictureBlock))
    return block.picture


STATED = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "WebSite", "name": "Harbour Post"},
        {
            "@type": ["NewsArticle"],
            "headline": HEADLINE,
            "datePublished": "2025-03-03T08:15:00+01:00",
            "dateModified": "2025-03-03T09:00:00Z",
            "author": [
                {"@type": "Person", "name": "Ann Lee", "url": "/people/ann-lee"},
                {"@type": "Person", "name": "Wu Min"},
            ],
            "articleSection": "Islands",
            "keywords": ["ferries", "winter", "ferries"],
            "inLanguage": "en-IE",
            "publisher": {"@type": "Organization", "name": "Harbour Post"},
        },
    ],
}
HEAD = f"""
<title>{HEADLINE} | Harbour Post</title>
<link rel="canonical" href="/news/2025/ferry-line-reopens?utm=none">
<meta property="og:title" content="{HEADLINE} | Harbour Post"><meta property="og:site_name" content="Harbour Post">
<meta property="og:description" content="{SUMMARY}">
<script type="application/ld+json">{json.dumps(STATED)}</script>
"""
WHOLE = f"""
<div id="cookie-consent" role="dialog"><h2>Your privacy</h2><p>We use cookies to count our readers. You can change your mind
 in our <a href="/cookies">cookie settings</a>.</p><button>Accept all</button><button>Reject all</button></div>
<header><nav><a href="/">Home</a><a href="/islands">Islands</a></nav></header>
<main><article><header><h1>{HEADLINE}</h1><p class="standfirst">{SUMMARY}</p></header>
{figure(f'<figcaption>{CAPTION} <span class="credit">Photo: Bo Ek/Harbour Post</span></figcaption>')}
<div class="share-buttons"><a href="https://social.example/share">Share</a></div>
<div class="article-body">
<p>{TEXTS[0]}</p><p>See <a href="/tides?a=1&amp;b=2">the <b>tides</b></a> &amp; <i>winds</i> <a href="javascript:x()">here</a>
before the first ship sails on Monday morning.</p>
<aside class="related"><h3>Related stories</h3><ul><li><a href="/ice">Ice on the lake and on the river</a></li></ul></aside>
<h2>What the captain saw</h2><p>{TEXTS[1]}</p>
<blockquote><p>We never put out the lamp.</p><footer>— Harbour master</footer></blockquote>
<p>{TEXTS[2]}</p><ol><li>Board before noon.</li><li>Bring the <em>blue</em> ticket.</li></ol><p>{TEXTS[3]}</p>
<p>(With input from Reuters)</p>
<p>Read more: <a href="/more">The winter in pictures</a></p></div>
<section class="comments"><h2>Comments</h2><p>I took that ferry every week for eleven years and never saw such ice before.</p></section>
</article></main><footer><p>Copyright © 2025 Harbour Post. All rights reserved.</p></footer>
"""


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


@pytest.mark.parametrize(
    "source",
    [b"", b" \n", b"\x00" * 99, b"plain words", b"<", b"<html></html>", page("<h1>Only a headline</h1>")],
)
def test_bytes_without_an_article_are_refused(source: bytes) -> None:
    with pytest.raises(NotAnArticle):
        read_html(source, URL)


HOSTILE = {
    "deep": article("<div>" * 100_000, p(TEXTS[0])),
    "deep inline": article("<p>" + "<b lang=x>" * 50_000, TEXTS[0]),
    "long": article(p(TEXTS[0]) * 100_000),
    "one paragraph": article(p("word " * 2_000_000)),
    "links": article('<a href="x">' * 900_000),
    "figures": article(figure("<figcaption>x</figcaption>") * 9_000, *map(p, TEXTS)),
    "pictures": article("<div><div><img src=a.jpg>t</div></div>" * 12_000, *map(p, TEXTS)),
    "banners": '<div class="cookie">we use cookies <button>OK</button></div>' * 12_000
    + article(*map(p, TEXTS)),
    "nested banners": '<div class="cookie">we use cookies' * 200 + article(*map(p, TEXTS)),
    "bylines": article("<div class=byline>" * 200, "x" * 100_000, *map(p, TEXTS)),
    "style": f'<div style="{"background:" * 200_000}">' + article(*map(p, TEXTS)),
    "json": f'<script type="application/ld+json">{"[" * 500_000}</script>' + article(*map(p, TEXTS)),
    "metas": "<meta charset=" * 200_000 + article(*map(p, TEXTS)),
    "angles": "<" * 10_000_000,
    "bad references": article(
        p("&#xD800; &#0; &#x110000;" + TEXTS[0]), '<a href="http://[::1">x</a>', *map(p, TEXTS)
    ),
    "bad base": '<base href="http://[">' + article(*map(p, TEXTS)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_costs_seconds_at_most_and_never_an_error(name: str) -> None:
    begun = time.process_time()
    with suppress(NotAnArticle):
        read_html(page(HOSTILE[name]), URL)
    assert time.process_time() - begun < 15


@pytest.mark.parametrize(
    "url", [None, "", "no address", "http://[::1", "javascript:x", "http://a:99999999/x", "\x00"]
)
@pytest.mark.parametrize("charset", [None, "", "nonsense", "hex", "unicode_escape", "idna", "\x00"])
def test_strange_addresses_and_charsets_do_no_harm(url: str | None, charset: str | None) -> None:
    found = read_html(page(article(*map(p, TEXTS), '<a href="/x">link</a>')), url, charset)
    assert found.blocks[: len(TEXTS)] == tuple(map(Paragraph, TEXTS))


@pytest.mark.slow
@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 2000), st.sampled_from([None, "utf-8", "utf-16", "shift_jis"]))
@example(b"\xff\xfe<", 0, None)
def test_any_bytes_are_an_article_or_are_refused(dirt: bytes, at: int, charset: str | None) -> None:
    source = page(WHOLE, HEAD)
    for hostile in (dirt, source[:at] + dirt + source[at:], source[:at] + dirt):
        with suppress(NotAnArticle):
            read_html(hostile, URL, charset)


_WORDS = "harbour lamp winter ferry island captain pier letter market bridge garden council teacher river library morning".split()
_TEXT = st.lists(st.sampled_from([*_WORDS, "&", "<deck>", "“quay”"]), min_size=12, max_size=50).map(
    lambda found: " ".join(found) + "."
)
_INNER: dict[type[Block], st.SearchStrategy[Block]] = {
    Paragraph: _TEXT.map(lambda text: Paragraph(escape(text, quote=False))),
    Heading: st.lists(st.sampled_from(_WORDS), min_size=2, max_size=6, unique=True).map(
        lambda found: Heading(3, " ".join(found))
    ),
    Quote: _TEXT.map(lambda text: Quote(escape(text, quote=False))),
    PictureBlock: st.builds(
        lambda name, caption, credit: PictureBlock(
            FoundPicture(f"https://www.harbourpost.example/{name}.jpg", name, caption, credit)
        ),
        st.integers(0, 10_000).map(str),
        _TEXT,
        st.sampled_from([None, "Xinhua", "Ann Lee/Getty Images"]),
    ),
}


def _markup(block: Block) -> str:
    match block:
        case Paragraph(html):
            return p(html)
        case Heading(level, html):
            return f"<h{level}>{html}</h{level}>"
        case Quote(html):
            return f"<blockquote><p>{html}</p></blockquote>"
        case PictureBlock(FoundPicture(url, alt, caption, credit)):
            owed = f" /{credit}" if credit else ""
            return figure(
                f"<figcaption>{escape(caption or '')}{owed}</figcaption>", f'<img src="{url}" alt="{alt}">'
            )
        case ItemList():
            raise AssertionError


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(*_INNER.values()), max_size=10), st.lists(_INNER[Paragraph], min_size=3, max_size=6)
)
def test_any_article_written_as_html_reads_back_as_it_was(inner: list[Block], around: list[Block]) -> None:
    written = [*around[:2], *inner, *around[2:]]
    words = [
        block.picture.caption if isinstance(block, PictureBlock) else getattr(block, "html", "")
        for block in written
    ]
    assume(len(set(words)) == len(words))
    addresses = [block.picture.url for block in written if isinstance(block, PictureBlock)]
    assume(len(set(addresses)) == len(addresses))
    found = read(article(*map(_markup, written)))
    assert list(found.blocks) == written
