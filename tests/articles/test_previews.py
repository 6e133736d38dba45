"""A preview shows a draft, with its pictures, to whoever has its address, until it expires or is revoked."""

import re
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import text

from tests.articles.newsroom import draft, edit, problem, published, trash
from tests.clocks import MovableClock, clock
from tests.images.pictures import make_image
from tests.serving import Store

__all__ = ["clock"]


@pytest.fixture
def shown(editor: httpx.Client) -> dict:
    """A draft with a picture that nobody else may see."""
    image = make_image(editor)
    return draft(
        editor,
        headline="Secret ferry plans",
        edition_note="For the desk.",
        lead_image_id=image["id"],
        body=[{"type": "image", "image_id": image["id"]}, {"type": "paragraph", "html": "Soon."}],
    )


def preview(editor: httpx.Client, article: dict, **asked: object) -> dict:
    response = editor.post(f"/v1/articles/{article['id']}/previews", json=asked)
    assert response.status_code == 201, response.text
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["location"] == response.json()["href"]
    return response.json()


@pytest.mark.slow
def test_whoever_has_the_address_sees_the_draft_with_its_pictures(
    client: httpx.Client, editor: httpx.Client, shown: dict
) -> None:
    made = preview(editor, shown)
    answer = client.get(made["href"])
    seen = answer.json()
    assert (answer.status_code, seen["headline"], seen["status"]) == (200, "Secret ferry plans", "draft")
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == (
        "private, no-store",
        "noindex",
    )
    assert seen["edition_note"] is None
    for image in (seen["lead_image"], seen["body"][0]["image"]):
        assert image["renditions"]
        for rendition in image["renditions"]:
            file = client.get(rendition["href"])
            assert (file.status_code, file.headers["cache-control"]) == (200, "private, no-store")
            assert client.get(rendition["href"].removeprefix(made["href"])).status_code == 404
    problem(client.get(f"/v1/articles/{shown['id']}"), 404)
    problem(client.get(f"/v1/images/{shown['lead_image_id']}"), 404)


def test_its_page_is_the_articles_for_nobody_to_index_or_keep(
    client: httpx.Client, editor: httpx.Client, shown: dict
) -> None:
    answer = client.get(preview(editor, shown)["page"])
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "Secret ferry plans" in answer.text
    assert "canonical" not in answer.text
    files = set(re.findall(r"/v1/previews/[^\s\",]+", answer.text))
    assert files
    assert {client.get(file).status_code for file in files} == {200}


def test_it_shows_what_the_article_is_or_one_version_of_it(
    client: httpx.Client, editor: httpx.Client, shown: dict
) -> None:
    newest, first = preview(editor, shown), preview(editor, shown, version=1)
    edit(editor, shown, headline="Public ferry plans")
    assert client.get(newest["href"]).json()["headline"] == "Public ferry plans"
    old = client.get(first["href"]).json()
    assert (old["headline"], old["version"]) == ("Secret ferry plans", 1)
    problem(editor.post(f"/v1/articles/{shown['id']}/previews", json={"version": 99}), 404)


def test_it_ends_when_it_expires_is_revoked_or_the_article_is_deleted(
    store: Store, client: httpx.Client, editor: httpx.Client, shown: dict
) -> None:
    other = published(editor)
    kept = preview(editor, other, expires_in=7_200)
    lasts = datetime.fromisoformat(kept["expires_at"]) - datetime.now(UTC)
    assert 7_100 < lasts.total_seconds() <= 7_200
    first, second = preview(editor, shown), preview(editor, shown)
    assert editor.delete(f"/v1/articles/{shown['id']}/previews").status_code == 204
    for made in (first, second):
        for address in (made["href"], made["page"]):
            gone = client.get(address)
            assert (gone.status_code, gone.headers["x-robots-tag"]) == (404, "noindex")
            assert gone.headers["cache-control"] == "private, no-store"
    assert client.get(kept["href"]).status_code == 200
    trash(editor, other)
    problem(client.get(kept["href"]), 404)
    expired = preview(editor, shown)
    with store.database.engine.begin() as connection:
        connection.execute(text("UPDATE article_preview SET expires_at = '2020-01-01 00:00:00+00:00'"))
    problem(client.get(expired["href"]), 404)
    problem(client.get("/v1/previews/cd_nobody"), 404)


def test_it_stays_expired_when_the_clock_is_set_back(
    client: httpx.Client, editor: httpx.Client, shown: dict, clock: MovableClock
) -> None:
    made = preview(editor, shown, expires_in=3_600)
    assert client.get(made["href"]).status_code == 200
    for time in ({"hours": 1, "seconds": 1}, {"hours": -1}):
        clock.set_forward(**time)
        problem(client.get(made["href"]), 404)


def test_a_preview_needs_no_wishes_and_has_an_etag(
    client: httpx.Client, editor: httpx.Client, shown: dict
) -> None:
    made = editor.post(f"/v1/articles/{shown['id']}/previews")
    assert made.status_code == 201, made.text
    seen = client.get(made.json()["href"])
    again = client.get(made.json()["href"], headers={"If-None-Match": seen.headers["etag"]})
    assert (again.status_code, again.content, again.headers["x-robots-tag"]) == (304, b"", "noindex")
    edit(editor, shown, headline="Ferry plans, told")
    assert client.get(made.json()["href"], headers={"If-None-Match": seen.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("asked", [{"expires_in": 0}, {"expires_in": 10**9}, {"version": 0}, {"for": "me"}])
def test_bad_wishes_are_refused(editor: httpx.Client, shown: dict, asked: dict) -> None:
    refused = problem(editor.post(f"/v1/articles/{shown['id']}/previews", json=asked), 422)
    assert refused["errors"][0]["pointer"] == f"/{next(iter(asked))}"


def test_only_who_reads_drafts_makes_and_revokes_previews(
    store: Store, client: httpx.Client, shown: dict
) -> None:
    address = f"/v1/articles/{shown['id']}/previews"
    with store.client("content:write") as writer:
        for caller, status in ((client, 401), (writer, 403)):
            problem(caller.post(address, json={}), status)
            problem(caller.delete(address), status)
