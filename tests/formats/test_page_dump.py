"""Text dumps of news pages are read into what their pages said."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

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
from tests.formats.ferry_dump import (
    BANNER,
    CAPTION,
    FIRST,
    HEADLINE,
    OTHER,
    SECOND,
    THIRD,
    dump,
    paragraphs,
    pictures,
    three,
)


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


def test_an_agency_named_alone_beneath_the_headline_is_the_byline() -> None:
    found = read_dump(
        "Two cranes for the harbour\nCGTN\n\nThe harbour office said on Monday that both cranes would come by ship."
    )
    assert (found.byline, found.authors) == ("CGTN", (Author("CGTN"),))


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
