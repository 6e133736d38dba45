"""Text dumps of news pages are read into what their pages said."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.newspages import (
    Author,
    Banner,
    FoundPicture,
    Heading,
    NotAnArticle,
    Page,
    Paragraph,
    PictureBlock,
    read_dump,
)

BANNER = """This Paper and Your Privacy

We use cookies so that this site works and to learn what our readers like. By staying here you accept our cookie policy.

Accept all cookies
"""
HEADLINE = "Ferry line reopens after the long winter storms"
FIRST = (
    "The ferry between the two islands sailed again on Monday, ten weeks after ice had closed the harbour."
)
SECOND = "“We counted every day,” said the harbour master, whose office had kept a lamp burning on the pier."
THIRD = "Tickets cost what they cost last year, and bicycles still travel free of charge."
CAPTION = "Passengers board the first ferry of the year at the old pier, March 3, 2025."
OTHER = "Children wave from the deck as the ship leaves, March 3, 2025."


def dump(*parts: str) -> str:
    return "\n\n".join(parts)


def three(line: str) -> str:
    return f"{line}\n{line}\n\n{line}"


def paragraphs(page: Page) -> list[str]:
    return [block.html for block in page.blocks if isinstance(block, Paragraph)]


def pictures(page: Page) -> list[FoundPicture]:
    return [block.picture for block in page.blocks if isinstance(block, PictureBlock)]


def test_a_dump_becomes_an_article_with_its_pictures_in_their_places() -> None:
    page = read_dump(
        dump(
            BANNER,
            HEADLINE,
            three(f"{CAPTION} /Xinhua"),
            FIRST,
            SECOND,
            three(f"{OTHER} /Xinhua"),
            THIRD,
            "(With input from Xinhua)",
            "Search Trends",
        )
    )
    first, second = (
        FoundPicture(caption=CAPTION, credit="Xinhua"),
        FoundPicture(caption=OTHER, credit="Xinhua"),
    )
    assert page.headline == HEADLINE
    assert page.blocks == (
        PictureBlock(first),
        Paragraph(FIRST),
        Paragraph(SECOND),
        PictureBlock(second),
        Paragraph(THIRD),
    )
    assert page.lead == first
    assert page.credit_line == "With input from Xinhua"
    assert page.language == "en"
    assert page.banner == Banner(
        title="This Paper and Your Privacy",
        body="We use cookies so that this site works and to learn what our readers like. By staying here you accept our cookie policy.",
        accept_label="Accept all cookies",
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


@pytest.mark.parametrize(
    ("text", "banner"),
    [
        (
            "By continuing to use this site you agree to our cookies and terms.\nI agree",
            Banner(None, "By continuing to use this site you agree to our cookies and terms.", "I agree"),
        ),
        (
            "This website uses cookies to give you the best experience\nGot it!",
            Banner(None, "This website uses cookies to give you the best experience", "Got it!"),
        ),
        (
            "We value your privacy\nWe and our partners store cookies on your device.\nYou can change your mind at any time.\n"
            "Manage preferences\nReject all\nAccept all",
            Banner(
                "We value your privacy",
                "We and our partners store cookies on your device.\nYou can change your mind at any time.",
                "Accept all",
                "Reject all",
                "Manage preferences",
            ),
        ),
        (
            "Votre vie privée\nNous utilisons des cookies pour mesurer notre audience.\nTout refuser\nTout accepter",
            Banner(
                "Votre vie privée",
                "Nous utilisons des cookies pour mesurer notre audience.",
                "Tout accepter",
                "Tout refuser",
            ),
        ),
        (
            "我们使用Cookie来改善您的浏览体验，继续浏览即表示您同意我们的隐私政策。\n同意",
            Banner(None, "我们使用Cookie来改善您的浏览体验，继续浏览即表示您同意我们的隐私政策。", "同意"),
        ),
        (
            "当サイトではCookieを使用します。詳しくはプライバシーポリシーをご覧ください。\n同意する",
            Banner(
                None,
                "当サイトではCookieを使用します。詳しくはプライバシーポリシーをご覧ください。",
                "同意する",
            ),
        ),
        (
            "We use cookies to improve your experience. See our cookie policy for more.",
            Banner(None, "We use cookies to improve your experience. See our cookie policy for more."),
        ),
    ],
)
@pytest.mark.parametrize("place", ["above", "below"])
def test_the_banner_keeps_its_own_words_and_leaves_the_article(text: str, banner: Banner, place: str) -> None:
    article = dump(HEADLINE, FIRST, SECOND)
    page = read_dump(dump(text, article) if place == "above" else dump(article, text))
    assert page.banner == banner
    assert (page.headline, paragraphs(page)) == (HEADLINE, [FIRST, SECOND])


def test_an_article_about_cookies_is_no_banner() -> None:
    story = [
        "Browser maker drops its plan to end tracking cookies",
        "The company said on Tuesday that third-party cookies would stay, after five years of promising their end.",
        "“We will ask people for consent once,” its privacy chief said, and regulators said they would watch.",
        "Campaigners for privacy called the decision a gift to advertisers who follow people from site to site.",
    ]
    page = read_dump(dump(*story))
    assert page.banner is None
    assert [page.headline, *paragraphs(page)] == story


def test_furniture_around_and_inside_the_article_is_dropped() -> None:
    page = read_dump(
        dump(
            "Home\nPolitics",
            HEADLINE,
            "Share\nFacebook\nTwitter\nCopied",
            FIRST,
            "Advertisement",
            SECOND,
            "Related stories\nHarbour budget grows again\nWhy do ferries float?",
            THIRD,
            "Read more: The winter in pictures",
            "So it goes on.",
            "(With input from AFP)",
            "Related stories\nAnother tale of the sea",
            "Search Trends\nFerry\nIce",
            "Copyright © 2025 Harbour Post. 京ICP备00000000号-1",
            "Complaints hotline: 010-5550-1234",
        )
    )
    assert page.headline == HEADLINE
    assert page.section == "Politics"
    assert paragraphs(page) == [FIRST, SECOND, THIRD, "So it goes on."]


def test_a_list_of_trends_above_the_text_does_not_end_it() -> None:
    page = read_dump(
        dump(
            HEADLINE, three(f"{CAPTION} /VCG"), "Search Trends", "Ferry\nIce", FIRST, SECOND, THIRD, FIRST[4:]
        )
    )
    assert paragraphs(page) == [FIRST, SECOND, THIRD, FIRST[4:]]


def test_bylines_dates_and_datelines_become_facts() -> None:
    page = read_dump(
        dump(
            HEADLINE,
            "By Ann Lee and Wu Min, Reuters",
            "Updated 20:15, 03-Mar-2025",
            "2025-03-02 08:00 GMT+8",
            "OSLO, March 3 (Reuters)",
            FIRST,
            SECOND,
        )
    )
    assert page.byline == "By Ann Lee and Wu Min, Reuters"
    assert page.authors == (Author("Ann Lee"), Author("Wu Min"))
    assert page.updated_at == datetime(2025, 3, 3, 20, 15, tzinfo=UTC)
    assert page.published_at == datetime(2025, 3, 2, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    assert page.dateline == "OSLO, March 3 (Reuters)"
    assert paragraphs(page) == [FIRST, SECOND]


def test_a_dateline_that_opens_the_text_is_told_and_stays_in_it() -> None:
    opening = f"ST. PETERSBURG, Russia, March 3 (Xinhua) -- {FIRST}"
    page = read_dump(dump(HEADLINE, opening, SECOND))
    assert page.dateline == "ST. PETERSBURG, Russia, March 3 (Xinhua)"
    assert paragraphs(page)[0] == opening


@pytest.mark.parametrize(
    "headline", ["Von der Leyen Wins Vote", "By Thursday the Ice Had Gone", "Peace", "Ferry sails"]
)
def test_a_headline_may_look_like_a_byline_or_a_label(headline: str) -> None:
    page = read_dump(dump(headline, FIRST, SECOND))
    assert (page.headline, page.authors, paragraphs(page)) == (headline, (), [FIRST, SECOND])


@pytest.mark.parametrize(
    "above", [HEADLINE, f"{HEADLINE} - Harbour Post", f"{HEADLINE} | Harbour Post", "Analysis"]
)
def test_a_headline_printed_twice_or_under_a_label_is_one_headline(above: str) -> None:
    page = read_dump(dump(above, HEADLINE, FIRST, SECOND))
    assert (page.headline, paragraphs(page), pictures(page)) == (HEADLINE, [FIRST, SECOND], [])


def test_a_short_line_between_paragraphs_is_a_heading() -> None:
    page = read_dump(dump(HEADLINE, FIRST, "What the captain saw", SECOND, THIRD))
    assert page.blocks[1] == Heading(2, "What the captain saw")


def test_a_headline_and_one_paragraph_are_enough() -> None:
    page = read_dump(f"{HEADLINE}\n{FIRST}")
    assert page == Page(headline=HEADLINE, blocks=(Paragraph(FIRST),), language="en")


def test_windows_line_ends_a_byte_order_mark_and_no_break_spaces_make_no_difference() -> None:
    plain = dump(BANNER, HEADLINE, three(f"{CAPTION} /VCG"), FIRST, SECOND, "(With input from VCG)")
    worn = "\ufeff" + plain.replace(" ", "\u00a0").replace("\n", "\r\n")
    assert read_dump(worn) == read_dump(plain)


def test_french_keeps_the_spaces_of_its_punctuation() -> None:
    quoted = "«\u00a0Nous avons compté les jours\u00a0», a dit le capitaine du port, qui avait gardé la lampe allumée."
    page = read_dump(
        dump(
            "Le bac reprend la mer après les tempêtes",
            quoted,
            "Les billets n’ont pas changé de prix cette année.",
        )
    )
    assert paragraphs(page)[0] == quoted
    assert page.language == "fr"


@pytest.mark.parametrize(
    ("language", "headline", "caption", "credit", "text"),
    [
        (
            "zh",
            "风暴过后两岛之间的渡轮恢复通航",
            "三月三日，乘客在老码头登上今年第一班渡轮。",
            "新华社",
            "两座岛屿之间的渡轮周一恢复通航，此前港口因结冰关闭了十个星期。",
        ),
        (
            "ja",
            "冬の嵐を越えてフェリーが再開",
            "今年最初のフェリーに乗る人たち＝三月三日、古い桟橋で。",
            "共同",
            "二つの島を結ぶフェリーは月曜日、氷で港が閉ざされてから十週間ぶりに運航を再開した。",
        ),
    ],
)
def test_texts_without_spaces_between_words_are_read_alike(
    language: str, headline: str, caption: str, credit: str, text: str
) -> None:
    page = read_dump(
        dump(headline, three(f"{caption}/{credit}"), text, text.replace("两", "三").replace("二", "三"))
    )
    assert page.headline == headline
    assert pictures(page) == [FoundPicture(caption=caption, credit=credit)]
    assert paragraphs(page)[0] == text
    assert page.language == language


def test_a_headline_that_is_its_pictures_caption_too_is_both() -> None:
    text = "Two cranes for the harbour /CFP\nTwo cranes for the harbour /CFP\n\nThe harbour office said on Monday that both would come by ship.\n"
    found = read_dump(
        text + "The mayor said that the old one would become a place from which to watch birds."
    )
    assert found.headline == "Two cranes for the harbour"
    assert [block.picture for block in found.blocks if isinstance(block, PictureBlock)] == [
        FoundPicture(None, None, found.headline, "CFP")
    ]


def test_an_agency_named_alone_beneath_the_headline_is_the_byline() -> None:
    found = read_dump(
        "Two cranes for the harbour\nCGTN\n\nThe harbour office said on Monday that both cranes would come by ship."
    )
    assert (found.byline, found.authors) == ("CGTN", (Author("CGTN"),))


@pytest.mark.parametrize(
    "credit", ["(По материалам агентств)", "(Com informações de agências)", "(Med materiale fra NTB)"]
)
def test_a_credit_in_brackets_is_known_in_many_languages(credit: str) -> None:
    found = read_dump(
        f"Two cranes for the harbour\n\nThe harbour office said on Monday that both cranes would come by ship.\n\n{credit}"
    )
    assert found.credit_line == credit.strip("()")


def test_markup_in_a_dump_is_text() -> None:
    page = read_dump(dump("Why a < b & c matters to sailors", f"<script>x</script> {FIRST}", SECOND))
    assert page.headline == "Why a < b & c matters to sailors"
    assert paragraphs(page)[0] == f"&lt;script&gt;x&lt;/script&gt; {FIRST}"


@pytest.mark.parametrize(
    "text", ["", "\ufeff\r\n \u00a0", "Search Trends", HEADLINE, BANNER, FIRST * 9, "\x00\ud800"]
)
def test_text_without_an_article_is_refused(text: str) -> None:
    with pytest.raises(NotAnArticle, match="headline"):
        read_dump(text)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["(" * 1_900_000, "a " * 950_000, "a/" * 900_000 + "\n" + "b\n" * 50_000])
def test_megabytes_of_nothing_cost_seconds_at_most(text: str) -> None:
    begun = time.process_time()
    with suppress(NotAnArticle):
        read_dump(text)
    assert time.process_time() - begun < 10


def test_a_text_longer_than_any_article_is_refused() -> None:
    with pytest.raises(NotAnArticle, match="longer"):
        read_dump(f"{HEADLINE}\n{FIRST}" + " word" * 2_000_000)


_WORDS = (
    "harbour lamp winter ferry island captain pier letter market bridge garden council teacher river library "
    "morning evening open close carry build remember answer follow travel with under beyond near small old green quiet"
).split()


@st.composite
def _sentences(draw: st.DrawFn, least: int = 7, most: int = 30) -> str:
    chosen = draw(st.lists(st.sampled_from(_WORDS), min_size=least, max_size=most))
    return " ".join(chosen).capitalize() + "."


@dataclass(frozen=True)
class _Model:
    banner: Banner | None
    headline: str
    body: tuple[str | FoundPicture, ...]
    copies: int
    joint: str
    credit_line: str | None
    furniture: tuple[str, ...]

    def dump(self) -> str:
        above = (
            [self.banner.title or "", self.banner.body, self.banner.accept_label or ""] if self.banner else []
        )
        below = [f"({self.credit_line})"] if self.credit_line else []
        return "\n\n".join([*above, self.headline, *map(self._part, self.body), *below, *self.furniture])

    def _part(self, part: str | FoundPicture) -> str:
        if isinstance(part, str):
            return part
        line = f"{part.caption} /{part.credit}" if part.credit else part.caption or ""
        return self.joint.join([line] * self.copies)


_BANNERS = st.builds(
    Banner,
    title=st.sampled_from([None, "Our Cookie Policy", "Your privacy matters to us"]),
    body=_sentences().map(lambda words: f"{words} By reading on you agree to our use of cookies."),
    accept_label=st.sampled_from(["I agree", "Accept all cookies", "Got it", "OK", "Accept"]),
)
_PICTURES = st.builds(
    FoundPicture,
    caption=_sentences(),
    credit=st.sampled_from([None, "Xinhua", "VCG", "CFP", "AFP", "Reuters", "Ann Lee"]),
)


@st.composite
def _models(draw: st.DrawFn) -> _Model:
    texts = draw(st.lists(_sentences(8, 60), min_size=1, max_size=8))
    shown = draw(st.lists(_PICTURES, max_size=6))
    body: list[str | FoundPicture] = draw(st.permutations([*texts, *shown]))
    headline = draw(_sentences(4, 14))[:-1]
    written = [headline.lower(), *(part if isinstance(part, str) else part.caption or "" for part in body)]
    # A page that says one thing twice by chance is no model of one that repeats its captions.
    _assume_distinct(written)
    return _Model(
        banner=draw(st.none() | _BANNERS),
        headline=headline,
        body=tuple(body),
        copies=draw(st.integers(2, 4)),
        joint=draw(st.sampled_from(["\n", "\n\n", "\r\n"])),
        credit_line=draw(st.sampled_from([None, "With input from Xinhua", "With inputs from AFP, Reuters"])),
        furniture=draw(
            st.sampled_from(
                [(), ("Search Trends",), ("Related stories", "Ice on the lake"), ("Copyright © 2025 Post",)]
            )
        ),
    )


def _assume_distinct(written: list[str]) -> None:
    assume(len({text.rstrip(".").lower() for text in written}) == len(written))


@pytest.mark.slow
@settings(deadline=None)
@given(_models())
def test_any_page_dumped_reads_back_as_it_was(model: _Model) -> None:
    page = read_dump(model.dump())
    read = tuple(
        block.picture if isinstance(block, PictureBlock) else block.html
        for block in page.blocks
        if isinstance(block, PictureBlock | Paragraph)
    )
    assert page.headline == model.headline
    assert read == model.body
    assert page.credit_line == model.credit_line
    assert page.banner == model.banner
    assert page.lead == next((part for part in model.body if isinstance(part, FoundPicture)), None)


@pytest.mark.slow
@settings(deadline=None)
@given(st.text() | st.text(st.sampled_from("a .\n/()（©:。\u00a0\ufeff\r日")))
def test_any_text_is_an_article_or_is_refused(text: str) -> None:
    try:
        page = read_dump(text)
    except NotAnArticle:
        return
    assert page.headline and page.blocks
