"""What readers may see of images and captions follows the articles that show them."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import event

from service.images import resolve
from service.published.models import Kind
from service.published.store import changed_since
from tests.images.pictures import change, make_article, make_caption, make_image
from tests.serving import Store

FORCED = {"If-Match": "*"}


@pytest.fixture
def image(editor: httpx.Client) -> dict:
    return make_image(editor)


def status_of(client: httpx.Client, *paths: str) -> list[int]:
    return [client.get(path).status_code for path in paths]


def test_an_image_and_its_caption_appear_and_go_with_the_article(
    editor: httpx.Client, client: httpx.Client, image: dict
):
    caption = make_caption(editor, image)
    paths = (f"/v1/images/{image['id']}", f"/v1/captions/{caption['id']}")
    article = make_article(editor, image, status="draft")
    path = f"/v1/articles/{article['id']}"
    assert status_of(client, *paths) == [404, 404]
    assert editor.post(f"{path}/publish").status_code == 200
    assert status_of(client, *paths) == [200, 200]
    change(editor, path, {"body": []})
    assert status_of(client, *paths) == [404, 404]
    change(editor, path, {"lead_image_id": image["id"]})
    assert status_of(client, *paths) == [200, 200]
    editor.post(f"{path}/withdraw", json={"reason": "Wrong harbour."})
    assert status_of(client, *paths) == [404, 404]


def test_an_image_stays_public_while_another_article_shows_it(
    editor: httpx.Client, client: httpx.Client, image: dict
):
    first, second = (make_article(editor, image, headline=name) for name in ("First", "Second"))
    for article, status in ((first, 200), (second, 404)):
        editor.post(f"/v1/articles/{article['id']}/unpublish")
        assert status_of(client, f"/v1/images/{image['id']}") == [status]


def test_the_caption_for_a_draft_stays_hidden_everywhere(
    editor: httpx.Client, client: httpx.Client, image: dict
):
    draft = make_article(editor, image, status="draft", headline="Secret plans")
    public = make_article(editor, image, headline="Harbour open again")
    secret = make_caption(editor, image, "The secret plans.", article_id=draft["id"])
    make_caption(editor, image, "The harbour.")
    for path in (
        f"/v1/images/{image['id']}",
        f"/v1/images/{image['id']}/captions",
        "/v1/images",
        "/v1/captions",
        f"/v1/articles/{public['id']}",
        "/v1/articles?body=blocks",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "secret" not in answer.text
        assert "The harbour." in answer.text
    assert client.get(f"/v1/captions/{secret['id']}").status_code == 404
    editor.post(f"/v1/articles/{draft['id']}/publish")
    assert client.get(f"/v1/captions/{secret['id']}").json() == secret
    assert secret in client.get(f"/v1/images/{image['id']}").json()["captions"]
    assert "secret" not in client.get(f"/v1/articles/{public['id']}").text


def test_a_deleted_caption_leaves_a_tombstone(editor: httpx.Client, client: httpx.Client, image: dict):
    caption = make_caption(editor, image)
    make_article(editor, image)
    editor.delete(f"/v1/captions/{caption['id']}", headers=FORCED)
    answer = client.get(f"/v1/captions/{caption['id']}")
    assert (answer.status_code, answer.json()["reason"]) == (410, "deleted")
    assert client.get(f"/v1/images/{image['id']}").json()["captions"] == []


def test_a_caption_moved_to_a_draft_is_hidden(editor: httpx.Client, client: httpx.Client, image: dict):
    caption = make_caption(editor, image)
    make_article(editor, image)
    draft = make_article(editor, image, status="draft")
    change(editor, f"/v1/captions/{caption['id']}", {"article_id": draft["id"]})
    assert client.get(f"/v1/captions/{caption['id']}").status_code == 404


def test_what_changes_nothing_takes_no_number(editor: httpx.Client, store: Store, image: dict):
    caption = make_caption(editor, image)
    make_article(editor, image)
    with store.database.reading() as session:
        before = changed_since(session, 0, 100)
    assert {kind for kind, _, _ in before} - {Kind.NOTICE} == {Kind.ARTICLE, Kind.IMAGE, Kind.CAPTION}
    for path in (f"/v1/images/{image['id']}", f"/v1/captions/{caption['id']}"):
        assert editor.put(path, json=editor.get(path).json(), headers=FORCED).status_code == 200
    make_image(editor, "red")
    with store.database.reading() as session:
        assert changed_since(session, 0, 100) == before


def test_a_new_caption_reaches_the_feed_before_what_shows_it(editor: httpx.Client, store: Store, image: dict):
    make_article(editor, image)
    with store.database.reading() as session:
        last = changed_since(session, 0, 100)[-1][2]
    make_caption(editor, image)
    with store.database.reading() as session:
        assert [kind for kind, _, _ in changed_since(session, last, 100)] == [
            Kind.CAPTION,
            Kind.IMAGE,
            Kind.ARTICLE,
        ]


def test_many_pictures_are_loaded_in_two_queries(editor: httpx.Client, store: Store):
    images = [make_image(editor, colour) for colour in ("red", "green", "blue")]
    for image in images:
        make_caption(editor, image)
    editor.delete(f"/v1/images/{images[2]['id']}", headers=FORCED)
    statements = []
    with store.database.reading() as session:
        event.listen(session.connection(), "before_cursor_execute", lambda *args: statements.append(args[2]))
        ids = [UUID(image["id"]) for image in images]
        pictures = resolve.load(session, ids)
        captions = [pictures.caption(id_, article_id=None, language="en") for id_ in ids]
        shown = [pictures.image(id_) for id_ in ids]
    assert len(statements) == 2
    assert (
        [caption is None for caption in captions]
        == [image is None for image in shown]
        == [False, False, True]
    )
