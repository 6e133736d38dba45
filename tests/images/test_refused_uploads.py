"""POST /v1/images refuses, and keeps nothing: the store that these tests share stays empty."""

from collections.abc import Iterator

import httpx
import pytest

from tests.images.pictures import (
    kept_files,
    noise,
    picture,
    send_in_parts,
    upload,
)
from tests.images.sharing import store
from tests.serving import Store

__all__ = ["store"]

SMALL_UPLOADS = 300_000
SETTINGS = {"upload_max_bytes": SMALL_UPLOADS, "image_max_pixels": 1_000_000}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"credit_line": 7}, "/credit_line"),
        ({"headline": "no such member"}, "/headline"),
        ({"digest": "ab"}, "/digest"),
        ({"focal_point": {"x": 2, "y": 0}}, "/focal_point/x"),
        ({"focal_point": {"x": "0.5", "y": 0}}, "/focal_point/x"),
        ({"focal_point": {"x": True, "y": 0}}, "/focal_point/x"),
        ({"source_url": "ftp://example.org/a.jpg"}, "/source_url"),
        ([], ""),
    ],
)
def test_bad_json_is_refused_with_a_pointer(editor: httpx.Client, body: object, pointer: str):
    response = editor.post("/v1/images", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_malformed_json_is_refused(editor: httpx.Client):
    response = editor.post(
        "/v1/images", content=b'{"credit_line": ', headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["type"]) == (400, "/problems/bad-request")


@pytest.mark.parametrize(
    ("content", "content_type", "status", "problem"),
    [
        (b"GIF89a", "image/gif", 422, "damaged-picture"),
        (b"just some text", "image/png", 415, "unknown-picture"),
        (b"", "image/png", 415, "unknown-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", 415, "unknown-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "unsupported-media-type"),
        (picture("TIFF"), "image/jpeg", 415, "unknown-picture"),
        (picture("BMP"), "image/bmp", 415, "unsupported-media-type"),
        (picture("JPEG", (200, 200))[:-200], "image/jpeg", 422, "damaged-picture"),
        (noise((100, 100))[:-500], "image/png", 422, "damaged-picture"),
        (b"{}", "text/plain", 415, "unsupported-media-type"),
    ],
)
def test_what_is_not_a_good_picture_is_refused_and_leaves_nothing(
    editor: httpx.Client, store: Store, content: bytes, content_type: str, status: int, problem: str
):
    response = upload(editor, content, content_type)
    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{problem}")
    assert kept_files(store) == []


def test_a_picture_with_flipped_bits_is_refused(editor: httpx.Client):
    content = bytearray(noise((60, 60)))
    content[len(content) // 2] ^= 0xFF
    assert upload(editor, bytes(content)).status_code == 422


@pytest.mark.slow
def test_too_many_pixels_are_refused_before_they_are_decoded(editor: httpx.Client):
    # A PNG of a hundred million pixels takes some hundred thousand bytes: a decompression bomb.
    response = upload(editor, picture(size=(10_000, 10_000), colour="black"))
    assert (response.status_code, response.json()["type"]) == (422, "/problems/too-many-pixels")
    assert response.json()["limit"] == 1_000_000


@pytest.mark.parametrize("as_form", [False, True])
def test_too_many_bytes_are_refused(editor: httpx.Client, store: Store, as_form: bool):
    content = noise((700, 700))
    assert len(content) > SMALL_UPLOADS
    response = editor.post("/v1/images", files={"file": content}) if as_form else upload(editor, content)
    assert (response.status_code, response.json()["type"]) == (413, "/problems/too-large")
    assert response.json()["limit"] == SMALL_UPLOADS
    assert kept_files(store) == []


@pytest.mark.parametrize("as_form", [False, True])
def test_bytes_are_counted_as_they_arrive_when_no_length_was_announced(store: Store, as_form: bool):
    content_type = "multipart/form-data; boundary=b" if as_form else "image/png"
    headers = {"Authorization": f"Bearer {store.token('content:write')}", "Content-Type": content_type}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' if as_form else b""
    taken = []

    def parts() -> Iterator[bytes]:
        for part in [head, *[b"x" * 100_000] * 50]:
            taken.append(len(part))
            yield part

    assert send_in_parts(store, "/v1/images", headers, parts()) == 413
    assert kept_files(store) == []
    assert sum(taken) < SMALL_UPLOADS + 400_000


def test_json_has_the_smaller_limit(editor: httpx.Client, store: Store):
    response = editor.post("/v1/images", json={"usage_terms": "x" * store.settings.body_max_bytes})
    assert response.status_code == 413


def test_a_form_without_a_file_is_refused(editor: httpx.Client):
    response = editor.post("/v1/images", files={"credit_line": (None, "Ana Lind")})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/file"


@pytest.mark.parametrize("name", ["digest", "headline", "version"])
def test_a_form_with_another_field_is_refused(editor: httpx.Client, name: str):
    response = editor.post("/v1/images", files={"file": picture()}, data={name: "1"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"/{name}"


def test_a_broken_form_is_refused(editor: httpx.Client):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert editor.post("/v1/images", content=b"--c\r\nnot a form", headers=headers).status_code == 400
    assert (
        editor.post("/v1/images", content=b"", headers={"Content-Type": "multipart/form-data"}).status_code
        == 400
    )


def test_an_unknown_query_parameter_is_refused(editor: httpx.Client):
    response = upload(editor, crdit_line="Ana Lind")
    assert (response.status_code, response.json()["parameter"]) == (400, "crdit_line")


def test_only_writers_may_upload_and_nobody_else_is_read(client: httpx.Client, store: Store):
    assert upload(client).status_code == 401
    assert upload(client).headers["www-authenticate"].startswith("Bearer")
    with store.client("content:read") as reader:
        assert upload(reader, b"not even looked at").status_code == 403
    assert kept_files(store) == []


@pytest.mark.parametrize("form", [False, True])
def test_an_upload_cut_off_midway_leaves_nothing(store: Store, editor: httpx.Client, form: bool):
    content = noise((300, 300))
    content_type = "multipart/form-data; boundary=b" if form else "image/png"
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' if form else b""
    headers = {"Authorization": f"Bearer {store.token('content:write')}", "Content-Type": content_type}
    send_in_parts(
        store, "/v1/images", headers, iter([head + content[:40_000], content[40_000:60_000]]), cut=True
    )
    assert kept_files(store) == []
    assert editor.get("/v1/images").json()["items"] == []
