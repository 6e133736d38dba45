"""Markup of a saved page becomes the block of its kind, and keeps what it says within a line."""

import pytest

from service.newspages import (
    Block,
    Code,
    Embed,
    Heading,
    ItemList,
    Paragraph,
    Quote,
    Table,
)
from tests.formats.lock_page import TEXTS, added, page


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


def test_khmer_keeps_the_spaces_that_its_lines_break_at() -> None:
    texts = ("ទ្វារ\u200bទឹក\u200bបាន\u200bបើក\u200bឡើង\u200bវិញ\u200bនៅ\u200bថ្ងៃ\u200bសៅរ៍។", *TEXTS[1:])
    assert page("<p>A stray\u200b space here is left out of the line.</p>", lang="km", texts=texts).blocks[
        0
    ] == Paragraph(texts[0])
    assert (
        Paragraph("A stray space here is left out of the line.")
        in page("<p>A stray\u200b space here is left out of the line.</p>").blocks
    )
