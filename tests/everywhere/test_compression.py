"""Content codings are negotiated (RFC 9110, 12.5.3), for readers and for those with a token."""

import gzip
from itertools import product

import brotli
import httpx
import pytest
import zstandard

from service.negotiation import choose_coding
from tests.articles.newsroom import Article, published

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
