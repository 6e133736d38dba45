"""A pattern alone deletes no text and no picture: each kind of markup and wording that importers stumble over
is read for what it says.
"""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from service.newspages import (
    Block,
    Code,
    Dropped,
    Embed,
    FoundPicture,
    Heading,
    ItemList,
    Page,
    Paragraph,
    PictureBlock,
    Quote,
    Table,
    read_dump,
    read_html,
)
from service.newspages.addresses import srcset
from service.newspages.credits import split_credit
from service.tables import now

URL = "https://post.example/lock"
HEADLINE = "The old canal lock opens again"
TEXTS = (
    "The lock beneath the mill opened on Saturday, four years after its gates had been carried away by the flood.",
    "Masons from two villages rebuilt the chamber stone by stone, with lime that was burnt in the quarry above it.",
    "The first boat through was a barge with apples, whose skipper had waited below the weir since the early morning.",
    "From next week the keeper will be there every day, and who wants to pass at night must ring the bell twice.",
)
MIDDLE = "PLACE"


def page(
    inside: str, head: str = "", lang: str = "en", texts: tuple[str, ...] = TEXTS, above: str = ""
) -> Page:
    paragraphs = [f"<p>{text}</p>" for text in texts]
    body = "".join([*paragraphs[:2], inside, *paragraphs[2:]])
    markup = f"<main><article><h1>{HEADLINE}</h1>{above}<div class=story>{body}</div></article></main>"
    source = f"<!doctype html><html lang={lang}><head><meta charset=utf-8>{head}</head><body>{markup}</body></html>"
    return read_html(source.encode(), URL)


def added(found: Page) -> list[Block]:
    """What the page has beside its four paragraphs."""
    return [block for block in found.blocks if block not in tuple(map(Paragraph, TEXTS))]


def pictures(found: Page) -> list[tuple[str | None, str | None]]:
    return [(b.picture.url, b.picture.caption) for b in found.blocks if isinstance(b, PictureBlock)]


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


REAL = "https://post.example/real.jpg"
DATA = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


@pytest.mark.parametrize(
    "image",
    [
        '<img src="/assets/1x1.gif" data-src="/real.jpg">',
        '<img src="/assets/lazy.png" data-original="/real.jpg" width="800" height="600">',
        f'<img src="{DATA}" data-lazyload="/real.jpg">',
        f'<img src="{DATA}" data-td-src-property="https://post.example/real.jpg">',
        f'<picture><source srcset="/small.jpg 400w, /real.jpg 1600w"><img src="{DATA}" alt="x"></picture>',
        f'<picture><source data-srcset="/real.jpg"><img src="{DATA}"></picture>',
        f'<img class="lazy" src="{DATA}"><noscript><img src="/real.jpg"></noscript>',
        '<img src="/small.jpg" srcset="/small.jpg 400w,/real.jpg 1600w" width="400">',
        '<img src="/small.jpg" srcset="/small.jpg, /real.jpg 2x">',
        '<a href="/real.jpg"><img src="/assets/spacer.gif"></a>',
        '<amp-img src="/real.jpg" width="800" height="600"></amp-img>',
        '<img data-src="https://post.example/{width}.jpg" data-widths="[320, 640]">',
        '<div style="background-image: url(/real.jpg)"></div>',
    ],
)
def test_the_real_address_is_found_behind_the_placeholder(image: str) -> None:
    found = page(f"<figure>{image}<figcaption>The gate by night.</figcaption></figure>")
    real = "https://post.example/640.jpg" if "{width}" in image else REAL
    assert pictures(found) == [(real, "The gate by night.")]


def test_a_srcset_is_read_as_the_standard_says() -> None:
    value = " https://c.example/w_400,h_300/a.jpg 400w,  /b.jpg 2x,,/c.jpg, /d.jpg 100w (x,y) 5h ,/e,f.jpg"
    assert list(srcset(value)) == [
        ("https://c.example/w_400,h_300/a.jpg", 400.0, None),
        ("/b.jpg", None, 2.0),
        ("/c.jpg", None, None),
        ("/d.jpg", 100.0, None),
        ("/e,f.jpg", None, None),
    ]


FIRST, SECOND = "https://post.example/a1.jpg", "https://post.example/b2.jpg"


