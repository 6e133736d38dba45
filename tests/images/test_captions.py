"""/v1/captions and GET /v1/images/{id}/captions"""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.images.pictures import change, make_article, make_caption, make_own_image
from tests.serving import Store
from tests.sharing import store

__all__ = ["store"]

FORCED = {"If-Match": "*"}


@pytest.fixture
def image(editor: httpx.Client) -> dict:
    return make_own_image(editor)


def test_a_caption_is_written_and_read(editor: httpx.Client, image: dict):
    words = {"text": "Boats in the harbour.", "alt_text": "Twelve white boats at a quay.", "source": "import"}
    response = editor.post("/v1/captions", json={"image_id": image["id"], "language": "pt-br", **words})
    caption = response.json()
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/captions/{caption['id']}"
    assert caption | words == caption
    assert (caption["language"], caption["article_id"], caption["version"]) == ("pt-BR", None, 1)
    assert list(caption) == [
        "id",
        "image_id",
        "article_id",
        "language",
        "text",
        "alt_text",
        "decorative",
        "source",
        "version",
        "created_at",
        "updated_at",
    ]
    assert editor.get(f"/v1/captions/{caption['id']}").json() == caption
    assert editor.get(f"/v1/images/{image['id']}").json()["captions"] == [caption]
    assert editor.get(f"/v1/images/{image['id']}/captions").json()["items"] == [caption]


def test_a_caption_without_a_language_is_in_that_of_the_house(editor: httpx.Client, image: dict):
    assert (
        editor.post("/v1/captions", json={"image_id": image["id"], "alt_text": "Boats"}).json()["language"]
        == "en"
    )


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"text": None}, ""),
        ({"text": " ", "alt_text": ""}, ""),
        ({"language": "english"}, "/language"),
        ({"language": "xx"}, "/language"),
        ({"language": ""}, "/language"),
        ({"image_id": "x"}, "/image_id"),
        ({"image_id": str(uuid4())}, "/image_id"),
        ({"article_id": str(uuid4())}, "/article_id"),
        ({"source": "rumour"}, "/source"),
        ({"version": 2}, "/version"),
        ({"text": "a\x00b"}, "/text"),
        ({"text": ["a"]}, "/text"),
    ],
    ids=range(12),
)
def test_bad_captions_are_refused_with_a_pointer(
    editor: httpx.Client, image: dict, fields: dict, pointer: str
):
    response = editor.post(
        "/v1/captions", json={"image_id": image["id"], "language": "en", "text": "Boats", **fields}
    )
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"] == pointer


def test_a_deleted_image_or_article_takes_no_caption(editor: httpx.Client, image: dict):
    article = make_article(editor)
    editor.delete(f"/v1/articles/{article['id']}", headers=FORCED)
    body = {"image_id": image["id"], "text": "Boats"}
    assert (
        editor.post("/v1/captions", json=body | {"article_id": article["id"]}).json()["errors"][0]["pointer"]
        == "/article_id"
    )
    editor.delete(f"/v1/images/{image['id']}", headers=FORCED)
    assert editor.post("/v1/captions", json=body).json()["errors"][0]["pointer"] == "/image_id"


def test_there_is_one_caption_for_an_image_an_article_and_a_language(editor: httpx.Client, image: dict):
    article = make_article(editor, image)
    for place in ({}, {"article_id": article["id"]}):
        held = make_caption(editor, image, **place)
        make_caption(editor, image, language="fr", **place)
        body = {"image_id": image["id"], "language": "EN", "text": "Ships", **place}
        response = editor.post("/v1/captions", json=body)
        assert (response.status_code, response.json()["type"], response.json()["id"]) == (
            409,
            "/problems/caption-taken",
            held["id"],
        )


def test_of_many_at_the_same_time_one_caption_is_written(store: Store, editor: httpx.Client, image: dict):
    body = {"image_id": image["id"], "text": "Boats"}
    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(lambda _: editor.post("/v1/captions", json=body).status_code, range(8)))
    assert sorted(statuses) == [201] + [409] * 7


def test_the_place_of_a_deleted_caption_is_free(editor: httpx.Client, image: dict):
    caption = make_caption(editor, image)
    path = f"/v1/captions/{caption['id']}"
    assert editor.delete(path).status_code == 428
    assert editor.delete(path, headers={"If-Match": '"1-a"'}).status_code == 204
    for gone in (
        editor.get(path),
        editor.put(path, json={"text": "x"}, headers=FORCED),
        editor.delete(path, headers=FORCED),
    ):
        assert (gone.status_code, gone.json()["reason"]) == (410, "deleted")
    assert make_caption(editor, image)["id"] != caption["id"]


def test_a_caption_is_edited(editor: httpx.Client, image: dict):
    caption = make_caption(editor, image, alt_text="Boats")
    path = f"/v1/captions/{caption['id']}"
    edited = change(editor, path, {"text": "Ships.", "alt_text": None})
    assert edited == caption | {
        "text": "Ships.",
        "alt_text": None,
        "version": 2,
        "updated_at": edited["updated_at"],
    }
    assert change(editor, path, {"language": "fr"})["language"] == "fr"
    assert editor.patch(path, json={"text": None}, headers=FORCED).status_code == 422
    assert editor.patch(path, json={"source": None}, headers=FORCED).status_code == 422


