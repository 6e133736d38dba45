"""The words of HTML are the words of the blocks that it becomes, in their order: none lost, none joined."""

import re
from collections.abc import Iterator
from itertools import count

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring

from service import newspages
from service.articles.body import Code, Divider, Embed, Heading, ItemList, Paragraph, Quote, Table
from service.articles.inline import plain
from service.formats.ninjs.markup import Found, Shown, from_html
from service.newspages.blocks import blocks, wholes
from service.newspages.outline import outline
from tests.formats.agency import AGENCY, bring_in

INLINE = ("b", "i", "em", "span", "code", "sub", "small", "u", "abbr", "label", "button", "font")
BLOCKS = (
    "p div section ul ol li dl dt dd details summary table tr td th caption figure figcaption blockquote footer cite "
    "h1 h3 pre address nav form fieldset legend center article main aside header"
).split()
Tree = tuple[str, list["Tree"]] | str
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(["word", "word", "img", "br", "hr"]),
    lambda inner: st.tuples(
        st.sampled_from(BLOCKS) | st.sampled_from(BLOCKS) | st.sampled_from(INLINE),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)
NESTED: Tree = ("ul", [("li", ["word", ("ul", [("li", ["word"]), ("li", ["word"])]), "word"]), "word"])
DEFINED: Tree = (
    "dl",
    [("dt", ["word"]), ("dd", ["word", ("table", [("tr", [("td", ["word"]), ("td", ["word"])])])])],
)
BOXED: Tree = (
    "div",
    ["word", ("div", [("p", ["word"]), "word"]), ("figure", ["img", ("figcaption", ["word"])]), "word"],
)


def written(tree: Tree, numbers: "count[int]") -> str:
    match tree:
        case "word":
            return f" w{next(numbers)} "
        case "img":
            return f'<img src="/{next(numbers)}.jpg" alt="w{next(numbers)}">'
        case str():
            return f"<{tree}>"
        case (tag, inner):
            return f"<{tag}>{''.join(written(each, numbers) for each in inner)}</{tag}>"


def words_in(markup: str) -> list[str]:
    """The words that a reader sees, with the alternative texts of pictures, as the parser has them in its
    tree.
    """
    body = document_fromstring(f"<html><body>{markup}</body></html>").find("body")
    assert body is not None
    found: list[str] = []

    def collect(element: object) -> None:
        found.extend(re.findall(r"w\d+", f"{element.text or ''} {element.get('alt') or ''}"))
        for child in element:
            collect(child)
            found.extend(re.findall(r"w\d+", child.tail or ""))

    collect(body)
    return found


def texts(block: Found | newspages.Block) -> Iterator[str]:
    match block:
        case Shown():
            yield from (block.alt, block.caption)
        case Quote() | newspages.Quote():
            yield from (block.html, block.cite or "")
        case ItemList() | newspages.ItemList():
            yield from block.items
        case Table() | newspages.Table():
            yield block.caption or ""
            yield from (cell for row in (*block.header, *block.rows) for cell in row)
        case Code() | newspages.Code():
            yield block.text
        case Paragraph() | Heading() | newspages.Paragraph() | newspages.Heading():
            yield block.html
        case Divider() | Embed() | newspages.Embed() | newspages.PictureBlock():
            pass


def words_of(found: list[Found] | list[newspages.Block]) -> list[str]:
    return [word for block in found for text in texts(block) for word in re.findall(r"w\w*", plain(text))]


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(st.lists(TREES, max_size=5))
@example([NESTED])
@example([DEFINED, BOXED])
@example([("pre", [("code", ["img"])]), ("b", ["word", "img"])])
def test_the_words_of_an_agencys_body_are_the_words_of_its_blocks(trees: list[Tree]) -> None:
    numbers = count()
    markup = "".join(written(tree, numbers) for tree in trees)
    assert sorted(words_of(from_html(markup))) == sorted(words_in(markup))
    if "<caption>" not in markup and "<cite>" not in markup and "<footer>" not in markup:
        assert words_of(from_html(markup)) == words_in(markup)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.lists(TREES, max_size=5))
