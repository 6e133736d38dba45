"""POST /v1/images"""

import hashlib
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from service.settings import Settings
from tests.images.pictures import (
    TYPES,
    change,
    href_of,
    image_of,
    kept_files,
    make_image,
    noise,
    picture,
    send_in_parts,
    sideways,
    upload,
)
from tests.serving import Store, settings_for


@pytest.fixture
def settings(settings_on_both: Settings) -> Settings:
    return settings_on_both


@pytest.mark.parametrize("kind", TYPES)
def test_a_picture_alone_becomes_an_image(editor: httpx.Client, kind: str):
    content = picture(kind)
    response = upload(editor, content, TYPES[kind])
    image = response.json()
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/v1/images/{image['id']}"
    assert response.headers["cache-control"] == "private, no-store"
    assert (image["content_type"], image["width"], image["height"]) == (TYPES[kind], 40, 30)
    assert (image["digest"], image["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert [shown["name"] for shown in image["renditions"]] == [
        "w40",
        "1x1-w30",
        "4x3-w40",
        "16x9-w40",
        "original",
    ]
    assert image["formats"] == ["avif", "webp", "jpg"]
    assert editor.get(href_of(image)).content == content


def test_every_member_of_an_image_is_written_out(editor: httpx.Client):
    assert list(make_image(editor)) == [
        "id",
        "width",
        "height",
        "credit_line",
        "copyright_notice",
        "usage_terms",
        "source",
        "focal_point",
        "placeholder",
        "dominant_color",
        "taken_at",
        "usable_until",
        "usable_in",
        "formats",
        "renditions",
        "digest",
        "content_type",
        "size",
        "external_id",
        "source_url",
        "usable_from",
        "expired_at",
        "metadata",
        "captions",
        "withdrawn",
        "version",
        "created_at",
        "updated_at",
    ]


def test_the_fields_may_stand_in_the_address(editor: httpx.Client):
    image = image_of(upload(editor, credit_line="Ana Lind", focal_point='{"x": 0.25, "y": 1}', source="wire"))
    assert (image["credit_line"], image["focal_point"], image["source"]) == (
        "Ana Lind",
        {"x": 0.25, "y": 1.0},
        "wire",
    )


def test_a_form_carries_the_file_and_its_fields(editor: httpx.Client):
    fields = {"credit_line": "Ana Lind", "usage_terms": "", "focal_point": '{"x": 0, "y": 0.5}'}
    response = editor.post("/v1/images", files={"file": ("a.png", picture(), "image/png")}, data=fields)
    image = response.json()
    assert response.status_code == 201, response.text
    assert (image["credit_line"], image["usage_terms"], image["focal_point"]) == (
        "Ana Lind",
        None,
        {"x": 0.0, "y": 0.5},
    )
    assert image["digest"] == hashlib.sha256(picture()).hexdigest()


def test_the_content_decides_the_type_not_the_header(editor: httpx.Client):
    assert image_of(upload(editor, picture("WEBP"), "image/jpeg"))["content_type"] == "image/webp"


def test_a_sideways_photograph_is_measured_upright(editor: httpx.Client):
    image = image_of(upload(editor, sideways((40, 30)), "image/jpeg"))
    assert (image["width"], image["height"]) == (30, 40)


def test_the_same_bytes_are_the_same_image(editor: httpx.Client, store: Store):
    first = upload(editor, credit_line="Ana Lind")
    again = editor.post("/v1/images", files={"file": picture()}, data={"credit_line": "Somebody else"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert kept_files(store) == [first.json()["digest"]]


def test_the_same_bytes_at_the_same_time_are_one_image(store: Store):
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda token: _upload_with(store, token), [store.token("content:write") for _ in range(8)]
            )
        )
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({id_ for _, id_ in answers}) == 1


def _upload_with(store: Store, token: str) -> tuple[int, str]:
    with store.client() as client:
        client.headers["Authorization"] = f"Bearer {token}"
        response = upload(client)
        return response.status_code, response.json()["id"]


def test_a_picture_from_the_trash_comes_in_as_a_new_image(editor: httpx.Client):
    old = make_image(editor)
    assert editor.delete(f"/v1/images/{old['id']}", headers={"If-Match": "*"}).status_code == 204
    new = upload(editor, picture())
    assert (new.status_code, new.json()["id"] != old["id"]) == (201, True)


def test_json_makes_an_image_without_its_file(editor: httpx.Client):
    response = editor.post(
        "/v1/images", json={"credit_line": "Ana Lind", "focal_point": {"x": 0.5, "y": 0.5}}
    )
    image = response.json()
    assert response.status_code == 201, response.text
    assert [image[name] for name in ("digest", "content_type", "width", "height", "size")] == [None] * 5
    assert (image["renditions"], image["captions"], image["metadata"]) == ([], [], {})


def test_two_images_may_wait_for_their_files(editor: httpx.Client):
    first, second = (editor.post("/v1/images", json={}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


def test_a_keyed_upload_is_answered_once(editor: httpx.Client):
    keyed = {"Idempotency-Key": uuid4().hex}
    first = editor.post("/v1/images", json={"credit_line": "Ana Lind"}, headers=keyed)
    change(editor, f"/v1/images/{first.json()['id']}", {"credit_line": "Bo Lind"})
    again = editor.post("/v1/images", json={"credit_line": "Ana Lind"}, headers=keyed)
    assert (again.status_code, again.content) == (201, first.content)
    assert len(editor.get("/v1/images").json()["items"]) == 1


class TestLargeUploads:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path) -> Settings:
        return settings_for(
            database_url, tmp_path
        )  # in a folder: the bucket's server, in this process, does hold it in memory

    @pytest.mark.slow
    @pytest.mark.parametrize("form", [False, True])
    @pytest.mark.parametrize("keyed", [False, True])
    def test_a_large_upload_is_never_held_in_memory(self, store: Store, form: bool, keyed: bool):
        content = noise((4000, 2500))
        assert len(content) > 8_000_000
        head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        headers = {"Authorization": f"Bearer {store.token('content:write')}", "Content-Type": "image/png"}
        body = content
        if form:
            headers["Content-Type"] = "multipart/form-data; boundary=b"
            body = head + content + b"\r\n--b--\r\n"
        peaks = []
        # Twice: a table of the interpreter's own, of ten megabytes after some thousand tests, may double
        # during one of them.
        for _ in range(2):
            if keyed:
                headers["Idempotency-Key"] = uuid4().hex
            parts = (body[at : at + 65_536] for at in range(0, len(body), 65_536))
            tracemalloc.start()
            try:
                assert send_in_parts(store, "/v1/images", headers, parts) in (200, 201)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
        assert min(peaks) < 5_000_000
