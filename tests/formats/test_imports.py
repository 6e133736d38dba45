"""Bringing pages in over `POST /v1/imports`."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from service.imports import apart
from tests.articles.newsroom import mark, problem
from tests.formats.dump import DUMP
from tests.serving import EDITOR, Store, running, settings_for
from tests.websites import answer, website

PAGE = """<!doctype html><html lang="en"><head><title>Ferry service doubled | Larkmouth Mail</title>
<link rel="canonical" href="https://mail.example/ferry"><meta property="og:title" content="Ferry service doubled">
<script type="application/ld+json">{"@context":"https://schema.org","@type":"NewsArticle","headline":"Ferry service doubled",
"datePublished":"2026-05-04T08:00:00+01:00","author":[{"@type":"Person","name":"Mara Ellison"}]}</script></head><body><article>
<h1>Ferry service doubled</h1><p>Ferries to the outer islands will run every hour from June, twice as often as before, officials said.</p>
<figure><img src="/pictures/ferry.jpg" alt="A white ferry"><figcaption>The morning ferry leaves the quay. Photo: Ana Lind</figcaption></figure>
<p>Two ships bought last winter make the new timetable possible, the harbour office said in a statement on Monday.</p>
<p>Tickets stay at last year's price until the end of September, when the council will look at them once more.</p></article></body></html>"""


def import_dump(editor: httpx.Client, text: str = DUMP) -> httpx.Response:
    return editor.post(
        "/v1/imports", content=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"}
    )


@pytest.mark.slow
def test_a_dump_becomes_a_draft_with_its_paragraphs_pictures_captions_and_credits(
    editor: httpx.Client,
) -> None:
    answer = import_dump(editor)
    assert answer.status_code == 201
    article = answer.json()
    assert article["headline"] == "Ferry service to the outer islands doubled"
    assert article["status"] == "draft"
    assert article["credit_line"] == "With input from Harbour Press"
    kinds = [block["type"] for block in article["body"]]
    assert kinds == ["image", "paragraph", "paragraph", "paragraph", "image", "paragraph"]
    first = article["body"][0]
    assert first["image"]["credit_line"] == "Harbour Press"
    assert first["caption"]["text"] == "The morning ferry leaves the old quay, Larkmouth, May 4, 2026."
    for shown in (article["body"][0], article["body"][4]):
        assert len(editor.get(f"/v1/images/{shown['image_id']}").json()["captions"]) == 1
    assert "Search Trends" not in answer.text


def test_the_banner_of_a_dump_is_kept_word_for_word_and_told_truthfully(
    editor: httpx.Client, client: httpx.Client
) -> None:
    import_dump(editor)
    notice = client.get("/v1/consent-notices/page-dump/current").json()
    assert notice["texts"]["body"].startswith("By continuing to use these pages you accept our cookies")
    assert notice["texts"]["actions"]["acknowledge"] == "I agree"
    assert (notice["consent_model"], notice["valid_for_consent"]) == ("notice_only", False)


def test_a_banner_is_published_by_nobody_who_may_publish_nothing_and_never_over_the_readers_notice(
    store: Store, editor: httpx.Client, client: httpx.Client
) -> None:
    before = client.get("/v1/consent-notices").json()["items"]
    banner = '<div id="cookie-banner"><p>We use cookies. By staying here you accept them.</p><button>OK</button></div>'
    page = PAGE.replace("</body>", f"{banner}</body>")
    assert banner in page
    for site, scopes in (("default", EDITOR), ("browsewrap", EDITOR), ("paper.example", EDITOR[:2])):
        address = quote(f"https://{site}/{mark()}", safe="")
        with store.client(*scopes) as writer:
            answer = writer.post(
                f"/v1/imports?url={address}&fetch_images=false",
                content=page.replace("https://mail.example/ferry", f"https://{site}/ferry").encode(),
                headers={"Content-Type": "text/html"},
            )
        assert answer.status_code == 201, answer.text
        assert "banner" in [each["what"] for each in answer.json()["import"]["dropped"]], site
    assert client.get("/v1/consent-notices").json()["items"] == before


def test_the_same_dump_again_changes_nothing(editor: httpx.Client) -> None:
    first, second = import_dump(editor), import_dump(editor)
    assert second.status_code == 200
    assert second.json() == first.json()


def test_a_mended_dump_updates_the_article_and_keeps_its_pictures(editor: httpx.Client) -> None:
    first = import_dump(editor).json()
    editor.post(f"/v1/articles/{first['id']}/publish")
    second = import_dump(
        editor, DUMP.replace("forty cars", "fifty cars").replace("leaves the old quay", "leaves the new quay")
    ).json()
    assert (second["id"], second["version"], second["status"]) == (first["id"], 3, "published")
    assert [block.get("image_id") for block in second["body"]] == [
        block.get("image_id") for block in first["body"]
    ]
    assert second["body"][0]["caption"]["text"].startswith("The morning ferry leaves the new quay")


