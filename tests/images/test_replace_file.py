"""PUT /v1/images/{id}/file"""

from uuid import uuid4

import httpx
import pytest

from service.settings import Settings
from tests.images.pictures import (
    href_of,
    kept_files,
    make_article,
    make_caption,
    make_image,
    opened,
    picture,
    upload,
)
from tests.serving import Store

PNG = {"Content-Type": "image/png", "If-Match": "*"}


@pytest.fixture
def settings(settings_on_both: Settings) -> Settings:
    return settings_on_both


def test_an_image_gets_the_file_that_it_waited_for(editor: httpx.Client):
    image = editor.post("/v1/images", json={"source_url": None, "credit_line": "Ana Lind"}).json()
    response = editor.put(f"/v1/images/{image['id']}/file", content=picture(size=(8, 6)), headers=PNG)
    filled = response.json()
    assert response.status_code == 200, response.text
    assert (filled["width"], filled["height"], filled["version"], filled["credit_line"]) == (
        8,
        6,
        2,
        "Ana Lind",
    )
    assert editor.get(href_of(filled)).content == picture(size=(8, 6))


@pytest.mark.parametrize("as_form", [False, True])
def test_another_picture_gets_another_address(editor: httpx.Client, as_form: bool):
    image = make_image(editor)
    path, new = f"/v1/images/{image['id']}/file", picture("JPEG", colour="red")
    if as_form:
        response = editor.put(path, files={"file": new}, headers={"If-Match": '"1-a"'})
    else:
        response = editor.put(path, content=new, headers={"Content-Type": "image/jpeg", "If-Match": '"1-a"'})
    replaced = response.json()
    assert response.status_code == 200, response.text
    old_href, new_href = href_of(image), href_of(replaced)
    assert (replaced["content_type"], replaced["version"], old_href != new_href) == ("image/jpeg", 2, True)
    assert editor.get(new_href).content == new
    assert editor.get(old_href).status_code == 404


def test_the_same_picture_changes_nothing(editor: httpx.Client):
    image = make_image(editor)
    response = editor.put(f"/v1/images/{image['id']}/file", content=picture(), headers=PNG)
    assert (response.status_code, response.json()) == (200, image)


def test_the_picture_of_another_image_is_refused(editor: httpx.Client):
    other, image = make_image(editor, "red"), make_image(editor, "blue")
    response = editor.put(f"/v1/images/{image['id']}/file", content=picture(colour="red"), headers=PNG)
    assert (response.status_code, response.json()["type"], response.json()["id"]) == (
        409,
        "/problems/same-picture",
        other["id"],
    )
    assert editor.get(f"/v1/images/{image['id']}").json() == image


def test_readers_get_the_new_picture_of_a_public_image(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor)
    article = make_article(editor, image)
    editor.put(f"/v1/images/{image['id']}/file", content=picture(colour="red"), headers=PNG)
    shown = client.get(f"/v1/articles/{article['slug']}").json()["body"][0]["image"]
    red, green, blue = opened(client.get(href_of(shown, "w40", "jpg"))).getpixel((5, 5))
    assert (red > 240, green < 20, blue < 20) == (True, True, True)


def test_a_new_file_keeps_what_was_said_of_the_picture_and_reaches_every_article(
    editor: httpx.Client, client: httpx.Client
):
    image = make_image(editor, credit_line="Ana Lind", focal_point='{"x": 0.2, "y": 0.4}')
    caption = make_caption(editor, image)
    articles = [
        make_article(editor, image, headline=headline, lead_image_id=image["id"])
        for headline in ("Harbour open", "Ferry late")
    ]
    draft = make_article(editor, image, status="draft", headline="Not yet")
    before = [client.get(f"/v1/articles/{article['slug']}") for article in articles]
    response = editor.put(
        f"/v1/images/{image['id']}/file", content=picture("JPEG", (60, 20), "red"), headers=PNG
    )
    assert response.status_code == 200, response.text
    replaced = response.json()
    assert replaced["digest"] != image["digest"]
    assert replaced["renditions"][0]["href"] != image["renditions"][0]["href"]
    assert (replaced["captions"], replaced["credit_line"], replaced["focal_point"]) == (
        [caption],
        "Ana Lind",
        {"x": 0.2, "y": 0.4},
    )
    public = [rendition for rendition in replaced["renditions"] if rendition["name"] != "original"]
    for article, old in zip(articles, before, strict=True):
        seen = client.get(f"/v1/articles/{article['slug']}", headers={"If-None-Match": old.headers["etag"]})
        assert seen.status_code == 200
        for shown in (seen.json()["lead_image"], seen.json()["body"][0]["image"]):
            assert (shown["width"], shown["renditions"]) == (60, public)
        assert seen.json()["body"][0]["caption"]["text"] == caption["text"]
    assert client.get(href_of(image)).status_code == 404
    assert client.get(public[0]["href"]).headers["content-type"] == "image/jpeg"
    uses = editor.get(f"/v1/images/{image['id']}/uses").json()["items"]
    assert {use["article_id"] for use in uses} == {article["id"] for article in (*articles, draft)}


def test_the_file_of_a_trashed_image_is_not_replaced(editor: httpx.Client):
    image = make_image(editor)
    assert editor.delete(f"/v1/images/{image['id']}", headers={"If-Match": "*"}).status_code == 204
    assert (
        editor.put(f"/v1/images/{image['id']}/file", content=picture(colour="red"), headers=PNG).status_code
        == 410
    )


def test_bad_files_are_refused(editor: httpx.Client, store: Store):
    image = make_image(editor)
    path = f"/v1/images/{image['id']}/file"
    assert editor.put(path, content=b"text", headers=PNG).status_code == 415
    assert editor.put(path, content=b"text", headers=PNG | {"Content-Type": "text/plain"}).status_code == 415
    assert (
        editor.put(path, json={"source_url": "x"}, headers={"If-Match": "*"}).json()["errors"][0]["pointer"]
        == "/source_url"
    )
    assert (
        editor.put(
            path, files={"file": picture()}, data={"source": "wire"}, headers={"If-Match": "*"}
        ).status_code
        == 422
    )
    assert kept_files(store) == [image["digest"]]


def test_the_file_needs_the_current_version(editor: httpx.Client):
    image = make_image(editor)
    path = f"/v1/images/{image['id']}/file"
    assert editor.put(path, content=picture(), headers={"Content-Type": "image/png"}).status_code == 428
    stale = editor.put(path, content=picture(), headers={"Content-Type": "image/png", "If-Match": '"7-a"'})
    assert (stale.status_code, stale.json()["current_version"]) == (412, 1)
    assert editor.put(f"/v1/images/{uuid4()}/file", content=picture(), headers=PNG).status_code == 404


def test_only_writers_may_replace_a_file(client: httpx.Client, editor: httpx.Client):
    path = f"/v1/images/{make_image(editor)['id']}/file"
    assert client.put(path, content=picture(), headers=PNG).status_code == 401
    assert upload(client).status_code == 401
