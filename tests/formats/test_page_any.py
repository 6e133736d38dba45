"""Any article that is written as HTML reads back as it was, and any other bytes do no harm."""

import time
from contextlib import suppress
from html import escape

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from service.newspages import (
    Block,
    FoundPicture,
    Heading,
    ItemList,
    NotAnArticle,
    Paragraph,
    PictureBlock,
    Quote,
    read_html,
)
from tests.formats.ferry_page import HEAD, TEXTS, URL, WHOLE, article, figure, p, page, read


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
