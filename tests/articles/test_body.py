"""Bodies: typed blocks whose inline HTML is clean, whatever was sent."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml.html import fragments_fromstring

from service.articles.body import MOST_CELLS
from service.articles.inline import INLINE_TAGS, plain, sanitise
from tests.articles.newsroom import Article, draft, edit, if_match, pointers, published

TAGS = {tag: {"a": {"href"}, "span": {"lang"}}.get(tag, set()) for tag in INLINE_TAGS}
PIECES = [
    "<a href='https://quayside.example/?a=1&b=2>x'>",
    "</a>",
    "<a href='javascript:alert(1)'>",
    '<a href="JaVaScRiPt&#58;alert(1)">',
    "<a href=\x09javascript:x>",
    "<strong>",
    "</strong>",
    "<em",
    "</em>",
    "<script>",
    "</script>",
    "<style>",
    "<!--",
    "-->",
    "<svg/onload=x>",
    "<math>",
    "<mtext>",
    "<template>",
    "<img src=x onerror=alert(1)>",
    "<span lang=fr onclick=x>",
    "</span>",
    "<p>",
    "</p>",
    "<br/>",
    "<code>",
    "&lt;script&gt;",
    "&amp;",
    "&#60;",
    "&nbsp;",
    "&#x0;",
    "&#7;",
    "\u00a0",
    "\u2028",
    "<![CDATA[",
    "]]>",
    "<?php",
    "<noscript>",
    "<table><tr><td>",
    "<select><option>",
    "<plaintext>",
    "<b>",
    "<b/><i>",
    "x",
    " ",
    "\n",
    "é",
    "新",
    "<",
    ">",
    '"',
    "'",
]
MESS = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("".join)


class Seen(HTMLParser):
    """Which tags, attributes and links a browser would meet."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.other: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def seen(html: str) -> Seen:
    parser = Seen()
    parser.feed(html)
    parser.close()
    return parser


@pytest.mark.slow
@given(MESS)
@example("<a href='&#x0A;javascript:alert(1)'>x")
@example(
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>"
)
@example("<a href='https://quayside.example/'><table><tr><td><a href='https://quayside.example/'>")
@settings(max_examples=400, deadline=None)
def test_only_inline_elements_and_safe_links_survive_and_cleaning_twice_changes_nothing(html: str) -> None:
    clean = sanitise(html)
    assert sanitise(clean) == clean
    found = seen(clean)
    assert found.other == []
    for tag, attributes in found.tags:
        assert tag in TAGS
        assert set(attributes) <= TAGS[tag]
        link = attributes.get("href")
        assert link is None or re.match(
            r"(https?:|mailto:|tel:|(?![a-z][a-z0-9+.-]*:))", link.strip().lower()
        )
    for element in fragments_fromstring(clean) if clean else ():
        assert isinstance(element, str) or {each.tag for each in element.iter()} <= set(TAGS)


@pytest.mark.slow
@given(MESS)
@settings(max_examples=200, deadline=None)
def test_plain_text_is_what_a_browser_would_show(html: str) -> None:
    clean = sanitise(html)
    assert plain(clean) == seen(clean).text