@example([NESTED])
@example([DEFINED, BOXED])
def test_the_words_of_a_page_are_the_words_of_its_blocks(trees: list[Tree]) -> None:
    numbers = count()
    markup = re.sub(
        r"<img [^>]*>|</?(?:nav|button|label|caption)>", "", "".join(written(tree, numbers) for tree in trees)
    )
    body = document_fromstring(f"<html><body>{markup}</body></html>").find("body")
    units = outline(body, None, (), wholes(body, None))
    assert words_of(list(blocks(units, body, None, lambda unit: None))) == words_in(markup)


MARKUP: list[tuple[str, list[dict[str, object]]]] = [
    (
        "<ul><li>Team<ol><li>Pts</li></ol></li><li>Ajax</li></ul>",
        [{"type": "list", "ordered": False, "items": ["Team", "Pts", "Ajax"]}],
    ),
    (
        "<table><caption>Ties</caption><tr><th>Team</th><th>Pts</th></tr><tr><td>Ajax</td><td><b>3</b></td></tr></table>",
        [
            {
                "type": "table",
                "caption": "Ties",
                "header": [["Team", "Pts"]],
                "rows": [["Ajax", "<strong>3</strong>"]],
            }
        ],
    ),
    ("<pre><code>a\n  b</code></pre>", [{"type": "code", "language": None, "text": "a\n  b"}]),
    (
        "<dl><dt>one</dt><dd>two</dd></dl>",
        [{"type": "paragraph", "html": "one"}, {"type": "paragraph", "html": "two"}],
    ),
    (
        "<div>one<div>two</div></div>",
        [{"type": "paragraph", "html": "one"}, {"type": "paragraph", "html": "two"}],
    ),
    (
        "<figure><img src='/x.jpg' alt='A pier'><figcaption>The <b>pier</b>.</figcaption></figure>",
        [{"type": "paragraph", "html": "A pier"}, {"type": "paragraph", "html": "The pier."}],
    ),
    (
        "<details><summary>one</summary>two</details>",
        [{"type": "paragraph", "html": "one"}, {"type": "paragraph", "html": "two"}],
    ),
    (
        "<p>c</p><p>d <del>e</del> <q>f</q></p>",
        [{"type": "paragraph", "html": "c"}, {"type": "paragraph", "html": "d <del>e</del> <q>f</q>"}],
    ),
]


def test_an_agencys_markup_becomes_blocks(editor: httpx.Client) -> None:
    for markup, body in MARKUP:
        said = {**AGENCY, "bodies": [{"contentType": "text/html", "value": markup}], "associations": []}
        answer = bring_in(editor, said)
        assert answer.status_code in (200, 201), answer.text
        assert answer.json()["body"] == body, markup


def test_a_list_of_an_agency_may_be_long(editor: httpx.Client) -> None:
    markup = "<ul>" + "".join(f"<li>w{at}</li>" for at in range(1_001)) + "</ul>"
    said = {**AGENCY, "bodies": [{"contentType": "text/html", "value": markup}], "associations": []}
    assert [len(block["items"]) for block in bring_in(editor, said).json()["body"]] == [500, 500, 1]


HEADED: list[tuple[dict[str, object], str | None]] = [
    ({"headlines": [], "slugline": "ICE-HARBOUR"}, "ICE-HARBOUR"),
    ({"headlines": [], "title": "Ice"}, "Ice"),
    ({"headlines": []}, "Ice left the harbour."),
    ({"headlines": None, "bodies": [{"value": "word " * 60}]}, "word " * 19 + "word…"),
    ({"headlines": None, "bodies": None, "descriptions": [{"value": "Ice floes."}]}, "Ice floes."),
    ({"headlines": None, "bodies": None}, None),
    ({"type": "event"}, None),
    ({"type": "planning"}, None),
    ({"uri": "renditions-example"}, "Harbour ice breaks early"),
    ({"uri": "4711"}, "Harbour ice breaks early"),
]


@pytest.mark.slow
def test_an_item_is_headed_by_what_it_has(editor: httpx.Client) -> None:
    for number, (change, headline) in enumerate(HEADED):
        said = {**AGENCY, "uri": f"urn:item:{number}", **change}
        answer = bring_in(editor, said)
        if headline is None:
            assert answer.status_code == 422, change
            assert "type" not in change or "not articles" in answer.json()["detail"]
        else:
            assert (answer.status_code, answer.json()["headline"]) == (201, headline), change
            assert bring_in(editor, said).json()["id"] == answer.json()["id"]
