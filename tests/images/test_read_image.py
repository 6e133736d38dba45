"""GET /v1/images/{id}"""

from uuid import uuid4

import httpx

from tests.images.pictures import make_article, make_caption, make_image


def test_an_editor_reads_an_image_with_all_its_captions(editor: httpx.Client):
    image = make_image(editor)
    article = make_article(editor, image, status="draft")
    general, own = make_caption(editor, image), make_caption(editor, image, article_id=article["id"])
    response = editor.get(f"/v1/images/{image['id']}")
    assert response.status_code == 200
    assert response.json() == image | {"captions": [general, own]}
    assert response.headers["etag"].startswith('"1-')


def test_an_unchanged_image_is_not_sent_again(editor: httpx.Client):
    image = make_image(editor)
    etag = editor.get(f"/v1/images/{image['id']}").headers["etag"]
    again = editor.get(f"/v1/images/{image['id']}", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    make_caption(editor, image)
    assert editor.get(f"/v1/images/{image['id']}", headers={"If-None-Match": etag}).status_code == 200


def test_an_unknown_image_is_not_found(editor: httpx.Client, client: httpx.Client):
    for caller in (editor, client):
        response = caller.get(f"/v1/images/{uuid4()}")
        assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


def test_a_reader_does_not_see_an_image_that_no_published_article_shows(
    editor: httpx.Client, client: httpx.Client
):
    image = make_image(editor)
    make_article(editor, image, status="draft")
    assert client.get(f"/v1/images/{image['id']}").status_code == 404
    assert client.get(f"/v1/images/{image['id']}/captions").status_code == 404


def test_a_reader_sees_what_a_published_article_shows(editor: httpx.Client, client: httpx.Client):
    image = make_image(editor, credit_line="Ana Lind")
    make_article(editor, image)
    response = client.get(f"/v1/images/{image['id']}")
    unseen = {"digest": None, "external_id": None, "source_url": None}
    assert (response.status_code, response.json()) == (
        200,
        image | {"renditions": image["renditions"][:-1]} | unseen,
    )
    assert image["renditions"][-1]["name"] == "original"
    assert response.headers["cache-control"].startswith("public, max-age=")
    assert (
        client.get(
            f"/v1/images/{image['id']}", headers={"If-None-Match": response.headers["etag"]}
        ).status_code
        == 304
    )


def test_a_token_without_content_read_sees_what_readers_see(editor: httpx.Client, store):
    hidden, shown = make_image(editor, "red"), make_image(editor, "blue")
    make_article(editor, shown)
    with store.client("consent:read") as other:
        assert other.get(f"/v1/images/{hidden['id']}").status_code == 404
        response = other.get(f"/v1/images/{shown['id']}")
        assert (response.status_code, response.headers["cache-control"]) == (200, "private, no-store")