@pytest.mark.parametrize(
    ("markup", "shown", "beside"),
    [
        (
            '<figure><img src="/a1.jpg" alt="Left"><img src="/b2.jpg" alt="Right">'
            "<figcaption>Before and after.</figcaption></figure>",
            [(FIRST, "Before and after."), (SECOND, None)],
            [],
        ),
        (
            '<figure><figure><img src="/a1.jpg"><figcaption>One.</figcaption></figure><figure><img src="/b2.jpg">'
            "<figcaption>Two.</figcaption></figure><figcaption>All from that week.</figcaption></figure>",
            [(FIRST, "One."), (SECOND, "Two.")],
            [Paragraph("All from that week.")],
        ),
        (
            '<figure><img src="/a1-1600x900.jpg" class="desktop"><img src="/a1-400x300.jpg" class="mobile">'
            "<figcaption>One picture in two sizes.</figcaption></figure>",
            [("https://post.example/a1-1600x900.jpg", "One picture in two sizes.")],
            [],
        ),
        (
            '<img src="/i.php?id=1" width="800"><img src="/i.php?id=2" width="800">',
            [("https://post.example/i.php?id=1", None), ("https://post.example/i.php?id=2", None)],
            [],
        ),
        (
            '<p><a href="/2024/lock/a1/"><img class="size-medium wp-image-7" src="/a1.jpg" width="300"></a></p>',
            [(FIRST, None)],
            [],
        ),
        (
            '<p><a href="/media/gate/"><img src="/gate-300x200.jpg" width="300"></a></p>',
            [("https://post.example/gate-300x200.jpg", None)],
            [],
        ),
        (
            '<table class="tr-caption-container"><tr><td><a href="/a1.jpg"><img src="/s/a1.jpg" width="640"></a></td></tr>'
            '<tr><td class="tr-caption">The lock.</td></tr></table>',
            [(FIRST, "The lock.")],
            [],
        ),
        (
            '<figure><video poster="/a1.jpg" src="/x.mp4"></video><figcaption>The first boat.</figcaption></figure>',
            [(FIRST, "The first boat.")],
            [],
        ),
    ],
)
def test_each_picture_is_kept_with_its_own_caption(
    markup: str, shown: list[tuple[str, str | None]], beside: list[Block]
) -> None:
    found = page(markup)
    assert pictures(found) == shown
    assert [block for block in added(found) if not isinstance(block, PictureBlock)] == beside


@pytest.mark.parametrize(
    ("said", "caption", "credit"),
    [
        ("Caption number one of the gate.", "Caption number one of the gate.", None),
        ("Image caption, The gate by night.", "The gate by night.", None),
        (
            "Image source, Ana Lind/Post Image caption, The gate by night.",
            "The gate by night.",
            "Ana Lind/Post",
        ),
        ("Legende: Das Tor bei Nacht.", "Das Tor bei Nacht.", None),
        ("Legende und Wahrheit am Tor.", "Legende und Wahrheit am Tor.", None),
        ("Back to video The gate by night.", "The gate by night.", None),
        ("The gate by night. <span>Ana Lind for Post</span>", "The gate by night.", "Ana Lind for Post"),
        ("The gate by night. Ana Lind for The Post", "The gate by night.", "Ana Lind for The Post"),
        ("Vartai naktį. / Ana Lind / BNS nuotr.", "Vartai naktį.", "Ana Lind / BNS"),
        ("The gate by night. Supplied", "The gate by night.", "Supplied"),
        ("Foto: Ana Lind. Styling: Bo Ek", None, "Ana Lind. Styling: Bo Ek"),
        ("The gate by night, as <em>Night Gate</em>", "The gate by night, as Night Gate", None),
    ],
)
def test_labels_and_credits_are_no_part_of_the_caption(
    said: str, caption: str | None, credit: str | None
) -> None:
    (block,) = added(page(f"<figure><img src='/gate.jpg'><figcaption>{said}</figcaption></figure>"))
    assert isinstance(block, PictureBlock)
    assert (block.picture.caption, block.picture.credit) == (caption, credit)