def test_an_html_page_is_known_by_its_address_and_its_pictures_wait_for_their_files(
    editor: httpx.Client,
) -> None:
    query = f"?url={quote('https://mail.example/ferry?from=home', safe='')}&fetch_images=false"
    answer = editor.post(f"/v1/imports{query}", content=PAGE.encode(), headers={"Content-Type": "text/html"})
    assert answer.status_code == 201
    article = answer.json()
    assert (article["source"], article["external_id"]) == ("mail.example", "https://mail.example/ferry")
    assert article["published_at"] == "2026-05-04T07:00:00Z"
    assert [author["name"] for author in article["authors"]] == ["Mara Ellison"]
    picture = next(block for block in article["body"] if block["type"] == "image")
    image = editor.get(f"/v1/images/{picture['image_id']}").json()
    assert image["source_url"] == "https://mail.example/pictures/ferry.jpg"
    assert (image["digest"], image["renditions"]) == (None, [])
    assert (picture["image"]["credit_line"], picture["caption"]["text"]) == (
        "Ana Lind",
        "The morning ferry leaves the quay.",
    )
    assert picture["caption"]["alt_text"] == "A white ferry"
    again = editor.post(f"/v1/imports{query}", content=PAGE.encode(), headers={"Content-Type": "text/html"})
    assert (again.status_code, again.json()["version"]) == (200, 1)


@pytest.mark.slow
def test_a_large_page_is_read_alike_in_a_process_of_its_own_that_ends_in_time(
    editor: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = PAGE.replace("<body>", f"<body><!--{'x' * apart.LARGE}-->")
    asked = {"params": {"fetch_images": "false"}, "headers": {"Content-Type": "text/html"}}
    small = editor.post("/v1/imports", content=PAGE.encode(), **asked)
    again = editor.post("/v1/imports", content=large.encode(), **asked)
    assert (small.status_code, again.status_code, again.json()["version"]) == (201, 200, 1)
    nothing = editor.post("/v1/imports", content=b"<p>" * apart.LARGE, **asked)
    assert (nothing.status_code, nothing.json()["type"]) == (422, "/problems/unreadable-page")
    monkeypatch.setattr(apart, "SECONDS", 0)
    refused = editor.post("/v1/imports", content=large.encode(), **asked)
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/too-hard-to-read")


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"", "text/plain", 422),
        (b"<html></html>", "text/html", 422),
        (b"\xff\xfe\x00broken", "text/plain", 422),
        (b"{", "application/json", 400),
        (b'{"url": "ftp://x.example/"}', "application/json", 422),
        (b'{"address": "https://x.example/"}', "application/json", 422),
        (b"x", "application/pdf", 415),
    ],
)
def test_what_holds_no_article_is_refused_and_nothing_is_kept(
    editor: httpx.Client, content: bytes, media_type: str, status: int
) -> None:
    answer = editor.post("/v1/imports", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert editor.get("/v1/articles").json()["items"] == []


def test_a_reader_may_not_import(client: httpx.Client) -> None:
    assert import_dump(client).status_code == 401


@pytest.fixture
def fetching(tmp_path: Path, database_url: str) -> Iterator[Store]:
    """A store that may fetch from this machine."""
    with running(settings_for(database_url, tmp_path, outbound_allow_loopback=True)) as running_store:
        yield running_store


def test_a_page_is_fetched_whichever_way_its_address_is_told(fetching: Store) -> None:
    with website() as site, fetching.client("content:write") as writer:
        site.pages["/ferry"] = answer(PAGE.encode(), "Content-Type: text/html; charset=utf-8")
        first = writer.post("/v1/imports?fetch_images=false", json={"url": f"{site.url}/ferry"})
        again = writer.post("/v1/imports", params={"url": f"{site.url}/ferry", "fetch_images": "false"})
        assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
        assert writer.post("/v1/imports").status_code == 415


@pytest.mark.slow
def test_what_may_be_sent_is_documented(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()["paths"]["/v1/imports"]["post"]
    assert sorted(described["requestBody"]["content"]) == [
        "application/json",
        "application/ninjs+json",
        "text/html",
        "text/plain",
    ]
    assert {"200", "201"} <= set(described["responses"])


@pytest.mark.parametrize(
    ("media_type", "body", "pointer"),
    [
        ("application/json", "[]", ""),
        ("application/json", '{"url": "https://a.example", "a/b": 1}', "/a~1b"),
        ("application/ninjs+json", '{"uri": "urn:x", "headlines": [{"value": 1}]}', "/headlines/0/value"),
    ],
)
def test_a_refusal_points_into_the_body_that_was_sent(
    editor: httpx.Client, media_type: str, body: str, pointer: str
) -> None:
    refused = problem(editor.post("/v1/imports", content=body, headers={"Content-Type": media_type}), 422)
    assert [each["pointer"] for each in refused["errors"]] == [pointer]