@pytest.mark.slow
@given(st.lists(MESS, min_size=1, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_taken_can_be_read_and_put_back_unchanged(editor: httpx.Client, texts: list[str]) -> None:
    body = [{"type": "paragraph", "html": text} for text in texts] + [
        {"type": "list", "items": texts},
        {"type": "quote", "html": texts[0]},
    ]
    response = editor.post("/v1/articles", json={"headline": "Body", "body": body})
    if response.status_code == 422:
        assert "control character" in response.text
        return
    article = response.json()
    again = editor.put(f"/v1/articles/{article['id']}", json=article, headers=if_match(article))
    assert (again.status_code, again.json()) == (200, article)
    for form in ("html", "text"):
        assert editor.get(f"/v1/articles/{article['id']}?body={form}").status_code == 200


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("  <b>Bold</b> <i>it</i>  ", "<strong>Bold</strong> <em>it</em>"),
        (
            '<a href="tel:+4411">t</a> <s>s</s> <ins>i</ins><q>q</q>',
            '<a href="tel:+4411">t</a> <s>s</s> <ins>i</ins><q>q</q>',
        ),
        (
            "<ruby>水<rp>(</rp><rt>みず</rt></ruby><bdi>b</bdi>",
            "<ruby>水<rp>(</rp><rt>みず</rt></ruby><bdi>b</bdi>",
        ),
        ("<p>one</p><p>two</p>", "one<br>two"),
        ("one<div>two</div>\n<ul><li>three<li>four</ul>", "one<br>two<br>three<br>four"),
        ("<table><tr><td>1<td>2</td></tr></table>", "1<br>2"),
        ("a<br><br>b", "a<br><br>b"),
        (
            '<a href="https://q.example/?a=1&b=2" target=_blank onclick=x>l</a>',
            '<a href="https://q.example/?a=1&amp;b=2">l</a>',
        ),
        ('<a href="mailto:desk@q.example">m</a>', '<a href="mailto:desk@q.example">m</a>'),
        ('<a href="data:text/html,x">d</a><a href="ftp://x">f</a>', "<a>d</a><a>f</a>"),
        ("H<sub>2</sub>O<br>x<sup>2</sup> <code>y</code>", "H<sub>2</sub>O<br>x<sup>2</sup> <code>y</code>"),
        ('<span lang="ja" style="color:red">日本</span>', '<span lang="ja">日本</span>'),
        ("<script>alert(1)</script><style>p{}</style>rest", "rest"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("", ""),
    ],
)
def test_inline_html_is_kept_clean(editor: httpx.Client, html: str, kept: str) -> None:
    assert draft(editor, body=[{"type": "paragraph", "html": html}])["body"] == [
        {"type": "paragraph", "html": kept}
    ]


@pytest.mark.parametrize(
    "html", ["\x00", "bell \x07", "&#7;", "&#127;", "\x1b[31m", "x" * 50_001, "&" * 20_000]
)
def test_what_cannot_be_kept_is_refused_by_its_pointer(editor: httpx.Client, html: str) -> None:
    for block, pointer in (
        ({"type": "paragraph", "html": html}, "/body/0/html"),
        ({"type": "list", "items": ["x", html]}, "/body/0/items/1"),
    ):
        assert pointers(editor.post("/v1/articles", json={"headline": "x", "body": [block]})) == [pointer]


@pytest.mark.parametrize(
    "url",
    [
        "http://www.youtube.com/watch",
        "https://youtube.com.evil.example/",
        "https://www.youtube.com@evil.example/",
        "https://evil.example\\@www.youtube.com/",
        "https://www.youtube.com:8443/x",
        "//www.youtube.com/x",
        "javascript:alert(1)",
        "https://",
        "https://[",
        "https://www.youtube.com/\n<b>",
        "https:www.youtube.com",
        "https://www.youtube.com\t.evil.example/",
        "https://evil.example/#www.youtube.com",
        "https://user:p@www.youtube.com/",
    ],
)
def test_an_embed_comes_from_a_host_that_is_allowed(editor: httpx.Client, url: str) -> None:
    assert pointers(
        editor.post("/v1/articles", json={"headline": "x", "body": [{"type": "embed", "url": url}]})
    ) == ["/body/0/url"]


def test_an_embed_and_all_else_is_escaped_as_html(editor: httpx.Client) -> None:
    url = "https://www.youtube.com/watch?v=1&t=2\"'<b>"
    body = [{"type": "embed", "url": url}, {"type": "quote", "html": "q", "cite": "<i>A</i> & B"}]
    html = editor.get(f"/v1/articles/{draft(editor, body=body)['id']}?body=html").json()["body_html"]
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;i&gt;A&lt;/i&gt; &amp; B" in html
    assert seen(html).tags[1] == ("a", {"href": url})


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b", "a\nb"),
        ("He said <q>no</q>.", "He said “no”."),
        ("killed <del>12</del> <ins>15</ins> people", "killed 15 people"),
        (
            "<ruby>水<rt>みず</rt></ruby>と<ruby>火<rp>(</rp><rt>ひ</rt><rp>)</rp></ruby>",
            "水（みず）と火（ひ）",
        ),
    ],
)
def test_plain_text_says_what_the_markup_means(html: str, text: str) -> None:
    assert plain(html) == text