@pytest.mark.parametrize(
    "box",
    [
        '<div class="media-image"><img src="/face.jpg" width=99><div>Von Ida Holm, Redakteurin 09.09.2025</div></div>',
        '<div class="media-image"><img src="/ear.jpg" width=640><p class="image-caption">Audio: Radio | 24.04.2024</p></div>',
        '<a href="/2" class="teaser"><figure><img src="/two.jpg"><figcaption><h3>The weir is to be raised</h3></figcaption></figure></a>',
    ],
)
def test_portraits_players_and_teasers_are_no_pictures_of_the_story(box: str) -> None:
    assert added(page(box)) == []


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


def test_the_picture_for_others_stands_in_for_a_lead_without_a_file() -> None:
    figure = f'<figure><img src="{DATA}"><figcaption>The gate.</figcaption></figure>'
    found = page(figure, '<meta property="og:image" content="/og.jpg">')
    assert found.lead == FoundPicture("https://post.example/og.jpg", caption="The gate.")
    assert pictures(found) == [("https://post.example/og.jpg", "The gate.")]


@pytest.mark.parametrize(
    ("markup", "block"),
    [
        (
            'Norway <img class="emoji" alt="🇳🇴" src="/1f1f3.svg"> beat the lock <img alt="⚓" src="/s.png"> team by two.',
            "Norway 🇳🇴 beat the lock ⚓ team by two.",
        ),
        (
            "The mayor said <q>not this <q>time</q></q> and left.",
            "The mayor said “not this “time”” and left.",
        ),
        ("It cost <del>12</del> <ins>15</ins> crowns to pass.", "It cost <ins>15</ins> crowns to pass."),
        (
            "The sign says <ruby>水門<rt>すいもん</rt></ruby> in blue.",
            "The sign says <ruby>水門<rp>（</rp><rt>すいもん</rt><rp>）</rp></ruby> in blue.",
        ),
        (
            "The sign says <ruby>水<rp>(</rp><rt>すい</rt><rp>)</rp></ruby> in <b>blue</b>, <s>green</s>.",
            "The sign says <ruby>水<rp>（</rp><rt>すい</rt><rp>）</rp></ruby> in <strong>blue</strong>, <s>green</s>.",
        ),
        ('Call <a href="tel:+4411">the keeper</a> first.', 'Call <a href="tel:+4411">the keeper</a> first.'),
    ],
)
def test_what_markup_says_within_a_line_is_kept(markup: str, block: str) -> None:
    assert added(page(f"<p>{markup}</p>")) == [Paragraph(block)]


@pytest.mark.parametrize(
    ("lang", "said"), [("fr", "« non »"), ("de", "„non“"), ("ja", "「non」"), ("en", "“non”")]
)
def test_quotation_marks_are_those_of_the_language(lang: str, said: str) -> None:
    line = "Le maire a dit <q>non</q> hier soir."
    assert page(f"<p>{line}</p>", lang=lang).blocks[2] == Paragraph(
        f"Le maire a dit {said.replace(' ', '')} hier soir."
    )


VIDEO = Embed("https://www.youtube.com/watch?v=abc-123_x")
TWEET = '<blockquote class="twitter-tweet"><p>We open!</p>— Lock <a href="https://twitter.com/lock/status/42?s=1">3 May</a></blockquote>'


