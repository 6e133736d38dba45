"""GET /v1/articles?q=… : full text, the same on both databases."""

import httpx
import pytest

from tests.articles.newsroom import do, draft, edit, ids, mark, problem, published, trash, walk


@pytest.fixture
def section(editor: httpx.Client) -> str:
    """A section of one test's own."""
    return mark()


@pytest.mark.parametrize(
    ("text", "found", "missed"),
    [
        (
            "The café on the Müllerstraße",
            ["cafe", "CAFÉ", "mullerstrasse", '"the cafe"', "café on"],
            ["caf", "tea", '"cafe the"'],
        ),
        ("新しい図書館が東京で開館した", ["図書館", "東京", "開館した", "図"], ["大阪", "館図"]),
        ("市政府宣布新的公园计划", ["公园", "市政府", "新的公园"], ["园公"]),
        ("서울 지하철 요금", ["지하철", "요금"], ["하지"]),
        ("Правительство Москвы", ["москвы", "ПРАВИТЕЛЬСТВО"], ["киев"]),
        ("हिन्दी समाचार", ["हिन्दी", "समाचार"], ["खेल"]),
        ("Route 66 & COVID-19, A/B: o'clock", ["66", "covid-19", "covid", "a/b", "o'clock", "clock"], ["67"]),
        ("snake_case and e-mail@example.org", ["snake_case", "e-mail@example.org", "mail"], ["snakecase"]),
        ("ﬁnal ﷲ ①", ["final", "ﷲ", "1"], ["xyzzy"]),
    ],
)
def test_words_are_found_whatever_their_script_case_and_accents(
    client: httpx.Client, editor: httpx.Client, section: str, text: str, found: list[str], missed: list[str]
) -> None:
    article = published(editor, section=section, body=[{"type": "paragraph", "html": text}])
    for caller in (client, editor):
        for q in found:
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]], q
        for q in missed:
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [], q


def test_every_word_must_be_there_and_a_phrase_in_order(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    both = published(editor, section=section, headline="Harbour festival opens")
    one = published(editor, section=section, headline="Harbour closes")
    for caller in (client, editor):
        assert set(ids(caller.get(f"/v1/articles?section={section}&q=harbour"))) == {both["id"], one["id"]}
        assert ids(caller.get(f"/v1/articles?section={section}&q=opens harbour")) == [both["id"]]
        assert ids(caller.get("/v1/articles", params={"section": section, "q": '"festival opens"'})) == [
            both["id"]
        ]
        assert ids(caller.get("/v1/articles", params={"section": section, "q": '"opens festival"'})) == []


def test_what_is_in_the_headline_comes_first_unless_another_order_is_asked_for(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    headline = published(editor, section=section, headline="Tram works", published_at="2020-01-01T00:00:00Z")
    body = published(
        editor,
        section=section,
        headline="Roads",
        body=[{"type": "paragraph", "html": "tram"}],
        published_at="2021-01-01T00:00:00Z",
    )
    expected = [headline["id"], body["id"]]
    for caller in (client, editor):
        address = f"/v1/articles?section={section}&q=tram"
        assert ids(caller.get(address)) == ids(caller.get(f"{address}&sort=relevance")) == expected
        assert ids(caller.get(f"{address}&sort=-published_at")) == expected[::-1]
        assert [item["id"] for item in walk(caller, f"{address}&limit=1")] == expected
        assert caller.get(f"{address}&count=true").json()["total"] == 2


def test_summary_byline_authors_tags_and_captions_texts_are_searched(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    members = {
        "summary": "quartz",
        "byline": "By Olga Pine",
        "authors": [{"name": "Yusuf Amber"}],
        "tags": ["basalt"],
        "dateline": "OSLO",
    }
    article = published(editor, section=section, **members)
    for q in ("quartz", "olga", "amber", "basalt", "oslo"):
        assert ids(client.get(f"/v1/articles?section={section}&q={q}")) == [article["id"]], q


def test_nothing_unpublished_is_found_nor_counted(client: httpx.Client, editor: httpx.Client) -> None:
    word, note = mark(), mark()
    article = published(editor, headline=f"Now {word}", edition_note=f"Internal {note}")
    secret = mark()
    edited_draft = draft(editor, headline=f"Later {word} {secret}")
    address = f"/v1/articles?q={word}&count=true"
    assert client.get(address).json()["total"] == 1
    assert ids(client.get(f"/v1/articles?q={note}")) == []
    assert ids(client.get(f"/v1/articles?q={secret}&count=true")) == []
    assert len(ids(editor.get(f"{address}&view=staff"))) == 2
    article = edit(editor, article, headline="Now something else")
    assert client.get(address).json() == {"items": [], "next": None, "cursor": None, "total": 0}
    article = edit(editor, article, headline=f"Again {word}")
    assert ids(client.get(address)) == [article["id"]]
    article = do(editor, article, "unpublish")
    assert ids(client.get(address)) == []
    article = do(editor, article, "publish")
    assert ids(client.get(address)) == [article["id"]]
    trash(editor, article)
    assert ids(client.get(address)) == []
    assert ids(editor.get(f"{address}&view=staff")) == [edited_draft["id"]]


@pytest.mark.parametrize(
    "q",
    [
        "",
        " ",
        '"',
        '""',
        '"""',
        "*",
        "()",
        "a OR",
        "NOT",
        "AND",
        "-x",
        "^x",
        "x*",
        "headline:x",
        "NEAR(a b)",
        "'",
        "\\",
        "&|!",
        "<->",
        ":*",
        "a:b",
        "{headline}",
        "_",
        "__ _",
        "a & ! b",
        "\u0301",
        "☃",
        "x" * 500,
        "ﷲ" * 500,
        "𠀀" * 500,
        "\ufdfa" * 500,
        " ".join("abcdefghijklmnopqrst"),
        "\t\n",
        "\u200b",
        "\ufeff",
        "1e9 -3.14",
        "https://x.example/a?b=c",
        "a" * 250 + " " + "b" * 249,
    ],
)
def test_no_query_is_a_fault(client: httpx.Client, editor: httpx.Client, q: str) -> None:
    for caller in (client, editor):
        for sort in ("relevance", "-updated_at"):
            answer = caller.get("/v1/articles", params={"q": q, "sort": sort, "count": "true"})
            assert answer.status_code == 200, answer.text


def test_a_query_that_is_too_long_is_refused(client: httpx.Client) -> None:
    problem(client.get("/v1/articles", params={"q": "x" * 501}), 422)


def test_words_of_any_length_are_indexed_and_found(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    long = "ab" * 15_000
    article = published(editor, section=section, body=[{"type": "paragraph", "html": f"before {long} after"}])
    for q in ("before", "after", long[:500]):
        assert ids(client.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]], q[:20]
