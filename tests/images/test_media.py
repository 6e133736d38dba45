"""GET /media/{id}/{name}"""

import hashlib
from uuid import uuid4

import httpx
import pytest

from tests.articles.newsroom import problem
from tests.images.pictures import href_of, make_article, make_own_image, opened
from tests.images.sharing import store

__all__ = ["store"]


@pytest.fixture
def image(editor: httpx.Client) -> dict:
    return make_own_image(editor)


@pytest.fixture
def href(image: dict) -> str:
    return href_of(image, "w40", "webp")


@pytest.fixture
def public_href(editor: httpx.Client, image: dict, href: str) -> str:
    make_article(editor, image)
    return href


def test_readers_get_a_file_of_a_public_picture_for_ever(client: httpx.Client, public_href: str):
    response = client.get(public_href)
    assert opened(response).size == (40, 30)
    assert response.headers["content-type"] == "image/webp"
    assert (
        response.headers["cache-control"]
        == "public, max-age=86400, stale-while-revalidate=86400, stale-if-error=86400"
    )
    assert response.headers["content-length"] == str(len(response.content))


def test_a_file_is_harmless_whatever_it_holds(client: httpx.Client, public_href: str):
    headers = client.get(public_href).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["content-disposition"] == 'inline; filename="w40.webp"'


def test_the_file_as_it_came_is_for_staff_alone(
    editor: httpx.Client, client: httpx.Client, image: dict, public_href: str
):
    original = href_of(image)
    assert original == f"/media/{image['id']}/original-{image['digest'][:12]}.png"
    given = editor.get(original)
    assert (given.status_code, given.headers["cache-control"]) == (200, "private, no-store")
    assert hashlib.sha256(given.content).hexdigest() == image["digest"]
    instead = client.get(original)
    assert (instead.status_code, instead.headers["location"]) == (307, public_href.removesuffix(".webp"))
    assert "original" not in client.get(f"/v1/images/{image['id']}").text


def test_a_known_file_is_not_sent_again(client: httpx.Client, public_href: str):
    etag = client.get(public_href).headers["etag"]
    response = client.get(public_href, headers={"If-None-Match": etag})
    assert (response.status_code, response.content, response.headers["etag"]) == (304, b"", etag)


def test_a_part_of_a_file_can_be_asked_for(client: httpx.Client, public_href: str):
    all_of_it = client.get(public_href)
    part = client.get(public_href, headers={"Range": "bytes=4-9", "If-Range": all_of_it.headers["etag"]})
    assert (part.status_code, part.content) == (206, all_of_it.content[4:10])
    assert part.headers["content-range"] == f"bytes 4-9/{len(all_of_it.content)}"
    whole = client.get(public_href, headers={"Range": "bytes=4-9", "If-Range": '"another"'})
    assert (whole.status_code, whole.content) == (200, all_of_it.content)
    beyond = client.get(public_href, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["content-type"]) == (416, "application/problem+json")
    assert (beyond.json()["type"], beyond.headers["content-range"]) == (
        "/problems/range-not-satisfiable",
        f"bytes */{len(whole.content)}",
    )
    unreadable = client.get(public_href, headers={"Range": "bytes=x"})
    if unreadable.status_code == 200:  # A bucket's answer is the whole, as if nothing had been asked for.
        assert unreadable.content == all_of_it.content
    else:
        problem(unreadable, 400)


def test_head_tells_without_sending(client: httpx.Client, public_href: str):
    response = client.head(public_href)
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 30


def test_the_file_of_a_hidden_picture_is_for_editors_and_no_cache(
    editor: httpx.Client, client: httpx.Client, href: str
):
    refused, given = client.get(href), editor.get(href)
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
    assert (opened(given).size, given.headers["cache-control"]) == ((40, 30), "private, no-store")
    assert given.headers["x-content-type-options"] == "nosniff"


def test_a_file_is_hidden_again_with_its_article(
    editor: httpx.Client, client: httpx.Client, image: dict, href: str
):
    article = make_article(editor, image)
    assert client.get(href).status_code == 200
    assert editor.post(f"/v1/articles/{article['id']}/unpublish").status_code == 200
    assert client.get(href).status_code == 404


def test_a_width_or_crop_that_is_not_listed_leads_to_the_nearest_that_is(
    client: httpx.Client, public_href: str, image: dict
):
    folder = f"/media/{image['id']}"
    for name, size in {
        "w640-000000000000.webp": "w40",
        "w7-000000000000.webp": "w40",
        "2x3-w40-000000000000.jpg": "w40",
        "1x1-w2400-000000000000.avif": "1x1-w30",
        "16x9-w10-000000000000": "16x9-w40",
    }.items():
        moved = client.get(f"{folder}/{name}")
        assert (moved.status_code, moved.headers["location"].rpartition("/")[2].rpartition("-")[0]) == (
            307,
            size,
        )
        assert client.get(moved.headers["location"]).status_code == 200


def test_other_names_lead_nowhere(client: httpx.Client, editor: httpx.Client, public_href: str, image: dict):
    folder = f"/media/{image['id']}"
    for path in (
        f"{folder}/original-000000000000.png",
        f"{folder}/w40.webp",
        f"{folder}/w40-0000000.webp",
        f"{folder}/cover-000000000000.webp",
        f"{folder}/w40-000000000000.gif",
        f"{folder}/{image['digest']}",
        f"{folder}/..%2F..%2Fcopydesk.db",
        f"/media/{uuid4()}/a.png",
    ):
        assert client.get(path).status_code == 404
        assert editor.get(path).status_code == 404
    assert client.get("/media/nonsense/a.png").status_code in (404, 422)
