"""Each picture of a saved page is found behind whatever markup it has, with its own caption and credit."""

import pytest

from service.newspages import (
    Block,
    FoundPicture,
    Paragraph,
    PictureBlock,
)
from service.newspages.addresses import srcset
from service.newspages.credits import split_credit
from tests.formats.lock_page import DATA, added, page, pictures

REAL = "https://post.example/real.jpg"


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


def test_the_picture_for_others_stands_in_for_a_lead_without_a_file() -> None:
    figure = f'<figure><img src="{DATA}"><figcaption>The gate.</figcaption></figure>'
    found = page(figure, '<meta property="og:image" content="/og.jpg">')
    assert found.lead == FoundPicture("https://post.example/og.jpg", caption="The gate.")
    assert pictures(found) == [("https://post.example/og.jpg", "The gate.")]


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