TABLE = {
    "type": "table",
    "caption": "Results & more",
    "header": [["Party", "<i>Votes</i>"]],
    "rows": [["Greens", "<a href='https://q.example/'>12,345</a><script>x</script>"], ["Liberals"]],
}
CODE = {"type": "code", "language": "c++", "text": "\tif (a < b)\r\n\t\treturn;\n"}


def test_tables_and_code_are_blocks_in_every_form(editor: httpx.Client, client: httpx.Client) -> None:
    article = published(editor, body=[TABLE, CODE, {"type": "code", "text": ""}])
    table, code, _ = article["body"]
    assert table["header"] == [["Party", "<em>Votes</em>"]]
    assert table["rows"] == [["Greens", '<a href="https://q.example/">12,345</a>'], ["Liberals"]]
    assert code == {"type": "code", "language": "c++", "text": "\tif (a < b)\n\t\treturn;\n"}
    again = editor.put(f"/v1/articles/{article['id']}", json=article, headers=if_match(article))
    assert again.json()["version"] == article["version"]

    path = f"/v1/articles/{article['id']}"
    written = client.get(f"{path}?body=html").json()["body_html"]
    assert '<caption>Results &amp; more</caption><thead><tr><th scope="col">Party</th>' in written
    assert "<td>Liberals</td></tr></tbody></table>" in written
    assert '<pre><code class="language-c++">\tif (a &lt; b)\n' in written
    text = client.get(f"{path}?body=text").json()["body_text"]
    assert text == "Results & more\nParty\tVotes\nGreens\t12,345\nLiberals\n\n\tif (a < b)\n\t\treturn;"
    assert client.get(f"{path}?format=jsonld").json()["articleBody"] == text
    assert "Liberals</td>" in client.get(f"{path}?format=ninjs").json()["bodies"][0]["value"]
    assert "Liberals</td>" in client.get("/feeds/feed.json").json()["items"][0]["content_html"]
    page = client.get(f"/read/{article['slug']}").text
    assert "<td>Liberals</td>" in page
    assert "if (a &lt; b)" in page
    assert "<script>x" not in page
    assert [each["id"] for each in client.get("/v1/articles?q=liberals").json()["items"]] == [article["id"]]


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "table", "rows": [["x"] * 50] * 2_000}, "/body/0"),
        ({"type": "table", "rows": [["&" * 1_000] * 50] * 20}, "/body/0"),
        ({"type": "table", "rows": [["x"] * 10] * (MOST_CELLS // 10)}, None),
        ({"type": "table", "rows": [["x"] * 51]}, "/body/0/rows/0"),
        ({"type": "table", "rows": []}, "/body/0/rows"),
        ({"type": "table", "rows": [["a", "bell \x07"]]}, "/body/0/rows/0/1"),
        ({"type": "table", "rows": "x", "header": [5]}, "/body/0/header/0"),
        ({"type": "code", "language": "c <b>", "text": ""}, "/body/0/language"),
        ({"type": "code", "text": "x" * 100_001}, "/body/0/text"),
    ],
)
def test_a_table_or_code_has_bounds(editor: httpx.Client, block: Article, pointer: str | None) -> None:
    answer = editor.post("/v1/articles", json={"headline": "x", "body": [block]})
    if pointer is None:
        assert answer.status_code == 201
    else:
        assert pointers(answer)[0] == pointer


def test_blocks_stay_in_their_order(editor: httpx.Client) -> None:
    body = [{"type": "paragraph", "html": str(n)} for n in range(300)]
    article = draft(editor, body=body)
    assert [block["html"] for block in article["body"]] == [str(n) for n in range(300)]
    assert [block["html"] for block in edit(editor, article, body=body[::-1])["body"]] == [
        str(n) for n in range(299, -1, -1)
    ]
    assert pointers(
        editor.post("/v1/articles", json={"headline": "x", "body": [{"type": "divider"}] * 2_001})
    ) == ["/body"]
