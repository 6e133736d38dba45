"""GET /v1/articles/{id or slug}."""

from uuid import uuid4

import httpx
import pytest

from tests.articles.newsroom import caption, do, draft, edit, mark, picture, problem, published, trash
from tests.serving import Store


@pytest.mark.parametrize("by", ["id", "slug"])
def test_a_reader_reads_a_published_article(client: httpx.Client, editor: httpx.Client, by: str) -> None:
    article = published(editor, headline=f"Bridge {mark()}", edition_note="Only for the desks")
    read = client.get(f"/v1/articles/{article[by]}")
    assert read.json() == {**article, "edition_note": None}
    assert read.headers["cache-control"].startswith("public, max-age=")
    assert "accept-encoding" in read.headers["vary"].lower()


@pytest.mark.parametrize("by", ["id", "slug"])
def test_a_draft_is_for_those_with_content_read_alone(
    client: httpx.Client, store: Store, editor: httpx.Client, by: str
) -> None:
    article = draft(editor, headline=f"Secret {mark()}")
    problem(client.get(f"/v1/articles/{article[by]}"), 404)
    with store.client("content:write") as writer, store.client("content:read") as desk:
        problem(writer.get(f"/v1/articles/{article[by]}"), 404)
        assert desk.get(f"/v1/articles/{article[by]}").json() == article


@pytest.mark.parametrize(
    "key",
    [
        "0199aaaa-0000-7000-8000-00000000abcd",
        "no-such-slug",
        "%00",
        "a%00b",
        "%F0%9F%92%A9",
        "..%2Ftokens",
        "x" * 3000,
        "%FF%FE",
    ],
)
def test_what_is_not_there_is_404_to_anybody(client: httpx.Client, editor: httpx.Client, key: str) -> None:
    for caller in (client, editor):
        problem(caller.get(f"/v1/articles/{key}"), 404)
        problem(caller.get(f"/v1/articles/{key}?body=html"), 404)


def test_an_id_may_be_written_in_capitals(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    for caller in (client, editor):
        assert caller.get(f"/v1/articles/{article['id'].upper()}").status_code == 200


def test_a_slug_of_hexadecimal_digits_is_a_slug(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor, slug=uuid4().hex)
    for caller in (client, editor):
        assert caller.get(f"/v1/articles/{article['slug']}").json()["id"] == article["id"]


def test_an_article_is_read_as_html_and_as_text_too(client: httpx.Client, editor: httpx.Client) -> None:
    body = [
        {"type": "heading", "level": 2, "html": "Wind &amp; tide"},
        {"type": "paragraph", "html": "One<br>two <em>three</em>."},
        {"type": "quote", "html": "Well.", "cite": "A < B"},
        {"type": "list", "ordered": True, "items": ["x", "y"]},
        {"type": "divider"},
    ]
    article = published(editor, body=body)
    for caller in (client, editor):
        read = caller.get(f"/v1/articles/{article['id']}?body=html").json()
        assert read["body_html"].splitlines() == [
            "<h2>Wind &amp; tide</h2>",
            "<p>One<br>two <em>three</em>.</p>",
            "<blockquote><p>Well.</p><footer><cite>A &lt; B</cite></footer></blockquote>",
            "<ol><li>x</li><li>y</li></ol>",
            "<hr>",
        ]
        assert caller.get(f"/v1/articles/{article['id']}?body=text").json()["body_text"] == (
            "Wind & tide\n\nOne\ntwo three.\n\nWell.\n\n- x\n- y"
        )
        assert "body_html" not in caller.get(f"/v1/articles/{article['id']}").json()


def test_a_picture_in_the_body_is_read_whole_with_the_caption_that_holds(
    client: httpx.Client, editor: httpx.Client
) -> None:
    image = picture(editor)
    caption(editor, image["id"], text="Everywhere.")
    article = published(editor, body=[{"type": "image", "image_id": image["id"]}])
    own = caption(editor, image["id"], text="Here.", article_id=article["id"])
    elsewhere = caption(editor, image["id"], text="Elsewhere, in a draft.", article_id=draft(editor)["id"])
    block = client.get(f"/v1/articles/{article['id']}").json()["body"][0]
    assert (block["image"]["id"], block["caption"]["id"], block["caption"]["scope"]) == (
        image["id"],
        own["id"],
        "article",
    )
    assert elsewhere["id"] not in client.get(f"/v1/articles/{article['id']}?body=text").text


def test_an_edited_caption_is_read_in_the_article_at_once(client: httpx.Client, editor: httpx.Client) -> None:
    image = picture(editor)
    words = caption(editor, image["id"])
    article = published(editor, lead_image_id=image["id"])
    before = client.get(f"/v1/articles/{article['id']}")
    editor.patch(f"/v1/captions/{words['id']}", json={"text": "Second run."}, headers={"If-Match": "*"})
    after = client.get(f"/v1/articles/{article['id']}", headers={"If-None-Match": before.headers["etag"]})
    assert after.json()["lead_image"]["caption"]["text"] == "Second run."
    assert after.json()["version"] == article["version"]


def test_what_goes_away_says_how(client: httpx.Client, editor: httpx.Client) -> None:
    unpublished, withdrawn, deleted, never = (published(editor) for _ in range(3)), None, None, draft(editor)
    unpublished, withdrawn, deleted = unpublished
    do(editor, unpublished, "unpublish")
    do(editor, withdrawn, "withdraw", reason="The figures were wrong.")
    trash(editor, deleted)
    trash(editor, never)
    problem(client.get(f"/v1/articles/{unpublished['id']}"), 404)
    found = problem(client.get(f"/v1/articles/{withdrawn['slug']}"), 410, "withdrawn")
    assert "The figures were wrong." in found["detail"]
    assert problem(client.get(f"/v1/articles/{deleted['id']}"), 410)["reason"] == "deleted"
    problem(client.get(f"/v1/articles/{never['id']}"), 404)
    problem(editor.get(f"/v1/articles/{never['id']}"), 410)


def test_head_answers_as_get_without_the_body(client: httpx.Client, editor: httpx.Client) -> None:
    article = published(editor)
    for caller in (client, editor):
        head, get = (caller.request(method, f"/v1/articles/{article['id']}") for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["etag"] == get.headers["etag"]


def test_the_etag_changes_with_the_article_and_the_form_asked_for(
    client: httpx.Client, editor: httpx.Client
) -> None:
    article = published(editor)
    address = f"/v1/articles/{article['id']}"
    for caller in (client, editor):
        tags = {caller.get(address + query).headers["etag"] for query in ("", "?body=html", "?body=text")}
        edit(editor, editor.get(address).json(), summary=mark())
        tags |= {caller.get(address + query).headers["etag"] for query in ("", "?body=html", "?body=text")}
        assert len(tags) == 6
        assert not any(tag.startswith("W/") for tag in tags)
