"""Text as it is kept: whole, composed, and with something to see in it."""

import httpx
import pytest

from tests.articles.newsroom import draft, edit, mark, pointers, published

APART = "E\u0301conomie"
TOGETHER = "\u00c9conomie"


@pytest.mark.parametrize(
    "headline",
    [
        "\u200b",
        "\u2060\u200d",
        "\u00ad",
        "\u009b",
        "\u3164",
        "\u180e",
        "\ufe0f",
        "\u2800",
        "\u200e",
        "\u115f",
        "\u034f",
    ],
)
def test_a_headline_in_which_nothing_can_be_seen_is_refused(editor: httpx.Client, headline: str) -> None:
    answer = editor.post("/v1/articles", json={"headline": headline, "tags": [headline]})
    assert answer.status_code == 422, answer.text
    assert pointers(answer) == ["/headline", "/tags/0"]
    assert draft(editor, headline=f"{headline}a")["headline"] in (f"{headline}a", "a")


@pytest.mark.parametrize("blank", [" ", "\t", "\r\n", "\u00a0", "\u2003", "\u3000  "])
def test_a_line_of_spaces_is_as_empty_as_none(editor: httpx.Client, blank: str) -> None:
    members = {
        "headline": blank,
        "byline": blank,
        "section": blank,
        "source": blank,
        "authors": [{"name": blank}],
        "tags": ["Ferries", blank],
        "body": [{"type": "quote", "html": "We sail.", "cite": blank}],
    }
    answer = editor.post("/v1/articles", json=members)
    assert pointers(answer) == [
        "/headline",
        "/byline",
        "/authors/0/name",
        "/section",
        "/tags/1",
        "/source",
        "/body/0/cite",
    ]


def test_a_line_is_measured_once_it_is_trimmed(editor: httpx.Client) -> None:
    padding = " " * 300
    article = draft(editor, headline=f"{padding}{'x' * 500}{padding}")
    assert article["headline"] == "x" * 500
    answer = editor.post("/v1/articles", json={"headline": "x" * 501})
    assert answer.json()["errors"][0]["message"] == "String should have at most 500 characters"


def test_the_document_of_the_api_tells_how_long_a_line_may_be(client: httpx.Client) -> None:
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    line = shapes["Author"]["properties"]["name"]
    assert (line.get("minLength"), line.get("maxLength")) == (1, 500)


def test_letters_with_accents_are_one_character_wherever_they_come_from(
    editor: httpx.Client, client: httpx.Client
) -> None:
    article = published(
        editor,
        section=APART,
        tags=[APART, TOGETHER],
        authors=[{"name": APART}],
        summary=APART,
        body=[{"type": "paragraph", "html": f"{APART} &#x45;&#x301;"}, {"type": "code", "text": APART}],
    )
    assert (article["section"], article["tags"], article["summary"]) == (TOGETHER, [TOGETHER], TOGETHER)
    assert article["authors"][0]["name"] == TOGETHER
    assert article["body"][0]["html"] == f"{TOGETHER} \u00c9"
    assert article["body"][1]["text"] == APART, "source text is kept as it is written"
    for name in ("section", "tag", "author"):
        for value in (APART, TOGETHER):
            listed = client.get("/v1/articles", params={name: value}).json()["items"]
            assert [each["id"] for each in listed] == [article["id"]], (name, value)
    assert edit(editor, article, section=APART)["version"] == article["version"]


def test_an_accent_after_a_tag_stays_beside_it(editor: httpx.Client) -> None:
    article = draft(editor, body=[{"type": "paragraph", "html": "<em>&#x338;a</em>"}])
    assert article["body"][0]["html"] == "<em>\u0338a</em>"


@pytest.mark.parametrize(
    "parted", ["<p>One.</p><p>Two.</p>", "One.<button>Two.</button>", "One.<video></video>Two."]
)
def test_what_stood_apart_is_never_glued_together(editor: httpx.Client, parted: str) -> None:
    article = draft(editor, headline=mark(), body=[{"type": "paragraph", "html": parted}])
    assert article["body"][0]["html"] == "One.<br>Two."