def test_a_caption_cannot_be_moved_onto_another(editor: httpx.Client, image: dict):
    english, french = make_caption(editor, image), make_caption(editor, image, language="fr")
    article = make_article(editor, image)
    own = make_caption(editor, image, article_id=article["id"])
    for caption, patch, held in ((french, {"language": "en"}, english), (own, {"article_id": None}, english)):
        response = editor.patch(f"/v1/captions/{caption['id']}", json=patch, headers=FORCED)
        assert (response.status_code, response.json()["id"]) == (409, held["id"])
    assert (
        change(editor, f"/v1/captions/{french['id']}", {"article_id": article["id"]})["article_id"]
        == article["id"]
    )


def test_a_caption_as_it_was_read_can_be_put_back_and_changes_nothing(editor: httpx.Client, image: dict):
    caption = make_caption(editor, image)
    path = f"/v1/captions/{caption['id']}"
    before = editor.get(path)
    for send in (editor.put, editor.patch):
        response = send(path, json=before.json(), headers={"If-Match": before.headers["etag"]})
        assert (response.status_code, response.json()) == (200, caption)
    replaced = editor.put(path, json={"alt_text": "Boats"}, headers=FORCED).json()
    assert (replaced["text"], replaced["alt_text"], replaced["language"], replaced["version"]) == (
        None,
        "Boats",
        "en",
        2,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", str(uuid4())), ("image_id", str(uuid4())), ("version", 7), ("created_at", None)],
    ids=range(4),
)
def test_what_only_the_service_sets_cannot_be_changed(
    editor: httpx.Client, image: dict, name: str, value: object
):
    caption = make_caption(editor, image)
    for send in (editor.put, editor.patch):
        response = send(f"/v1/captions/{caption['id']}", json={"text": "Ships.", name: value}, headers=FORCED)
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, f"/{name}")


def test_an_edit_needs_the_current_version(editor: httpx.Client, image: dict):
    path = f"/v1/captions/{make_caption(editor, image)['id']}"
    assert editor.put(path, json={"text": "Ships."}).status_code == 428
    change(editor, path, {"text": "Ships."})
    stale = editor.patch(path, json={"text": "Boats."}, headers={"If-Match": '"1-a"'})
    assert (stale.status_code, stale.json()["current_version"]) == (412, 2)


def test_put_creates_a_caption_under_an_id_of_ones_own(editor: httpx.Client, image: dict):
    path = f"/v1/captions/{uuid4()}"
    assert editor.put(path, json={"text": "Boats"}).json()["errors"][0]["pointer"] == "/image_id"
    response = editor.put(
        path, json={"image_id": image["id"], "text": "Boats"}, headers={"If-None-Match": "*"}
    )
    assert (response.status_code, response.headers["location"]) == (201, path)
    assert (
        editor.put(
            path, json={"image_id": image["id"], "text": "Boats"}, headers={"If-None-Match": "*"}
        ).status_code
        == 412
    )
    assert (
        editor.put(
            f"/v1/captions/{uuid4()}",
            json={"image_id": image["id"], "text": "x"},
            headers={"If-Match": '"1-a"'},
        ).status_code
        == 412
    )


@pytest.mark.parametrize("public", [False, True])
def test_captions_of_an_image_come_in_pages(
    editor: httpx.Client, client: httpx.Client, image: dict, public: bool
):
    made = [make_caption(editor, image, language=language) for language in ("en", "fr", "de")]
    make_article(editor, image)
    reader = client if public else editor
    first = reader.get(f"/v1/images/{image['id']}/captions", params={"limit": 2, "count": "true"}).json()
    second = reader.get(first["next"]).json()
    assert (first["items"] + second["items"], first["total"], second["next"]) == (made, 3, None)


def test_only_writers_may_write(client: httpx.Client, editor: httpx.Client, store: Store, image: dict):
    path = f"/v1/captions/{make_caption(editor, image)['id']}"
    with store.client("content:read") as reader:
        for caller, status in ((client, 401), (reader, 403)):
            assert (
                caller.post("/v1/captions", json={"image_id": image["id"], "text": "x"}).status_code == status
            )
            assert caller.put(path, json={"text": "x"}).status_code == status
            assert caller.patch(path, json={}).status_code == status
            assert caller.delete(path).status_code == status


@pytest.mark.parametrize("asked", ["image_id", "article_id"])
def test_what_would_tell_of_drafts_is_for_editors(client: httpx.Client, image: dict, asked: str):
    assert client.get("/v1/captions", params={asked: image["id"]}).status_code == 401


def test_an_unknown_caption_is_not_found(client: httpx.Client, editor: httpx.Client):
    for caller in (client, editor):
        assert caller.get(f"/v1/captions/{uuid4()}").status_code == 404


def test_a_decorative_picture_has_no_alternative_text(editor: httpx.Client):
    image = make_own_image(editor)
    made = make_caption(editor, image, text=None, decorative=True)
    assert (made["decorative"], made["text"], made["alt_text"]) == (True, None, None)
    both = {"image_id": image["id"], "language": "sv", "alt_text": "En bro", "decorative": True}
    assert editor.post("/v1/captions", json=both).status_code == 422
