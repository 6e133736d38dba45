"""PATCH and PUT /v1/images/{id}"""

from uuid import uuid4

import httpx
import pytest

from tests.images.pictures import change, href_of, make_article, make_caption, make_own_image
from tests.serving import Store
from tests.sharing import store

__all__ = ["store"]


@pytest.mark.slow
def test_a_patch_changes_what_it_names_and_null_removes(editor: httpx.Client):
    image = make_own_image(editor, credit_line="Ana Lind", source="wire")
    path = f"/v1/images/{image['id']}"
    response = editor.patch(
        path, json={"credit_line": None, "usage_terms": "Once only."}, headers={"If-Match": '"1-abc"'}
    )
    edited = response.json()
    assert response.status_code == 200, response.text
    assert (edited["credit_line"], edited["usage_terms"], edited["source"], edited["version"]) == (
        None,
        "Once only.",
        "wire",
        2,
    )
    assert edited["updated_at"] > image["updated_at"]
    assert response.headers["etag"].startswith('"2-')
    assert editor.get(path).json() == edited


def test_a_patch_merges_the_focal_point(editor: httpx.Client):
    image = make_own_image(editor, focal_point='{"x": 0.25, "y": 0.75}')
    path = f"/v1/images/{image['id']}"
    assert change(editor, path, {"focal_point": {"y": 0.5}})["focal_point"] == {"x": 0.25, "y": 0.5}
    refused = editor.patch(path, json={"focal_point": {"x": None}}, headers={"If-Match": "*"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/focal_point/x")
    assert change(editor, path, {"focal_point": None})["focal_point"] is None


def test_a_patch_may_be_sent_as_merge_patch(editor: httpx.Client):
    path = f"/v1/images/{make_own_image(editor)['id']}"
    headers = {"If-Match": "*", "Content-Type": "application/merge-patch+json"}
    assert editor.patch(path, content=b'{"source": "wire"}', headers=headers).json()["source"] == "wire"


def test_an_image_as_it_was_read_can_be_put_back_and_changes_nothing(editor: httpx.Client):
    image = make_own_image(editor, credit_line="Ana Lind", focal_point='{"x": 0.25, "y": 0.75}')
    make_caption(editor, image)
    path = f"/v1/images/{image['id']}"
    before = editor.get(path)
    for send in (editor.put, editor.patch):
        response = send(path, json=before.json(), headers={"If-Match": before.headers["etag"]})
        assert (response.status_code, response.json()) == (200, before.json())


def test_a_put_replaces_everything_that_can_be_written(editor: httpx.Client):
    image = make_own_image(editor, credit_line="Ana Lind", source="wire")
    response = editor.put(
        f"/v1/images/{image['id']}", json={"credit_line": "Bo Lind"}, headers={"If-Match": "*"}
    )
    written = {"credit_line": "Bo Lind", "source": None, "version": 2}
    # The credit is written into every file, so that their addresses change with it.
    assert response.json() == image | written | {
        name: response.json()[name] for name in ("updated_at", "renditions")
    }
    assert href_of(response.json(), "w40") != href_of(image, "w40")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("digest", "0" * 64),
        ("digest", None),
        ("width", 41),
        ("content_type", "image/jpeg"),
        ("version", 9),
        ("size", 1),
        ("id", "00000000-0000-7000-8000-000000000000"),
        ("metadata", {"Artist": "Ana"}),
        ("renditions", []),
        ("captions", [{"text": "x"}]),
        ("created_at", "2020-01-01T00:00:00Z"),
        ("placeholder", "abc"),
        ("taken_at", "2020-01-01T00:00:00Z"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_only_the_service_sets_cannot_be_changed(
    editor: httpx.Client, method: str, name: str, value: object
):
    path = f"/v1/images/{make_own_image(editor)['id']}"
    response = editor.request(method, path, json={name: value}, headers={"If-Match": "*"})
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"].startswith(f"/{name}")
    assert editor.get(path).json()["version"] == 1


def test_an_edit_needs_the_current_version(editor: httpx.Client):
    image = make_own_image(editor)
    path = f"/v1/images/{image['id']}"
    assert editor.patch(path, json={}).status_code == 428
    change(editor, path, {"source": "wire"})
    for method in ("PUT", "PATCH", "DELETE"):
        body = {} if method == "DELETE" else {"json": {"source": "other"}}
        stale = editor.request(method, path, headers={"If-Match": '"1-abc"'}, **body)
        assert (stale.status_code, stale.json()["current_version"]) == (412, 2)


def test_a_caption_written_meanwhile_does_not_refuse_an_edit(editor: httpx.Client):
    image = make_own_image(editor)
    etag = editor.get(f"/v1/images/{image['id']}").headers["etag"]
    make_caption(editor, image)
    assert (
        editor.patch(
            f"/v1/images/{image['id']}", json={"source": "wire"}, headers={"If-Match": etag}
        ).status_code
        == 200
    )


def test_bad_values_are_refused_with_a_pointer(editor: httpx.Client):
    path = f"/v1/images/{make_own_image(editor)['id']}"
    for body, pointer in (
        ({"credit_line": 3}, "/credit_line"),
        ({"nonsense": 1}, "/nonsense"),
        ({"source_url": "x"}, "/source_url"),
    ):
        response = editor.patch(path, json=body, headers={"If-Match": "*"})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, pointer)
    assert editor.patch(path, json=[], headers={"If-Match": "*"}).status_code == 422
    assert (
        editor.patch(path, content=b"x", headers={"If-Match": "*", "Content-Type": "text/plain"}).status_code
        == 415
    )


def test_put_creates_an_image_under_an_id_of_ones_own(editor: httpx.Client):
    id_ = str(uuid4())
    response = editor.put(
        f"/v1/images/{id_}", json={"id": id_, "source": "wire"}, headers={"If-None-Match": "*"}
    )
    assert (response.status_code, response.json()["id"], response.headers["location"]) == (
        201,
        id_,
        f"/v1/images/{id_}",
    )
    again = editor.put(f"/v1/images/{id_}", json={"source": "wire"}, headers={"If-None-Match": "*"})
    assert (again.status_code, again.json()["current_version"]) == (412, 1)
    assert editor.put(f"/v1/images/{uuid4()}", json={}, headers={"If-Match": '"1-a"'}).status_code == 412
    assert editor.put(f"/v1/images/{uuid4()}", json={"width": 30}).status_code == 422


def test_only_writers_may_edit(client: httpx.Client, editor: httpx.Client, store: Store):
    path = f"/v1/images/{make_own_image(editor)['id']}"
    assert client.patch(path, json={}).status_code == 401
    with store.client("content:read") as reader:
        for method in ("PUT", "PATCH"):
            assert reader.request(method, path, json={}, headers={"If-Match": '"9-x"'}).status_code == 403
        assert reader.delete(path).status_code == 403
        assert reader.post(f"{path}/restore").status_code == 403


def test_readers_see_the_edit_of_a_public_image_and_of_the_article_that_shows_it(
    editor: httpx.Client, client: httpx.Client
):
    image = make_own_image(editor)
    article = make_article(editor, image, lead_image_id=image["id"])
    assert client.get(f"/v1/images/{image['id']}").json()["credit_line"] is None
    change(
        editor,
        f"/v1/images/{image['id']}",
        {"credit_line": "Ana Lind", "focal_point": {"x": 0.25, "y": 0.75}},
    )
    assert client.get(f"/v1/images/{image['id']}").json()["credit_line"] == "Ana Lind"
    shown = client.get(f"/v1/articles/{article['slug']}").json()
    for seen in (shown["lead_image"], shown["body"][0]["image"]):
        assert (seen["credit_line"], seen["focal_point"]) == ("Ana Lind", {"x": 0.25, "y": 0.75})
