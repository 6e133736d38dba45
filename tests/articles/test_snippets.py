"""What GET /v1/articles?q=… shows of each article that it has found."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.articles import found
from service.articles.found import Snippets
from service.published.cutting import BREAK, cut, cut_in_place
from service.published.query import Query, parse
from service.published.snippets import snippet
from tests.articles.newsroom import mark, published

SCRIPTS = (
    "aZéßIİσς 9٣½ﬁ -'’ \n\t.・漢字カナがㄅ한국어ไทยเกาลำလာမြန်ខ្មែរहिन्दीதமிழ்עברתاللغةكـ\u200d\u0301\u0327🙂&<>"
)


@pytest.mark.slow
@given(st.text(alphabet=SCRIPTS, max_size=60) | st.text(max_size=40))
@example("Straße · 東京・大阪 ﬁn")
@example("ขอน้ำ เกาะ")
def test_words_in_their_places_are_the_words_that_are_indexed(text: str) -> None:
    found = cut_in_place(text)
    assert [word for word, _, _ in found] == cut(text)
    last = 0
    for word, begin, end in found:
        if word != BREAK:
            assert last <= begin < end <= len(text)
            last = begin


@given(st.text(alphabet=SCRIPTS, max_size=400), st.text(alphabet=SCRIPTS, min_size=1, max_size=6))
def test_a_snippet_is_escaped_text_and_marks_alone(text: str, q: str) -> None:
    shown = snippet(parse(q), [text])
    plain = html.unescape(re.sub("</?mark>", "", shown)).removeprefix("… ").removesuffix(" …")
    assert plain.strip() in " ".join(text.split()) or plain in " ".join(text.split())
    assert not re.search("<(?!/?mark>)", shown)
    assert shown.count("<mark>") == shown.count("</mark>")


@pytest.mark.parametrize(
    ("text", "q", "shown"),
    [
        ("The tram runs.", "TRAM", "The <mark>tram</mark> runs."),
        ("Cafés & <bars>", "cafes bars", "<mark>Cafés</mark> &amp; &lt;<mark>bars</mark>&gt;"),
        ("A new tram line opens.", '"tram line"', "A new <mark>tram line</mark> opens."),
        ("Tramways and trams", "tram*", "<mark>Tramways</mark> and <mark>trams</mark>"),
        ("A bus, a tram", "bus OR tram -ferry", "A <mark>bus</mark>, a <mark>tram</mark>"),
        ("東京都に新しい橋", "新しい", "東京都に<mark>新しい</mark>橋"),
        ("สะพานใหม่เปิดแล้ว", "ใหม่", "สะพาน<mark>ใหม่</mark>เปิดแล้ว"),
        ("서울 시장이 말했다", "시장", "서울 <mark>시장</mark>이 말했다"),
        ("גשר חדש נפתח", "חדש", "גשר <mark>חדש</mark> נפתח"),
        ("अदालत ने कहा", "कहा", "अदालत ने <mark>कहा</mark>"),
        ("ΝΕΟΣ ΔΡΟΜΟΣ", "δρόμος", "ΝΕΟΣ <mark>ΔΡΟΜΟΣ</mark>"),
    ],
)
def test_hits_are_marked_in_every_script(text: str, q: str, shown: str) -> None:
    assert snippet(parse(q), [text]) == shown


def test_each_article_that_is_found_shows_where(client: httpx.Client, editor: httpx.Client) -> None:
    word = mark()
    long = f"{'Rain fell. ' * 60}The <em>{word}</em> &amp; more. {'It went on. ' * 60}"
    in_body = published(editor, summary="Nothing.", body=[{"type": "paragraph", "html": long}])
    in_headline = published(editor, headline=f"News of {word}")
    for caller, asked in (
        (client, ""),
        (client, "&body=blocks"),
        (client, "&fields=id,snippet"),
        (editor, "&view=staff"),
    ):
        answer = caller.get(f"/v1/articles?q={word.upper()}{asked}")
        assert answer.status_code == 200, answer.text
        shown = {item["id"]: item["snippet"] for item in answer.json()["items"]}
        assert shown[in_headline["id"]] == f"News of <mark>{word}</mark>"
        assert f"The <mark>{word}</mark> &amp; more." in shown[in_body["id"]]
        assert shown[in_body["id"]].startswith("… ")
        assert shown[in_body["id"]].endswith(" …")
        assert len(shown[in_body["id"]]) < 300
    assert "body" not in client.get(f"/v1/articles?q={word}").json()["items"][0]
    assert "snippet" not in client.get(f"/v1/articles?id={in_body['id']}").json()["items"][0]


@pytest.mark.parametrize(
    ("block", "q", "shown"),
    [
        ({"type": "paragraph", "html": "The pier<del>s</del>"}, "pier", "The <mark>pier</mark>"),
        ({"type": "quote", "html": "<q>Ebb</q> at<br>noon"}, "ebb", "“<mark>Ebb</mark>” at"),
        ({"type": "list", "items": ["one", "a<em>b</em>c &amp; d"]}, "abc", "<mark>abc</mark> &amp; d"),
        (
            {"type": "table", "caption": "Tides <1>", "rows": [["high<del>er</del>", "low"], ["noon"]]},
            "high",
            "<mark>high</mark> low",
        ),
        (
            {"type": "table", "caption": "Tides <1> &amp;", "rows": [["a"]]},
            "tides",
            "<mark>Tides</mark> &lt;1&gt; &amp;amp;",
        ),
        ({"type": "code", "text": "if a <b> &lt; c:\n  go()"}, "go", "<mark>go</mark>()"),
        (
            {"type": "code", "text": "if a <b> &lt; c:\n  go()"},
            "if",
            "<mark>if</mark> a &lt;b&gt; &amp;lt; c:",
        ),
    ],
)
def test_a_block_of_any_type_shows_its_hits_apart_from_other_blocks(
    client: httpx.Client, editor: httpx.Client, block: dict[str, object], q: str, shown: str
) -> None:
    word = mark()
    body = [
        {"type": "paragraph", "html": "Before<del>hand</del>"},
        block,
        {"type": "paragraph", "html": "After"},
    ]
    published(editor, headline=word, summary=None, body=body)
    (item,) = client.get("/v1/articles", params={"q": f"{q} {word}"}).json()["items"]
    assert item["snippet"] == shown


def test_snippets_of_documents_that_have_not_changed_are_found_once(
    editor: httpx.Client, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    word, made = mark(), list[str]()
    _, second = (published(editor, headline=name, summary=f"{name} {word}.") for name in ("Ebb", "Flood"))
    snippets = Snippets(most=2)

    def noting(query: Query, texts: Iterator[str]) -> str:
        made.append(snippet(query, texts))
        return made[-1]

    monkeypatch.setattr(found, "_SNIPPETS", snippets)
    monkeypatch.setattr(found, "snippet", noting)

    def searched(words: str) -> set[str]:
        return {item["snippet"] for item in client.get("/v1/articles", params={"q": words}).json()["items"]}

    both = {f"Ebb <mark>{word}</mark>.", f"Flood <mark>{word}</mark>."}
    assert searched(word) == both
    patch = {"summary": f"Slack {word}."}
    assert editor.patch(f"/v1/articles/{second['id']}", json=patch, headers={"If-Match": "*"}).is_success
    assert searched(word) == {f"Ebb <mark>{word}</mark>.", f"Slack <mark>{word}</mark>."}
    assert made[2:] == [f"Slack <mark>{word}</mark>."]
    assert searched(f"ebb {word}") == {f"<mark>Ebb</mark> <mark>{word}</mark>."}, "of other words, another"
    assert len(snippets) == 2
