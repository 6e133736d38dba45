"""POST /v1/images and PUT …/file with the address of a picture"""

from collections.abc import Iterator

import httpx
import pytest

from service.settings import Settings
from tests.images.pictures import href_of, kept_files, make_article, make_image, noise, opened, picture
from tests.serving import Store, settings_for
from tests.websites import Website, answer, redirect, website


@pytest.fixture
def settings(database_url: str, tmp_path, media: dict) -> Settings:
    return settings_for(
        database_url, tmp_path, **media, outbound_allow_loopback=True, outbound_max_bytes=20_000
    )


@pytest.fixture
def site() -> Iterator[Website]:
    with website() as other:
        other.pages["/harbour.jpg"] = answer(picture(), "Content-Type: text/html")
        yield other


def test_a_picture_is_fetched_from_its_address(editor: httpx.Client, site: Website):
    address = f"{site.url}/harbour.jpg"
    response = editor.post("/v1/images", json={"source_url": address, "credit_line": "Ana Lind"})
    image = response.json()
    assert response.status_code == 201, response.text
    assert (image["source_url"], image["credit_line"], image["content_type"], image["width"]) == (
        address,
        "Ana Lind",
        "image/png",
        40,
    )
    assert editor.get(href_of(image)).content == picture()


def test_a_fetched_picture_that_is_here_already_is_the_same_image(editor: httpx.Client, site: Website):
    image = make_image(editor)
    response = editor.post("/v1/images", json={"source_url": f"{site.url}/harbour.jpg"})
    assert (response.status_code, response.json()) == (200, image)


def test_an_address_can_be_kept_for_later(editor: httpx.Client, site: Website):
    response = editor.post(
        "/v1/images", params={"fetch": "false"}, json={"source_url": f"{site.url}/harbour.jpg"}
    )
    assert (response.status_code, response.json()["digest"], site.requests) == (201, None, [])
    path = f"/v1/images/{response.json()['id']}/file"
    later = editor.put(path, json={"source_url": f"{site.url}/harbour.jpg"}, headers={"If-Match": "*"})
    assert (later.status_code, later.json()["width"]) == (200, 40)


@pytest.mark.parametrize(
    ("page", "status", "problem"),
    [
        (answer(b"<html><p>Moved", "Content-Type: image/png"), 422, "unexpected-content"),
        (answer(noise((30, 30))[:-200]), 422, "damaged-picture"),
        (answer(status="404 Not Found"), 502, "fetch-failed"),
        (answer(noise((200, 200))), 502, "source-too-large"),
        (redirect("http://169.254.169.254/latest/meta-data"), 422, "address-refused"),
        (b"", 502, "fetch-failed"),
    ],
)
def test_what_cannot_be_fetched_makes_no_image(
    editor: httpx.Client, store: Store, site: Website, page: bytes, status: int, problem: str
):
    site.pages["/harbour.jpg"] = page
    response = editor.post("/v1/images", json={"source_url": f"{site.url}/harbour.jpg"})
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{problem}")
    assert (editor.get("/v1/images").json()["items"], kept_files(store)) == ([], [])


@pytest.mark.slow
def test_an_image_whose_file_could_not_be_fetched_gets_it_later_wherever_it_is_shown(
    editor: httpx.Client, client: httpx.Client, site: Website
):
    address = f"{site.url}/harbour.jpg"
    page, site.pages["/harbour.jpg"] = site.pages["/harbour.jpg"], answer(status="503 Service Unavailable")
    failed = editor.post("/v1/images", json={"source_url": address})
    assert (failed.status_code, failed.json()["source_status"]) == (502, 503)
    image = editor.post(
        "/v1/images", params={"fetch": "false"}, json={"source_url": address, "credit_line": "Ana Lind"}
    ).json()
    article = make_article(editor, image)
    assert client.get(f"/v1/articles/{article['slug']}").json()["body"][0]["image"]["renditions"] == []
    path = f"/v1/images/{image['id']}/file"
    assert editor.put(path, json={"source_url": address}, headers={"If-Match": "*"}).status_code == 502
    assert editor.get(f"/v1/images/{image['id']}").json() == image | {"captions": []}
    site.pages["/harbour.jpg"] = page
    assert editor.put(path, json={"source_url": address}, headers={"If-Match": "*"}).status_code == 200
    shown = client.get(f"/v1/articles/{article['slug']}").json()["body"][0]["image"]
    assert shown["credit_line"] == "Ana Lind"
    assert opened(client.get(shown["renditions"][0]["href"])).size == (40, 30)


@pytest.mark.parametrize(
    "page", [answer(noise((60, 60))[:-500], "Content-Length: 9999"), answer(noise((60, 60)))[:-500]]
)
def test_a_picture_that_breaks_off_midway_leaves_nothing(
    editor: httpx.Client, store: Store, site: Website, page: bytes
):
    site.pages["/harbour.jpg"] = page
    response = editor.post("/v1/images", json={"source_url": f"{site.url}/harbour.jpg"})
    assert (response.status_code, response.json()["type"]) == (502, "/problems/fetch-failed")
    assert (editor.get("/v1/images").json()["items"], kept_files(store)) == ([], [])


def test_redirects_to_a_picture_are_followed_and_the_address_given_is_kept(
    editor: httpx.Client, site: Website
):
    site.pages["/moved"], site.pages["/on"] = redirect("/on"), redirect(f"{site.url}/harbour.jpg")
    image = editor.post("/v1/images", json={"source_url": f"{site.url}/moved"}).json()
    assert (image["source_url"], image["width"]) == (f"{site.url}/moved", 40)


@pytest.mark.parametrize("address", ["http://editor:secret@{}/harbour.jpg", "http://editor@{}/harbour.jpg"])
def test_an_address_with_credentials_is_refused_and_not_repeated(
    editor: httpx.Client, site: Website, address: str
):
    response = editor.post(
        "/v1/images", json={"source_url": address.format(site.url.removeprefix("http://"))}
    )
    assert response.status_code == 422
    assert "secret" not in response.text
    assert site.requests == []


@pytest.mark.parametrize(
    "address",
    ["http://10.0.0.1/a.jpg", "http://192.168.1.1/", "http://[fd00::1]/a.jpg", "http://169.254.169.254/"],
)
def test_addresses_of_private_networks_are_refused(editor: httpx.Client, address: str):
    response = editor.post("/v1/images", json={"source_url": address})
    assert (response.status_code, response.json()["type"]) == (422, "/problems/address-refused")


def test_nothing_is_fetched_for_those_who_may_not_write(client: httpx.Client, store: Store, site: Website):
    body = {"source_url": f"{site.url}/harbour.jpg"}
    assert client.post("/v1/images", json=body).status_code == 401
    with store.client("content:read") as reader:
        assert reader.post("/v1/images", json=body).status_code == 403
    assert site.requests == []
