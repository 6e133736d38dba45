"""The text, the pictures and the credits of a page are told apart whatever its makers named and
nested them.
"""

import json

import pytest

from service.newspages import Heading, Page, Paragraph, PictureBlock, read_html
from service.newspages.credits import bare_credit, split_credit

URL = "https://www.kystavisen.example/sak/1"
HEADLINE = "The lighthouse keeper goes ashore"
TEXTS = (
    "The keeper of the outermost lighthouse carried his last crate ashore on Friday, after thirty-one winters among the gulls.",
    "From now on a small computer in the cellar will decide when the lamp is lit and when the horn is sounded in fog.",
    "The keeper has taken a room above the bakery, from where, he says, one can see the tower on every clear evening.",
    "What becomes of the house beside the tower will be decided by the council before the first ice of the new winter.",
)


def p(text: str) -> str:
    return f"<p>{text}</p>"


def read(body: str, head: str = "") -> Page:
    return read_html(f"<html lang='en'><head>{head}</head><body>{body}</body></html>".encode(), URL)


def texts(found: Page) -> tuple[str, ...]:
    return tuple(block.html for block in found.blocks if isinstance(block, Paragraph))


def test_a_heading_of_the_first_level_beneath_the_text_does_not_hide_the_text() -> None:
    section = "<h1>A tower with a history</h1>"
    found = read(
        f"<h1>{HEADLINE}</h1><article>{p(TEXTS[0])}{p(TEXTS[1])}{section}{p(TEXTS[2])}{p(TEXTS[3])}</article>"
    )
    assert texts(found) == TEXTS
    assert Heading(2, "A tower with a history") in found.blocks


def test_a_box_with_a_heading_of_the_first_level_does_not_hide_the_text_above_it() -> None:
    box = "<aside class='related'><h1>Read also:</h1><h2>Ice on the river</h2></aside>"
    assert (
        texts(
            read(
                f"<article><h1>{HEADLINE}</h1><div>{''.join(map(p, TEXTS[:2]))}{box}{''.join(map(p, TEXTS[2:]))}</div></article>"
            )
        )
        == TEXTS
    )


@pytest.mark.parametrize(
    "names",
    [
        "field field--name-body field--label-hidden field__item",
        "post type-post status-publish hentry category-comments tag-social tag-related",
        "story has-sidebar with-related-links",
    ],
)
def test_what_a_box_lacks_or_is_filed_under_does_not_make_it_an_aside(names: str) -> None:
    sections = "".join(f"<section class='{names}'>{p(text)}</section>" for text in TEXTS)
    assert texts(read(f"<main><h1>{HEADLINE}</h1><div>{sections}</div></main>")) == TEXTS


def test_names_that_would_hide_most_of_the_text_mean_something_else_on_that_page() -> None:
    styled = "".join(f"<p class='tagStyle_x{index}'>{text}</p>" for index, text in enumerate(TEXTS))
    assert texts(read(f"<main><h1>{HEADLINE}</h1><div>{styled}</div></main>")) == TEXTS


def test_paragraphs_may_be_written_as_divisions() -> None:
    assert (
        texts(
            read(
                f"<main><h1>{HEADLINE}</h1><div>{''.join(f'<div>{text}</div>' for text in TEXTS)}</div></main>"
            )
        )
        == TEXTS
    )


@pytest.mark.parametrize(
    "line",
    [
        'FUNDA FUTHI | <a href="/2">Kuboshwe abahlanu ngokuntshontsha isikebhe</a>',
        '<strong>Les også: <a href="/2">Isen på elven kom tidlig i år</a></strong>',
        'Czytaj też: <a href="/2">Lód na rzece przyszedł wcześniej niż zwykle</a>',
        "Leia também: O gelo chegou cedo ao rio neste ano, dizem pescadores.",
        "İlginizi çekebilir: Nehirdeki buz bu yıl erken geldi, diyor balıkçılar.",
        "Читайте также: Лёд на реке встал раньше обычного, говорят рыбаки.",
        "קראו גם: הקרח הגיע מוקדם השנה אל הנהר, כך אומרים הדייגים.",
    ],
)
def test_a_line_that_points_to_another_story_is_no_paragraph(line: str) -> None:
    body = "".join(map(p, (*TEXTS[:2], line, *TEXTS[2:])))
    assert texts(read(f"<article><h1>{HEADLINE}</h1><div>{body}</div></article>")) == TEXTS