@pytest.mark.parametrize(
    ("markup", "blocks"),
    [
        (
            '<figure><iframe src="//www.youtube-nocookie.com/embed/abc-123_x?rel=0"></iframe><figcaption>The crane.</figcaption></figure>',
            [VIDEO, Paragraph("The crane.")],
        ),
        ('<div class="video-player"><iframe data-src="https://youtu.be/abc-123_x"></iframe></div>', [VIDEO]),
        ('<amp-youtube data-videoid="abc-123_x"></amp-youtube>', [VIDEO]),
        (
            '<figure class="wp-block-embed"><div class="wp-block-embed__wrapper">\nhttps://www.youtube.com/watch?v=abc-123_x\n</div></figure>',
            [VIDEO],
        ),
        ("<p>https://vimeo.com/76979871</p>", [Embed("https://player.vimeo.com/video/76979871")]),
        (
            '<div class="tweet" data-tweet-id="424242424242"></div>',
            [Embed("https://x.com/i/status/424242424242")],
        ),
        (
            "<figure class=wp-block-table><table><tr><td>May</td><td>12</td></tr><tr><td>June</td><td>9</td></tr></table>"
            "<figcaption>Boats a month.</figcaption></figure>",
            [Table((("May", "12"), ("June", "9"))), Paragraph("Boats a month.")],
        ),
        (TWEET, [Embed("https://twitter.com/lock/status/42")]),
        (
            "<figure><blockquote><p>We never sleep.</p></blockquote><figcaption>Ida Holm, keeper</figcaption></figure>",
            [Quote("We never sleep.", "Ida Holm, keeper")],
        ),
        (
            "<table><caption>Boats</caption><tr><th>Month</th><th>Boats</th></tr><tr><td>May</td><td><b>12</b></td></tr></table>",
            [Table((("May", "<strong>12</strong>"),), (("Month", "Boats"),), "Boats")],
        ),
        (
            "<table><tr><td>May</td><td>12</td></tr><tr><td>June</td><td></td></tr></table>",
            [Table((("May", "12"), ("June", "")))],
        ),
        (
            "<table><tr><td><p>The keeper lives above the gate all year.</p></td></tr></table>",
            [Paragraph("The keeper lives above the gate all year.")],
        ),
        (
            "<pre><code class='language-sh'>open --gate\n  --slowly</code></pre>",
            [Code("open --gate\n  --slowly", "sh")],
        ),
        ("<section><header><h2>Who pays for it</h2></header></section>", [Heading(2, "Who pays for it")]),
        (
            "<ul><li>Boats<ul><li>Barges</li><li>Skiffs</li></ul></li><li>Rafts</li></ul>",
            [ItemList(ordered=False, items=("Boats", "Barges", "Skiffs", "Rafts"))],
        ),
    ],
)
def test_what_is_no_paragraph_becomes_a_block_of_its_kind(markup: str, blocks: list[Block]) -> None:
    assert added(page(markup)) == blocks


def test_a_list_or_table_longer_than_a_block_goes_on_in_another() -> None:
    items = "".join(f"<li>Boat number {at} of the first year.</li>" for at in range(600))
    rows = "".join(f"<tr><td>{at}</td><td>boat</td></tr>" for at in range(600))
    heads = "<tr><th>No</th><th>Kind</th></tr>"
    lists = [b for b in added(page(f"<ol>{items}</ol>")) if isinstance(b, ItemList)]
    tables = [b for b in added(page(f"<table>{heads}{rows}</table>")) if isinstance(b, Table)]
    assert [len(each.items) for each in lists] == [500, 100]
    assert [(len(each.rows), each.header) for each in tables] == [
        (500, (("No", "Kind"),)),
        (100, (("No", "Kind"),)),
    ]


@pytest.mark.parametrize(
    ("caption", "said", "credit"),
    [
        ("Foto de archivo de la esclusa en 2019.", "Foto de archivo de la esclusa en 2019.", None),
        ("Fotos von Opfern der Flut am Wehr", "Fotos von Opfern der Flut am Wehr", None),
        ("Foto di gruppo davanti alla chiusa", "Foto di gruppo davanti alla chiusa", None),
        ("La esclusa de noche. Foto de Ana Lind", "La esclusa de noche.", "Ana Lind"),
        ("Die Schleuse bei Nacht. Foto von Ana Lind", "Die Schleuse bei Nacht.", "Ana Lind"),
        ("Fotos von Ana Lind", "", "Ana Lind"),
        ("Bild: Blick auf das alte Tor bei der Mühle", "Blick auf das alte Tor bei der Mühle", None),
        ("Photo: courtesy of the family of the keeper", "", "the family of the keeper"),
    ],
)
def test_what_a_picture_is_of_is_no_credit(caption: str, said: str, credit: str | None) -> None:
    assert split_credit(caption) == (said, credit)


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


def test_khmer_keeps_the_spaces_that_its_lines_break_at() -> None:
    texts = ("ទ្វារ\u200bទឹក\u200bបាន\u200bបើក\u200bឡើង\u200bវិញ\u200bនៅ\u200bថ្ងៃ\u200bសៅរ៍។", *TEXTS[1:])
    assert page("<p>A stray\u200b space here is left out of the line.</p>", lang="km", texts=texts).blocks[
        0
    ] == Paragraph(texts[0])
    assert (
        Paragraph("A stray space here is left out of the line.")
        in page("<p>A stray\u200b space here is left out of the line.</p>").blocks
    )


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
