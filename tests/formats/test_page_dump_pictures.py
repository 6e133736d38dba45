"""A dump repeats the captions of its pictures: each becomes one picture, with its credit and in its place."""

import pytest

from service.newspages import (
    FoundPicture,
    PictureBlock,
    read_dump,
)
from tests.formats.ferry_dump import (
    CAPTION,
    FIRST,
    HEADLINE,
    OTHER,
    SECOND,
    dump,
    paragraphs,
    pictures,
    three,
)


@pytest.mark.parametrize("joint", ["\n", "\n\n", "\r\n", "\n \u00a0\n", "  \n\t"])
@pytest.mark.parametrize("copies", [2, 3, 4])
def test_a_caption_repeated_in_any_layout_is_one_caption(joint: str, copies: int) -> None:
    page = read_dump(dump(HEADLINE, joint.join([f"{CAPTION} /VCG"] * copies), FIRST, SECOND))
    assert pictures(page) == [FoundPicture(caption=CAPTION, credit="VCG")]
    assert paragraphs(page) == [FIRST, SECOND]


def test_copies_that_differ_in_spacing_or_lack_the_credit_are_one_caption() -> None:
    copies = f"{CAPTION.replace(' ', '  ', 2)}/VCG\n{CAPTION}\n\n{CAPTION.replace(' ', chr(160), 3)} /VCG"
    assert pictures(read_dump(dump(HEADLINE, FIRST, copies, SECOND))) == [
        FoundPicture(caption=CAPTION, credit="VCG")
    ]


def test_two_pictures_side_by_side_stay_two() -> None:
    page = read_dump(dump(HEADLINE, FIRST, three(f"{CAPTION} /VCG"), three(OTHER), SECOND))
    assert pictures(page) == [FoundPicture(caption=CAPTION, credit="VCG"), FoundPicture(caption=OTHER)]


@pytest.mark.parametrize(
    ("tail", "credit"),
    [
        (" /Xinhua", "Xinhua"),
        ("/VCG", "VCG"),
        (" /Reuters/Ann Lee", "Reuters/Ann Lee"),
        (" Photo: Ann Lee", "Ann Lee"),
        (" Photo by Ann Lee", "Ann Lee"),
        (" (AP Photo/Ann Lee)", "AP Photo/Ann Lee"),
        (" [Photo by Ann Lee/VCG]", "Ann Lee/VCG"),
        (" (Photo: Ann Lee)", "Ann Lee"),
        (" (Reuters)", "Reuters"),
        (" Getty Images", "Getty Images"),
        (" Ann Lee/Getty Images", "Ann Lee/Getty Images"),
        (" Xinhua/Wu Min", "Xinhua/Wu Min"),
        (" © Ann Lee / AFP", "Ann Lee / AFP"),
        (" Image credit: Ann Lee", "Ann Lee"),
        (" | AFP", "AFP"),
        (" – Reuters", "Reuters"),
        (" Foto: dpa", "dpa"),
        ("", None),
        (" (left)", None),
    ],
)
def test_the_credit_in_a_captions_tail_goes_to_the_picture(tail: str, credit: str | None) -> None:
    picture = pictures(read_dump(dump(HEADLINE, three(CAPTION + tail), FIRST, SECOND)))[0]
    assert picture == FoundPicture(caption=CAPTION if credit else CAPTION + tail, credit=credit)


def test_a_credit_on_its_own_repeated_line_joins_its_picture() -> None:
    page = read_dump(dump(HEADLINE, FIRST, f"{CAPTION}\nPhoto: Ann Lee\n{CAPTION}\nPhoto: Ann Lee", SECOND))
    assert pictures(page) == [FoundPicture(caption=CAPTION, credit="Ann Lee")]


def test_one_copy_is_enough_when_only_photographs_carry_such_a_credit() -> None:
    page = read_dump(dump(HEADLINE, FIRST, f"{CAPTION} (AP Photo/Ann Lee)", SECOND))
    assert pictures(page) == [FoundPicture(caption=CAPTION, credit="AP Photo/Ann Lee")]


@pytest.mark.parametrize(
    "ending", ["its code was published in the Journal /Nature", "a question of and/or", "/Word"]
)
def test_a_paragraph_that_ends_like_a_credit_is_left_whole(ending: str) -> None:
    paragraph = f"{FIRST[:-1]}, which the company called {ending}"
    page = read_dump(dump(HEADLINE, paragraph, SECOND))
    assert paragraphs(page) == [paragraph, SECOND]
    assert pictures(page) == []


@pytest.mark.parametrize(
    ("line", "credit_line"),
    [
        ("(With input from Xinhua)", "With input from Xinhua"),
        ("(With inputs from AFP, Reuters)", "With inputs from AFP, Reuters"),
        ("With additional reporting by the Harbour Post", "With additional reporting by the Harbour Post"),
        ("Source(s): Xinhua News Agency ,AP", "Source(s): Xinhua News Agency, AP"),
        ("（来源：新华社）", "来源：新华社"),
        ("(avec AFP)", "avec AFP"),
    ],
)
def test_the_line_that_names_the_agencies_is_the_credit_line(line: str, credit_line: str) -> None:
    page = read_dump(dump(HEADLINE, FIRST, SECOND, line, "Search Trends"))
    assert page.credit_line == credit_line
    assert paragraphs(page) == [FIRST, SECOND]


def test_a_credit_at_the_end_of_the_last_paragraph_is_taken_out_of_it() -> None:
    page = read_dump(dump(HEADLINE, FIRST, f"{SECOND} (With inputs from AFP, dpa)"))
    assert page.credit_line == "With inputs from AFP, dpa"
    assert paragraphs(page) == [FIRST, SECOND]


def test_a_headline_that_is_its_pictures_caption_too_is_both() -> None:
    text = "Two cranes for the harbour /CFP\nTwo cranes for the harbour /CFP\n\nThe harbour office said on Monday that both would come by ship.\n"
    found = read_dump(
        text + "The mayor said that the old one would become a place from which to watch birds."
    )
    assert found.headline == "Two cranes for the harbour"
    assert [block.picture for block in found.blocks if isinstance(block, PictureBlock)] == [
        FoundPicture(None, None, found.headline, "CFP")
    ]


@pytest.mark.parametrize(
    "credit", ["(По материалам агентств)", "(Com informações de agências)", "(Med materiale fra NTB)"]
)
def test_a_credit_in_brackets_is_known_in_many_languages(credit: str) -> None:
    found = read_dump(
        f"Two cranes for the harbour\n\nThe harbour office said on Monday that both cranes would come by ship.\n\n{credit}"
    )
    assert found.credit_line == credit.strip("()")