def test_a_label_before_a_link_within_a_sentence_stays() -> None:
    line = 'The keeper wrote: <a href="https://kystavisen.example/2">a letter to the council of the island</a> and never sent it.'
    assert line in texts(
        read(f"<article><h1>{HEADLINE}</h1><div>{''.join(map(p, (*TEXTS, line)))}</div></article>")
    )


def test_text_that_scripts_paint_is_taken_from_where_the_page_states_it() -> None:
    stated = json.dumps({"@type": "NewsArticle", "headline": HEADLINE, "articleBody": "\n\n".join(TEXTS)})
    assert texts(read(f"<div id='app'></div><script type='application/ld+json'>{stated}</script>")) == TEXTS


@pytest.mark.parametrize(
    ("caption", "said", "credit"),
    [
        ("The tower at dusk. Foto: Kari Nes/TT", "The tower at dusk.", "Kari Nes/TT"),
        ("The tower at dusk. Foto © Kari Nes", "The tower at dusk.", "Kari Nes"),
        ("The tower at dusk © Kari Nes", "The tower at dusk", "Kari Nes"),
        ("The tower at dusk. | Bild: dpa/Kari Nes", "The tower at dusk.", "dpa/Kari Nes"),
        ("Der Turm im Abendlicht / picture alliance", "Der Turm im Abendlicht", "picture alliance"),
        ("Der Turm am Abend. (Archivfoto: K. Nes)", "Der Turm am Abend.", "K. Nes"),
        ("Wieża o zmierzchu. Fot. Kari Nes / PAP", "Wieża o zmierzchu.", "Kari Nes / PAP"),
        (
            "O farol ao entardecer. — Foto: Reprodução/Kari Nes",
            "O farol ao entardecer.",
            "Reprodução/Kari Nes",
        ),
        ("El faro al atardecer (AP Foto/Kari Nes)", "El faro al atardecer", "AP Foto/Kari Nes"),
        ("Deniz feneri. (Fotoğraf: DHA)", "Deniz feneri.", "DHA"),
        ("해 질 녘의 등대. 사진=연합뉴스", "해 질 녘의 등대.", "연합뉴스"),
        ("해 질 녘의 등대. ⓒ 뉴스1", "해 질 녘의 등대.", "뉴스1"),
        ("黄昏的灯塔（图源：路透社）", "黄昏的灯塔", "路透社"),
        ("The heights of the towers. Quelle: Kystverket", "The heights of the towers.", "Kystverket"),
        (
            "The keeper looks for the source: a spring below the rock",
            "The keeper looks for the source: a spring below the rock",
            None,
        ),
        ("The tower seen from the west/east ferry", "The tower seen from the west/east ferry", None),
    ],
)
def test_credits_are_taken_out_of_captions_in_many_languages(
    caption: str, said: str, credit: str | None
) -> None:
    assert split_credit(caption) == (said, credit)


def test_brackets_that_belong_to_a_credit_stay_with_it() -> None:
    assert bare_credit("Kari Nes / stock.example (detail)") == "Kari Nes / stock.example (detail)"
    assert bare_credit("(Foto: Kari Nes/VCG)") == "Kari Nes/VCG"
    assert bare_credit("Bild:") == ""


def test_a_label_alone_is_no_credit_of_a_picture() -> None:
    shown = "<figure><img src='/t.jpg'><figcaption>The tower at dusk.<span class='credit'>Foto:</span></figcaption></figure>"
    found = read(f"<article><h1>{HEADLINE}</h1>{shown}{''.join(map(p, TEXTS))}</article>")
    (picture,) = (block.picture for block in found.blocks if isinstance(block, PictureBlock))
    assert (picture.caption, picture.credit) == ("The tower at dusk.", None)
