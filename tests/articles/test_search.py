"""GET /v1/articles?q=… : full text, the same on both databases."""

import httpx
import pytest

from tests.articles.newsroom import (
    caption,
    do,
    draft,
    edit,
    ids,
    mark,
    picture,
    pointers,
    published,
    trash,
    walk,
)
from tests.patience import wait_until


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
        ("Route 66 & COVID-19, A/B: o'clock", ["66", "covid-19", "covid", "a/b", "o'clock", "clock"], ["67"]),
        ("snake_case and e-mail@example.org", ["snake_case", "e-mail@example.org", "mail"], ["snakecase"]),
        ("ﬁnal ﷲ ① 𝐁old ℡", ["final", "ﷲ", "1", "bold", "tel"], ["xyzzy"]),
    ],
)
def test_words_are_found_whatever_their_case_accents_and_signs(
    client: httpx.Client,
    editor: httpx.Client,
    desk: httpx.Client,
    section: str,
    text: str,
    found: list[str],
    missed: list[str],
) -> None:
    article = published(editor, section=section, body=[{"type": "paragraph", "html": text}])
    for caller in (client, desk):
        for q in found:
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]], q
        for q in missed:
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [], q


@pytest.mark.slow
def test_the_syntax_of_queries(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client, section: str
) -> None:
    texts = {
        "tram": "The tram is late",
        "bus": "The bus is late, says the mayor",
        "ferry": "Ferries are on time. The e-mails say so",
    }
    made = {published(editor, section=section, headline=text)["id"]: name for name, text in texts.items()}
    for q, expected in {
        "late": "tram bus",
        "late mayor": "bus",
        "late -mayor": "tram",
        'late -"the mayor"': "tram",
        'late -"mayor the"': "tram bus",
        "-late": "",
        "late -late": "",
        "tram OR ferries": "tram ferry",
        "tram OR bus mayor": "bus",
        "mayor tram OR bus": "bus",
        "tram or bus": "",
        "OR tram": "",
        "tram OR -bus": "",
        "ferr*": "ferry",
        "FERR* OR tra*": "tram ferry",
        "e-mai*": "ferry",
        "ferr": "",
        "*late": "tram bus",
        '"tram is lat*"': "",
        "the -ferr*": "tram bus",
        "“is late”": "tram bus",
        "„late is“": "",
        "«on time»": "ferry",
        "「is late」 -tram": "bus",
        '"is late says"': "bus",
        "tram NOT late": "",
        "headline:tram": "",
        "NEAR(tram late)": "",
        "tram & late": "tram",
        "!tram": "tram",
    }.items():
        for caller in (client, desk):
            answer = caller.get("/v1/articles", params={"section": section, "q": q})
            assert sorted(made[id_] for id_ in ids(answer)) == sorted(expected.split()), q


def test_no_phrase_reaches_from_one_paragraph_into_the_next(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client, section: str
) -> None:
    body = [
        {"type": "paragraph", "html": "It closes early"},
        {"type": "paragraph", "html": "today <b>as</b> ever"},
    ]
    article = published(editor, section=section, headline="The quay", body=body, tags=["north", "wind"])
    for caller in (client, desk):
        for q in ('"closes early"', '"today as ever"', "early today", "north wind"):
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]], q
        for q in ('"early today"', '"quay it"', '"north wind"'):
            assert ids(caller.get("/v1/articles", params={"section": section, "q": q})) == [], q


def test_every_word_must_be_there_and_a_phrase_in_order(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client, section: str
) -> None:
    both = published(editor, section=section, headline="Harbour festival opens")
    one = published(editor, section=section, headline="Harbour closes")
    for caller in (client, desk):
        assert set(ids(caller.get(f"/v1/articles?section={section}&q=harbour"))) == {both["id"], one["id"]}
        assert ids(caller.get(f"/v1/articles?section={section}&q=opens harbour")) == [both["id"]]
        assert ids(caller.get("/v1/articles", params={"section": section, "q": '"festival opens"'})) == [
            both["id"]
        ]
        assert ids(caller.get("/v1/articles", params={"section": section, "q": '"opens festival"'})) == []


def test_what_is_in_the_headline_comes_first_unless_another_order_is_asked_for(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client, section: str
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
    for caller in (client, desk):
        address = f"/v1/articles?section={section}&q=tram"
        assert ids(caller.get(address)) == ids(caller.get(f"{address}&sort=relevance")) == expected
        assert ids(caller.get(f"{address}&sort=-published_at")) == expected[::-1]
        assert [item["id"] for item in walk(caller, f"{address}&limit=1")] == expected
        assert caller.get(f"{address}&count=true").json()["total"] == 2


@pytest.mark.slow
def test_summary_byline_authors_tags_and_captions_are_searched(
    client: httpx.Client, editor: httpx.Client, desk: httpx.Client, section: str
) -> None:
    lead, shown = picture(editor), picture(editor)
    caption(editor, lead["id"], text="feldspar", alt_text="gneiss")
    members = {
        "summary": "quartz",
        "byline": "By Olga Pine",
        "authors": [{"name": "Yusuf Amber"}],
        "tags": ["basalt"],
        "dateline": "OSLO",
        "lead_image_id": lead["id"],
        "body": [{"type": "image", "image_id": shown["id"]}],
    }
    article = published(editor, section=section, **members)
    first = caption(editor, shown["id"], article_id=article["id"], text="obsidian")
    # The desk's index of a changed caption is the work of a job.
    wait_until(lambda: ids(desk.get(f"/v1/articles?section={section}&q=obsidian")) == [article["id"]])
    for q in ("quartz", "olga", "amber", "basalt", "oslo", "feldspar", "gneiss", "obsidian"):
        for caller in (client, desk):
            assert ids(caller.get(f"/v1/articles?section={section}&q={q}")) == [article["id"]], q
    editor.patch(f"/v1/captions/{first['id']}", json={"text": "granite"}, headers={"If-Match": "*"})
    new, old = (f"/v1/articles?section={section}&q={q}" for q in ("granite", "obsidian"))
    assert ids(client.get(new)) == [article["id"]]
    wait_until(lambda: ids(desk.get(new)) == [article["id"]])
    for caller in (client, desk):
        assert ids(caller.get(old)) == []


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
        "\u200b",
        "\ufeff",
        "1e9 -3.14",
        "https://x.example/a?b=c",
        "a" * 250 + " " + "b" * 249,
    ],
)
def test_no_query_is_a_fault(client: httpx.Client, desk: httpx.Client, q: str) -> None:
    for caller in (client, desk):
        for sort in ("relevance", "-updated_at"):
            answer = caller.get("/v1/articles", params={"q": q, "sort": sort, "count": "true"})
            assert answer.status_code == 200, answer.text


def test_a_query_that_is_empty_or_too_long_is_refused(client: httpx.Client) -> None:
    for q in ("", " ", "\t\n", "x" * 501):
        assert pointers(client.get("/v1/articles", params={"q": q})) == ["/q"], q


def test_words_of_any_length_are_indexed_and_found(
    client: httpx.Client, editor: httpx.Client, section: str
) -> None:
    long = "ab" * 15_000
    article = published(editor, section=section, body=[{"type": "paragraph", "html": f"before {long} after"}])
    for q in ("before", "after", long[:500]):
        assert ids(client.get("/v1/articles", params={"section": section, "q": q})) == [article["id"]], q[:20]
