"""Content codings are negotiated (RFC 9110, 12.5.3), for readers and for those with a token."""

import gzip
from itertools import product

import brotli
import httpx
import pytest
import zstandard

from service.http.negotiation import choose_coding
from tests.articles.newsroom import Article, published
from tests.images.pictures import picture

DECODE = {
    "br": brotli.decompress,
    "gzip": gzip.decompress,
    "zstd": lambda raw: zstandard.ZstdDecompressor().decompressobj().decompress(raw),
}


@pytest.fixture
def article(editor: httpx.Client) -> Article:
    """An article of some length."""
    return published(editor, body=[{"type": "paragraph", "html": "The tide came in again. " * 80}])


def raw(client: httpx.Client, address: str, coding: str) -> tuple[httpx.Response, bytes]:
    """An answer as it is on the wire."""
    with client.stream("GET", address, headers={"Accept-Encoding": coding}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["br", "gzip", "zstd"])
def test_an_answer_is_coded_as_asked(
    client: httpx.Client, editor: httpx.Client, article: Article, coding: str
) -> None:
    for caller in (client, editor):
        for address in (
            f"/v1/articles/{article['id']}",
            f"/v1/articles/{article['id']}?body=html",
            "/v1/articles",
            "/openapi.json",
        ):
            plain, whole = raw(caller, address, "identity")
            assert "content-encoding" not in plain.headers
            for _ in range(2):
                answer, body = raw(caller, address, coding)
                assert answer.headers["content-encoding"] == coding
                assert "accept-encoding" in answer.headers["vary"].lower()
                assert DECODE[coding](body) == whole
                assert len(body) < len(whole)


def test_codings_have_etags_of_their_own_that_all_answer_304(client: httpx.Client, article: Article) -> None:
    address = f"/v1/articles/{article['id']}"
    tags = {
        coding: raw(client, address, coding)[0].headers["etag"]
        for coding in ("identity", "br", "gzip", "zstd")
    }
    assert len(set(tags.values())) == 4
    for known, (coding, tag) in product(tags.values(), tags.items()):
        with client.stream(
            "GET", address, headers={"Accept-Encoding": coding, "If-None-Match": known}
        ) as answer:
            assert (answer.status_code, b"".join(answer.iter_raw())) == (304, b"")
            assert answer.headers["etag"] == tag
            assert "content-encoding" not in answer.headers


def test_a_short_answer_is_left_alone(client: httpx.Client) -> None:
    answer, _ = raw(client, "/v1/articles?section=nothing-there", "br, gzip")
    assert "content-encoding" not in answer.headers


def test_a_length_is_given_and_right(client: httpx.Client, article: Article) -> None:
    for coding in ("identity", "br", "gzip", "zstd"):
        answer, body = raw(client, f"/v1/articles/{article['id']}", coding)
        assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ""),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("br;q=0, *", "zstd"),
        ("identity", ""),
        ("identity;q=1, gzip;q=0.5", ""),
        ("identity;q=0.5, gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip ; q=0.8", "gzip"),
        ("deflate", ""),
        ("gzip;q=x", ""),
        ("gzip;q=nan", ""),
        (",,;=,", ""),
        ("zstd;q=0.9, br;q=0.8", "zstd"),
    ],
)
def test_the_readers_preference_decides(accepted: str, coding: str) -> None:
    assert choose_coding(accepted.encode()) == coding


def test_every_write_may_come_packed_with_gzip(editor: httpx.Client, client: httpx.Client) -> None:
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(b'{"headline": "Packed tide"}')
    made = editor.post("/v1/articles", content=body, headers={**packed, "Idempotency-Key": "packed"})
    assert (made.status_code, made.json()["headline"]) == (201, "Packed tide")
    again = editor.post("/v1/articles", content=body, headers={**packed, "Idempotency-Key": "packed"})
    assert again.content == made.content
    address = f"/v1/articles/{made.json()['id']}"
    edited = editor.patch(
        address, content=gzip.compress(b'{"summary": "x"}'), headers={**packed, "If-Match": "*"}
    )
    assert edited.json()["summary"] == "x"
    image = editor.post(
        "/v1/images",
        content=gzip.compress(picture()),
        headers={"Content-Type": "image/png", "Content-Encoding": "gzip"},
    )
    assert image.status_code in (200, 201), image.text
    page = editor.post(
        "/v1/imports",
        params={"url": "https://wire.example/packed"},
        content=gzip.compress(b"<html><h1>Packed page</h1><p>" + b"Words of it. " * 40),
        headers={"Content-Type": "text/html", "Content-Encoding": "gzip"},
    )
    assert page.status_code == 201, page.text


@pytest.mark.slow
def test_what_is_packed_is_measured_unpacked(editor: httpx.Client) -> None:
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    bomb = gzip.compress(b'{"headline": "' + b"x" * (64 << 20) + b'"}')
    assert editor.post("/v1/articles", content=bomb, headers=packed).status_code == 413
    for broken in (b"no gzip", gzip.compress(b'{"headline": "cut"}')[:-8]):
        answer = editor.post("/v1/articles", content=broken, headers=packed)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/broken-stream")
    other = editor.post("/v1/articles", content=b"x", headers={**packed, "Content-Encoding": "br"})
    assert (other.status_code, other.headers["accept-encoding"]) == (415, "gzip")
